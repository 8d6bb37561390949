// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/drain_file.hpp"
#include "routing-hooks/replace_file.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/temporary_directory.hpp"
#include "translator/daemon/quiet_watch.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <system_error>

namespace xlat646 {

TEST_CASE("drain file: what is written is read (RT-20)", "[drain]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("lib/drain.conf");
    CHECK(read_drain(path) == DrainState::none);
    for (const DrainState state :
         {DrainState::by_operator, DrainState::none, DrainState::by_shutdown}) {
        write_drain(path, state);
        CHECK(read_drain(path) == state);
    }
    struct stat s {};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    CHECK((s.st_mode & 0777) == 0644); // BIRD is another user
    CHECK(std::distance(std::filesystem::directory_iterator(directory.at("lib")), {}) == 1);
}

TEST_CASE("drain file: BIRD's text, and hands that know it", "[drain]") {
    CHECK(drain_text(DrainState::none) == "define XLAT646_DRAIN = 0;\n");
    CHECK(drain_text(DrainState::by_operator) == "define XLAT646_DRAIN = 1; # by the operator\n");
    CHECK(parse_drain("define XLAT646_DRAIN = 1;") == DrainState::by_operator);
    CHECK(parse_drain("define XLAT646_DRAIN = 0; # since Monday") == DrainState::none);
    for (const char* const bad : {"", "1", "define XLAT646_DRAIN = 2;", "define XLAT646_DRAIN = 1",
                                  "define XLAT646_DRAIN = 10;"})
        CHECK_FALSE(parse_drain(bad).has_value());
    const TemporaryDirectory directory;
    const std::string path = directory.at("drain.conf");
    replace_file(path, "define XLAT646_DRAIN = yes;\n");
    CHECK_THROWS_AS(read_drain(path), std::runtime_error);
    CHECK_THROWS_AS(write_drain(directory.at("no/such/drain.conf"), DrainState::none),
                    std::system_error);
}

TEST_CASE("drained: when a node may stop (RT-21)", "[drain]") {
    using std::chrono::milliseconds, std::chrono::seconds;
    using Verdict = QuietWatch::Verdict;
    const QuietWatch::Clock::time_point start{};
    SECTION("not before five seconds, however quiet") {
        QuietWatch watch(start, 1000, seconds(30));
        for (int s = 1; s < 5; ++s)
            CHECK(watch.look(start + seconds(s), 1000) == Verdict::wait);
        CHECK(watch.look(start + seconds(5), 1000) == Verdict::quiet);
        CHECK(watch.rate() == 0);
    }
    SECTION("not while packets come, and at the limit in any case") {
        QuietWatch watch(start, 0, seconds(8));
        for (unsigned s = 1; s < 8; ++s)
            CHECK(watch.look(start + seconds(s), s * 500ULL) == Verdict::wait);
        CHECK(watch.look(start + seconds(8), 4000) == Verdict::limit);
        CHECK(watch.rate() == 500);
        CHECK(watch.look(start + seconds(9), 4005) == Verdict::quiet);
    }
    SECTION("a glance after a moment is no rate") {
        QuietWatch watch(start, 0, seconds(30));
        CHECK(watch.look(start + milliseconds(5100), 51'000) == Verdict::wait);
        CHECK(watch.look(start + milliseconds(5101), 51'000) == Verdict::wait);
        CHECK(watch.look(start + milliseconds(6100), 51'009) == Verdict::quiet);
    }
    SECTION("counters that begin anew are no huge number") {
        QuietWatch watch(start, 1'000'000, seconds(30));
        CHECK(watch.look(start + seconds(5), 20) == Verdict::quiet);
        CHECK(watch.rate() == 4);
    }
}

} // namespace xlat646
