// SPDX-License-Identifier: BSD-2-Clause
//
// A hand-over from process to process is tested in tests/integration.
#include "translator/daemon/handover.hpp"

#include "tests/unit/catch.hpp"
#include "translator/daemon/hysteresis.hpp"
#include "translator/daemon/report.hpp"

#include <sys/socket.h>

using namespace xlat646;
using nlohmann::ordered_json;
using namespace std::chrono_literals;

namespace {

Legacy some_legacy() {
    Legacy legacy;
    legacy.tun = "xlat646";
    legacy.offload = true;
    legacy.route_table = 254;
    legacy.control_socket = "/run/x";
    legacy.made_directory = true;
    legacy.is_ready = true;
    for (std::size_t i = 0; i < legacy.token.size(); ++i)
        legacy.token[i] = static_cast<std::uint8_t>(17 * i);
    legacy.probe_server = *Ipv6Address::parse("2001:db8::1");
    legacy.counters = {{"tun", {{"sleeps", 7}}}};
    return legacy;
}

ordered_json sum(const char* all, const char* more) {
    ordered_json out = ordered_json::parse(all);
    add_counters(out, ordered_json::parse(more));
    return out;
}

} // namespace

TEST_CASE("hand-over: what is told arrives", "[handover]") {
    const Legacy told = some_legacy();
    const Legacy heard = Legacy::from_json(ordered_json::parse(told.to_json().dump()));
    CHECK(heard.to_json() == told.to_json());
    CHECK(heard.token == told.token);
    CHECK(heard.probe_server == told.probe_server);
}

TEST_CASE("hand-over: hostile and old words are refused with a sentence", "[handover]") {
    const ordered_json good = some_legacy().to_json();
    for (const auto& [key, value] : good.items()) {
        if (key == "pid" || key == "counters") continue;
        for (const ordered_json& bad :
             {ordered_json(), ordered_json("x"), ordered_json(-1), ordered_json::array()}) {
            if (bad.is_string() && value.is_string() && (key == "tun" || key == "control_socket"))
                continue; // any text is one
            if (bad.is_number() && key == "route_table") continue;
            INFO(key << " " << bad.dump());
            ordered_json changed = good;
            changed[key] = bad;
            CHECK_THROWS_AS(Legacy::from_json(changed), std::runtime_error);
        }
        ordered_json without = good;
        without.erase(key);
        CHECK_THROWS_WITH(Legacy::from_json(without),
                          Catch::Matchers::StartsWith("what the running daemon hands over: "));
    }
    ordered_json newer = good;
    newer["format"] = Legacy::format + 1;
    CHECK_THROWS_WITH(Legacy::from_json(newer),
                      Catch::Matchers::EndsWith("a stop and a start are needed"));
}

TEST_CASE("hand-over: the channel", "[handover]") {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    const HandoverChannel channel{FileDescriptor(ends[0])};
    {
        const FileDescriptor other(ends[1]);
        CHECK(!channel.receive(0ms));
        REQUIRE(::send(other.get(), "{\"a\":1}", 7, 0) == 7);
        REQUIRE(::send(other.get(), "{\"b\":", 5, 0) == 5);
        REQUIRE(::send(other.get(), "[]", 2, 0) == 2);
        CHECK(channel.receive(0ms).value().at("a") == 1);
        CHECK_THROWS_WITH(channel.receive(0ms), "the other process talks nonsense");
        CHECK_THROWS_WITH(channel.receive(0ms), "the other process talks nonsense");
        channel.send({{"bytes", "\xff"}});
    }
    CHECK_THROWS_AS(channel.receive(0ms), GoneError);
    CHECK_THROWS_AS(channel.send({}), std::system_error);
}

TEST_CASE("hand-over: counters go on", "[handover][counters]") {
    CHECK(sum(R"({"a":{"b":1,"c":2}})", R"({"a":{"b":5},"d":{"e":7}})") ==
          ordered_json::parse(R"({"a":{"b":6,"c":2},"d":{"e":7}})"));
    // Nonsense changes nothing.
    CHECK(sum(R"({"a":1,"b":{"c":2}})", R"({"a":{"x":1},"b":3,"c":"x","d":-1,"e":null})") ==
          ordered_json::parse(R"({"a":1,"b":{"c":2}})"));
    CHECK(sum(R"({"a":1})", "[1]") == ordered_json::parse(R"({"a":1})"));
    CHECK(sum(R"({"a":1})", "null") == ordered_json::parse(R"({"a":1})"));
}

TEST_CASE("hand-over: a carrier that is on stays on, and goes off as any other",
          "[handover][RT-28]") {
    Hysteresis h(2, 3, Hysteresis::State::on);
    CHECK(h.good() == Hysteresis::Action::none);
    CHECK(h.bad() == Hysteresis::Action::none);
    CHECK(h.bad() == Hysteresis::Action::carrier_off);
}
