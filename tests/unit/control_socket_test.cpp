// SPDX-License-Identifier: BSD-2-Clause
//
// The control socket with real clients, in one thread.
#include "translator/daemon/control_socket.hpp"

#include "tests/unit/temporary_directory.hpp"
#include "tests/unit/unix_client.hpp"

#include <filesystem>
#include <poll.h>
#include <stdexcept>
#include <vector>

namespace xlat646 {

namespace {

const std::string status_line = request_line({});
constexpr const char* good = "{\"status\":1}\n";

class Bench {
  public:
    Bench()
        : socket_(directory_.at("control.sock"),
                  [this](const ControlRequest& request, FileDescriptor& socket) {
                      requests.push_back(request);
                      if (takes_socket) taken = std::move(socket);
                      if (answer.empty()) throw std::runtime_error("no idea");
                      return answer;
                  }) {}

    UnixClient connect() const { return UnixClient(directory_.at("control.sock")); }
    /// As the supervisor does, once.
    void turn(int wait_ms = 0) {
        pollfd event{socket_.descriptor(), POLLIN, 0};
        (void)::poll(&event, 1, wait_ms == 0 ? 0 : socket_.wait_ms(wait_ms));
        socket_.serve();
    }
    /// Whether there is something to do at once.
    bool is_ready() const {
        pollfd event{socket_.descriptor(), POLLIN, 0};
        return ::poll(&event, 1, 0) > 0;
    }
    /// Until the client has been answered. Every turn moves something.
    const std::string& finish(UnixClient& client) {
        while (!client.receive())
            turn(100);
        return client.text();
    }
    const std::string& ask(UnixClient& client, std::string_view text) {
        client.send(text);
        return finish(client);
    }

    std::string answer = good;
    std::vector<ControlRequest> requests;
    bool takes_socket = false;
    FileDescriptor taken;

  private:
    TemporaryDirectory directory_;
    ControlSocket socket_;
};

std::size_t open_descriptors() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                      std::filesystem::directory_iterator()));
}

} // namespace

TEST_CASE("control socket: one request, one answer, the end", "[control]") {
    Bench bench;
    UnixClient one = bench.connect();
    CHECK(bench.ask(one, status_line) == good);
    UnixClient two = bench.connect();
    CHECK(bench.ask(two, request_line({ControlRequest::Command::reload, true}) + status_line) ==
          good);
    REQUIRE(bench.requests.size() == 2);
    CHECK(bench.requests[0] == ControlRequest{});
    CHECK(bench.requests[1] == ControlRequest{ControlRequest::Command::reload, true});
}

TEST_CASE("control socket: who answers may keep the client", "[control]") {
    Bench bench;
    bench.takes_socket = true;
    {
        UnixClient client = bench.connect();
        client.send(status_line);
        while (bench.taken.get() < 0)
            bench.turn(100);
        bench.turn();
        CHECK_FALSE(client.receive()); // neither answered nor closed
        client.end();
        CHECK_FALSE(bench.is_ready()); // and nobody looks at it any more
        bench.taken = {};
        CHECK(bench.finish(client).empty());
    }
    bench.takes_socket = false;
    UnixClient next = bench.connect();
    CHECK(bench.ask(next, status_line) == good);
}

TEST_CASE("control socket: a request in pieces", "[control]") {
    Bench bench;
    UnixClient client = bench.connect();
    for (const char c : status_line) {
        CHECK_FALSE(client.receive());
        CHECK(bench.requests.empty());
        client.send({&c, 1});
        bench.turn();
        bench.turn(); // the first turn may only accept
    }
    CHECK(bench.finish(client) == good);
}

TEST_CASE("control socket: bad requests are answered, too", "[control]") {
    Bench bench;
    UnixClient garbage = bench.connect();
    CHECK(bench.ask(garbage, "\xff\x01garbage\n") == "{\"error\":\"the request is not JSON\"}\n");
    UnixClient half = bench.connect();
    half.send("{\"command\"");
    half.end();
    CHECK(bench.finish(half) == "{\"error\":\"the request has no newline\"}\n");
    UnixClient endless = bench.connect();
    CHECK(bench.ask(endless, std::string(100000, 'x')) ==
          "{\"error\":\"the request is too long\"}\n");
    { UnixClient gone = bench.connect(); }
    bench.answer.clear();
    UnixClient unlucky = bench.connect();
    CHECK(bench.ask(unlucky, status_line) == "{\"error\":\"internal: no idea\"}\n");
    CHECK(bench.requests.size() == 1);
}

TEST_CASE("control socket: who does not read loses the rest of the answer", "[control]") {
    Bench bench;
    bench.answer = std::string(8 << 20, 'a'); // more than any socket buffer
    UnixClient slow = bench.connect();
    slow.send(status_line);
    while (bench.requests.empty())
        bench.turn(100);
    // By now the server is through with it; the client has what fitted.
    UnixClient next = bench.connect();
    bench.answer = good;
    CHECK(bench.ask(next, status_line) == good);
    CHECK(slow.receive());
    CHECK_FALSE(slow.text().empty());
    CHECK(slow.text().size() < (8u << 20));
}

TEST_CASE("control socket: silent clients hold up others for a moment only", "[control]") {
    Bench bench;
    const std::size_t before = open_descriptors();
    std::vector<UnixClient> silent;
    for (std::size_t i = 0; i < ControlSocket::most_connections + 8; ++i)
        silent.push_back(bench.connect());
    UnixClient last = bench.connect();
    last.send(status_line);
    for (int i = 0; i < 100; ++i)
        bench.turn();
    CHECK(open_descriptors() == before + silent.size() + 1 + ControlSocket::most_connections);
    CHECK_FALSE(last.receive());
    CHECK_FALSE(bench.is_ready()); // those who wait do not keep the loop awake
    // The silent ones run into their deadline.
    CHECK(bench.finish(last) == good);
    for (std::size_t i = 0; i < ControlSocket::most_connections; ++i) {
        CHECK(silent[i].receive());
        CHECK(silent[i].text().empty());
    }
    silent.clear();
    for (int i = 0; i < 100; ++i)
        bench.turn();
    CHECK(open_descriptors() == before + 1);
}

TEST_CASE("control socket: it waits as long as its clients may", "[control]") {
    const TemporaryDirectory directory;
    ControlSocket socket(directory.at("control.sock"),
                         [](const ControlRequest&, FileDescriptor&) { return std::string(good); });
    CHECK(socket.wait_ms(5000) == 5000);
    UnixClient client(directory.at("control.sock"));
    socket.serve();
    CHECK(socket.wait_ms(5000) <= 1000);
    CHECK(socket.wait_ms(1) <= 1);
}

} // namespace xlat646
