// SPDX-License-Identifier: BSD-2-Clause
#include "udp_load.hpp"

#include <arpa/inet.h>
#include <boost/program_options.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>
#include <time.h>

namespace xlat646::udp_load {

double now() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void set_option(int fd, int level, int name, int value, const char* what) {
    if (setsockopt(fd, level, name, &value, sizeof value) != 0) fail(what);
}

bool is_ipv4(const in6_addr& address) { return IN6_IS_ADDR_V4MAPPED(&address); }

in6_addr parse_address(const std::string& text) {
    in6_addr address{};
    const bool v6 = text.find(':') != std::string::npos;
    if (inet_pton(AF_INET6, (v6 ? text : "::ffff:" + text).c_str(), &address) != 1)
        throw std::invalid_argument("not an address: " + text);
    return address;
}

} // namespace xlat646::udp_load

namespace po = boost::program_options;
using namespace xlat646::udp_load;

namespace {

constexpr int usage_error = 64;
constexpr int software_error = 70;

void check(bool right, const char* message) {
    if (!right) throw std::invalid_argument(message);
}

int run(int argc, char** argv) {
    SendOptions send_options;
    ReceiveOptions receive_options;
    std::string role;
    std::string to;
    std::string from = "::";
    po::options_description options("udp_load send|receive");
    auto add = options.add_options();
    add("help", "this text");
    add("role", po::value(&role)->required(), "send or receive");
    add("to", po::value(&to), "send: address of the receiver");
    add("targets", po::value(&send_options.targets), "send: to random ones of that many addresses");
    add("from", po::value(&from), "send: first IPv6 source address");
    add("sources", po::value(&send_options.sources), "send: random ones of that many sources");
    add("port", po::value(&send_options.port)->required(), "UDP port");
    add("size", po::value(&send_options.size), "bytes of payload of one datagram");
    add("segments", po::value(&send_options.segments), "send: datagrams per call (UDP_SEGMENT)");
    add("rate", po::value(&send_options.rate), "send: datagrams per second; 0: as fast as it goes");
    add("seconds", po::value(&send_options.seconds), "send: for how long");
    add("precedence", po::bool_switch(&send_options.precedence), "send: with real-time priority");
    add("tag", po::value(&send_options.tag)->required(), "number of the run");
    add("ipv6", po::bool_switch(&receive_options.ipv6), "receive: IPv6");
    add("merged", po::bool_switch(&receive_options.merged), "receive: with UDP_GRO");
    po::positional_options_description positional;
    positional.add("role", 1);
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(options).positional(positional).run(),
              values);
    if (values.count("help") != 0) {
        std::cout << options;
        return 0;
    }
    po::notify(values);

    check(send_options.size >= sizeof(send_options.tag) && send_options.size <= 65507,
          "--size must be 8 to 65507");
    check(send_options.segments >= 1 && send_options.segments * send_options.size <= 65507,
          "--segments times --size must fit one IP packet");
    check(send_options.targets >= 1, "--targets must be 1 or more");
    check(send_options.rate >= 0 && send_options.seconds > 0, "--rate and --seconds are positive");
    if (role == "send") {
        send_options.to = parse_address(to);
        send_options.from = parse_address(from);
        check(send_options.sources == 0 || !is_ipv4(send_options.to), "--sources is for IPv6");
        send(send_options);
    } else if (role == "receive") {
        receive_options.port = send_options.port;
        receive_options.size = send_options.size;
        receive_options.tag = send_options.tag;
        receive(receive_options);
    } else {
        throw std::invalid_argument("neither send nor receive: " + role);
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const po::error& error) {
        std::cerr << "udp_load: " << error.what() << '\n';
        return usage_error;
    } catch (const std::invalid_argument& error) {
        std::cerr << "udp_load: " << error.what() << '\n';
        return usage_error;
    } catch (const std::exception& error) {
        std::cerr << "udp_load: " << error.what() << '\n';
        return software_error;
    }
}
