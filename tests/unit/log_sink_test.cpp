// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/catch.hpp"
#include "tests/unit/temporary_directory.hpp"
#include "translator/daemon/log_sink.hpp"
#include "translator/dataplane/tun.hpp"

#include <array>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace xlat646;

namespace {

struct Ends {
    FileDescriptor reader;
    FileDescriptor writer;
};

Ends make_pipe() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Ends make_socket() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::string read_all(int fd) {
    std::string all;
    std::array<char, 65536> bytes;
    REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    for (ssize_t got; (got = ::read(fd, bytes.data(), bytes.size())) > 0;)
        all.append(bytes.data(), static_cast<std::size_t>(got));
    return all;
}

void say(LogSink& sink, const std::string& text) {
    sink.log(spdlog::details::log_msg("test", spdlog::level::info, text));
    sink.flush();
}

/// More than the reader's end and the sink keep.
constexpr int many = 20'000;
std::string line(int number) { return "line " + std::to_string(number) + std::string(80, '.'); }

} // namespace

TEST_CASE("log: nobody waits for a reader, lines are lost whole and counted", "[log][RT-29]") {
    Ends ends = GENERATE(0, 1) == 0 ? make_pipe() : make_socket();
    LogSink sink(ends.writer.get());
    sink.set_pattern("%v");
    sink.stop_waiting();
    for (int i = 0; i < many; ++i)
        say(sink, line(i));
    CHECK((fcntl(ends.writer.get(), F_GETFL) & O_NONBLOCK) == 0); // others share it

    std::string heard;
    for (std::size_t before = 1; before != heard.size();) {
        before = heard.size();
        heard += read_all(ends.reader.get());
        sink.flush();
    }
    int told = 0;
    std::size_t at = 0;
    for (; heard.compare(at, 5, "line ") == 0; ++told) {
        const std::string wanted = line(told) + "\n";
        REQUIRE(heard.compare(at, wanted.size(), wanted) == 0);
        at += wanted.size();
    }
    CHECK(told > static_cast<int>(LogSink::most_kept / line(many).size()));
    CHECK(told < many);
    CHECK(heard.substr(at) ==
          std::to_string(many - told) + " lines of this log lost: nobody had read it\n");
    say(sink, "and on");
    CHECK(read_all(ends.reader.get()) == "and on\n");
}

TEST_CASE("log: a closed one is no matter", "[log]") {
    Ends ends = make_socket();
    LogSink sink(ends.writer.get());
    sink.stop_waiting();
    ends.reader = FileDescriptor();
    say(sink, "x");
    ends.writer = FileDescriptor();
    say(sink, "y");
}

TEST_CASE("log: a file grows at its end, whoever writes", "[log]") {
    const TemporaryDirectory directory;
    const FileDescriptor file(
        ::open(directory.at("log").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    REQUIRE(file.get() >= 0);
    LogSink sink(file.get());
    sink.set_pattern("%v");
    sink.stop_waiting();
    say(sink, "one");
    REQUIRE(::write(file.get(), "two\n", 4) == 4);
    say(sink, "three");
    REQUIRE(lseek(file.get(), 0, SEEK_SET) == 0);
    CHECK(read_all(file.get()) == "one\ntwo\nthree\n");
}
