// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/bird_control.hpp"

#include "tests/unit/temporary_directory.hpp"
#include "tests/unit/unix_client.hpp"

#include <poll.h>

namespace xlat646 {

namespace {

using Kind = BirdReply::Kind;

constexpr const char* greeting = "0001 BIRD 2.0.12 ready.\n";

/// Plays BIRD's side of one connection.
class FakeBird {
  public:
    FakeBird() : listener_(bind_unix(path(), true)) {}
    std::string path() const { return directory_.at("ctl"); }
    void accept() {
        socket_ = FileDescriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        REQUIRE(socket_.get() >= 0);
    }
    void say(const std::string& text) const {
        REQUIRE(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
    }
    std::string heard() const {
        std::array<char, 256> bytes;
        const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
    }
    void hang_up() { socket_ = {}; }

  private:
    TemporaryDirectory directory_;
    FileDescriptor listener_;
    FileDescriptor socket_;
};

BirdReply reply_to(const std::string& text) {
    FakeBird bird;
    BirdRequest request(bird.path(), bird_configure, std::chrono::seconds(60));
    bird.accept();
    bird.say(greeting);
    request.serve();
    REQUIRE(bird.heard() == "configure\n");
    bird.say(text);
    bird.hang_up();
    request.serve();
    REQUIRE(request.is_done());
    CHECK(request.descriptor() == -1);
    return request.reply();
}

} // namespace

TEST_CASE("BIRD: what it says to configure (RT-22, RT-23)", "[bird]") {
    BirdReply r = reply_to("0002-Reading configuration from /etc/bird/bird.conf\n"
                           "0003 Reconfigured\n");
    CHECK(r.kind == Kind::done);
    CHECK(r.code == 3);
    CHECK(r.text == "Reading configuration from /etc/bird/bird.conf; Reconfigured");
    CHECK(reply_to("0004 Reconfiguration in progress\n").kind == Kind::done);
    CHECK(reply_to("0005 Reconfiguration already in progress, queueing\n").kind == Kind::done);
    CHECK(reply_to("0006 Reconfiguration ignored, shutting down\n").kind == Kind::absent);
    r = reply_to("0002-Reading configuration from b\n8002 b:3:1 syntax error\n");
    CHECK(r.kind == Kind::refused);
    CHECK(r.code == bird_configuration_error);
    CHECK(reply_to("9001 syntax error, unexpected CF_SYM_UNDEFINED\n").kind == Kind::refused);
    CHECK(reply_to("0009-xlat646_v4: disabled\n xlat646_v6: disabled\n0000 \n").text ==
          "xlat646_v4: disabled; xlat646_v6: disabled");
}

TEST_CASE("BIRD: nothing in an answer moves a cursor, or has no end", "[bird]") {
    CHECK(reply_to("0003 \x1b[2J\n").text == "?[2J");
    CHECK(reply_to("0003").kind == Kind::failed); // hung up within the line
    CHECK(reply_to("").kind == Kind::failed);
    CHECK(reply_to("\n12\nabcd efgh\n0003 x\n").kind == Kind::done);
    CHECK(reply_to(std::string(5000, 'x')).text.ends_with("a line has no end"));
    std::string lines;
    for (int i = 0; i < 1000; ++i)
        lines += "0002-0123456789\n";
    CHECK(reply_to(lines + "0003 \n").text.size() < 2000);
}

TEST_CASE("BIRD: a reply in pieces", "[bird]") {
    FakeBird bird;
    BirdRequest request(bird.path(), "x", std::chrono::seconds(60));
    bird.accept();
    const std::string all = greeting + std::string("0002-a\n0003 b\n");
    for (const char c : all) {
        CHECK_FALSE(request.is_done());
        bird.say(std::string(1, c));
        request.serve();
    }
    CHECK(request.reply().kind == Kind::done);
    CHECK(request.reply().text == "a; b");
}

TEST_CASE("BIRD: not there, not allowed, not answering", "[bird]") {
    using std::chrono::milliseconds;
    const TemporaryDirectory directory;
    BirdReply r = ask_bird(directory.at("ctl"), "x", milliseconds(1000));
    CHECK(r.kind == Kind::absent);
    CHECK(r.text.ends_with("ctl: BIRD does not run"));
    bind_unix(directory.at("dead"), false);
    CHECK(ask_bird(directory.at("dead"), "x", milliseconds(1000)).kind == Kind::absent);
    CHECK(ask_bird(directory.at(std::string(200, 'x')), "x", milliseconds(1000))
              .text.ends_with("the path is too long"));
    FakeBird silent;
    r = ask_bird(silent.path(), "x", milliseconds(20));
    CHECK(r.kind == Kind::failed);
    CHECK(r.text.ends_with("BIRD does not answer"));
}

} // namespace xlat646
