// SPDX-License-Identifier: BSD-2-Clause
//
// Where the program is hooked in, beside whom, and what a crash leaves behind.
#include "tests/fastpath/private_net.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/catch.hpp"
#include "translator/fastpath/fastpath.hpp"

#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

using namespace xlat646;
using namespace xlat646::test;

namespace {

const std::string theirs = " bpf bytecode '1,6 0 0 4294967295'";

Settings some_settings() { return make_config(nlohmann::json::object()).settings; }

std::string filters() { return shell("tc filter show dev port ingress"); }
bool is_there(const std::string& text) { return filters().find(text) != std::string::npos; }

int error_of(Fastpath& fastpath, const std::string& interface, FastpathHook hook) {
    try {
        fastpath.attach(interface, hook);
    } catch (const std::system_error& e) {
        return e.code().value();
    }
    return 0;
}

/// What a process leaves that dies without a word.
void crash_with_filter() {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto* const fastpath = new Fastpath(some_settings());
        fastpath->attach("port", FastpathHook::clsact);
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    REQUIRE(status == 0);
    REQUIRE(is_there("xlat646_ether"));
}

} // namespace

TEST_CASE("fast path: clsact and tcx come and go", "[fastpath]") {
    const PrivateNet net;
    shell("ip link add name port type veth peer name far && ip link set port up");
    {
        Fastpath fastpath(some_settings());
        CHECK(fastpath.attach("port", FastpathHook::clsact) == FastpathHook::clsact);
        CHECK(is_there("pref 646 bpf"));
        CHECK(is_there("xlat646_ether"));
        fastpath.detach_all();
        CHECK(filters().empty());
        fastpath.attach("port", FastpathHook::clsact);
    }
    CHECK(filters().empty());
    Fastpath fastpath(some_settings());
    if (error_of(fastpath, "port", FastpathHook::tcx) != 0)
        WARN("this kernel has no tcx"); // before Linux 6.6
    else
        CHECK(filters().empty());
}

TEST_CASE("fast path: a filter of a previous life is replaced", "[fastpath]") {
    const PrivateNet net;
    shell("ip link add name port type veth peer name far && ip link set port up");
    crash_with_filter();
    const std::string old = filters();
    {
        Fastpath fastpath(some_settings());
        fastpath.attach("port", FastpathHook::clsact);
        CHECK(is_there("xlat646_ether"));
        CHECK(filters() != old); // another program's number
    }
    CHECK(filters().empty());

    crash_with_filter();
    Fastpath fastpath(some_settings());
    if (fastpath.attach("port") == FastpathHook::tcx) CHECK(filters().empty());
}

TEST_CASE("fast path: a living daemon keeps its place", "[fastpath]") {
    const PrivateNet net;
    shell("ip link add name port type veth peer name far && ip link set port up");
    const GoldenConfig config = make_config(nlohmann::json::object());
    auto first = std::make_unique<Fastpath>(config.settings);
    first->prepare(*config.table);
    first->flip();
    first->attach("port", FastpathHook::clsact);
    const std::string before = filters();
    Fastpath second(config.settings);
    CHECK(error_of(second, "port", FastpathHook::clsact) == EBUSY);
    CHECK(filters() == before);
    if (error_of(second, "port", FastpathHook::tcx) == 0) { // beside it
        CHECK(filters() == before);
        second.detach("port");
    }
    // Its permission has ended: the place is free, and what is there now is not the first one's.
    first->pause();
    CHECK(error_of(second, "port", FastpathHook::clsact) == 0);
    CHECK(!first->is_attached("port"));
    CHECK(second.is_attached("port"));
    first.reset();
    CHECK(is_there("xlat646_ether"));
    CHECK(second.is_attached("port"));
}

TEST_CASE("fast path: notices that it is not attached any more", "[fastpath]") {
    const PrivateNet net;
    Fastpath fastpath(some_settings());
    CHECK(!fastpath.is_attached("port"));
    const auto add = [] { shell("ip link add name port type veth peer name far"); };
    for (const FastpathHook hook : {FastpathHook::clsact, FastpathHook::best}) {
        add();
        const FastpathHook got = fastpath.attach("port", hook); // the interface is down
        CHECK(fastpath.is_attached("port"));
        shell("ip link set port name other");
        CHECK(!fastpath.is_attached("port"));
        fastpath.detach("port");
        CHECK(shell("tc filter show dev other ingress").empty());

        fastpath.attach("other", hook);
        shell("ip link add name away type veth peer name gone"); // numbers are taken
        shell("ip link del other");
        CHECK(!fastpath.is_attached("other"));
        add();
        CHECK(fastpath.attach("port", hook) == got);
        CHECK(fastpath.is_attached("port"));
        if (got == FastpathHook::clsact) {
            shell("tc qdisc del dev port clsact");
            CHECK(!fastpath.is_attached("port"));
            fastpath.attach("port", hook);
            CHECK(is_there("xlat646_ether"));
        }
        shell("ip link del port && ip link del away");
        CHECK(!fastpath.is_attached("port"));
    }
}

TEST_CASE("fast path: an interface that goes to another namespace leaves it", "[fastpath]") {
    const PrivateNet net;
    const std::string name = "x46-" + std::to_string(::getpid()) + "-away-port";
    shell("ip netns add " + name);
    shell("ip link add name port type veth peer name far");
    Fastpath fastpath(some_settings());
    for (const FastpathHook hook : {FastpathHook::clsact, FastpathHook::best}) {
        fastpath.attach("port", hook);
        shell("ip link set port netns " + name);
        CHECK(!fastpath.is_attached("port"));
        fastpath.detach("port");
        shell("ip -n " + name + " link set port netns " + std::to_string(::gettid()));
        CHECK(!fastpath.is_attached("port"));
        fastpath.attach("port", hook);
        CHECK(fastpath.is_attached("port"));
        fastpath.detach_all();
    }
    shell("ip netns del " + name);
}

TEST_CASE("fast path: somebody else's filter stays", "[fastpath]") {
    const PrivateNet net;
    shell("ip link add name port type veth peer name far && ip link set port up");
    shell("tc qdisc add dev port clsact && tc filter add dev port ingress prio 1" + theirs);
    {
        Fastpath fastpath(some_settings());
        fastpath.attach("port", FastpathHook::clsact);
        CHECK(is_there("pref 1 bpf"));
        CHECK(is_there("pref 646 bpf"));
    }
    CHECK(is_there("pref 1 bpf"));
    CHECK(!is_there("pref 646 bpf"));

    shell("tc filter add dev port ingress prio 646 handle 1" + theirs);
    const std::string before = filters();
    {
        Fastpath fastpath(some_settings());
        CHECK(error_of(fastpath, "port", FastpathHook::clsact) == EEXIST);
        CHECK(filters() == before);
    }
    CHECK(filters() == before);
}

TEST_CASE("fast path: interfaces it cannot serve", "[fastpath]") {
    const PrivateNet net;
    Fastpath fastpath(some_settings());
    CHECK(error_of(fastpath, "nosuch", FastpathHook::best) == ENODEV);
    CHECK(error_of(fastpath, "lo", FastpathHook::best) == EOPNOTSUPP);
}
