// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/hooks.hpp"

#include "tests/unit/catch.hpp"
#include "tests/unit/temporary_directory.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <thread>

namespace xlat646 {

namespace {

using nlohmann::ordered_json;
using Event = Hooks::Event;

struct Quiet {
    Quiet() { spdlog::set_level(spdlog::level::off); }
    ~Quiet() { spdlog::set_level(spdlog::level::info); }
};

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

HooksConfig after_reload(std::vector<std::string> words, std::uint32_t limit = 60) {
    HooksConfig config;
    config.after_reload = std::move(words);
    config.time_limit = limit;
    return config;
}

/// The status of the only hook once it has run so often; a minute is only a safety net.
ordered_json wait_for(Hooks& hooks, unsigned runs) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (;;) {
        const ordered_json status = hooks.status().at(0);
        if (status.at("runs") >= runs && !status.at("running").get<bool>()) return status;
        REQUIRE(std::chrono::steady_clock::now() < end);
        pollfd event{hooks.descriptor(), POLLIN, 0};
        (void)::poll(&event, 1, hooks.wait_ms(1000));
        hooks.serve();
    }
}

ordered_json run(const HooksConfig& config) {
    const Quiet quiet;
    Hooks hooks(config, "/etc/x.yaml");
    CHECK(hooks.status().at(0).at("last").is_null());
    hooks.run(Event::after_reload);
    return wait_for(hooks, 1);
}

std::string said(const std::string& script) {
    return run(after_reload(shell(script))).at("last").at("said").get<std::string>();
}

} // namespace

TEST_CASE("hooks: good and bad ends are told apart", "[hooks]") {
    ordered_json s = run(after_reload(shell("echo fine; exit 0")));
    CHECK(s["failures"] == 0);
    CHECK(s["last"]["good"] == true);
    CHECK(s["last"]["said"] == "fine");
    s = run(after_reload(shell("echo a; echo b >&2; exit 3")));
    CHECK(s["failures"] == 1);
    CHECK(s["last"]["result"] == "exit status 3");
    CHECK(s["last"]["said"] == "b");
    CHECK(run(after_reload(shell("kill -9 $$")))["last"]["result"] == "ended by signal 9");
    s = run(after_reload({"/no/such/program"}));
    CHECK(s["failures"] == 1);
    CHECK(s["last"]["result"].get<std::string>().starts_with("cannot be started: "));
}

TEST_CASE("hooks: what a command finds", "[hooks]") {
    CHECK(said("echo $XLAT646_EVENT $XLAT646_CONFIG") == "after_reload /etc/x.yaml");
    // Of the daemon's descriptors none: an open TUN would outlive the daemon.
    const FileDescriptor open(::open("/dev/null", O_RDONLY));
    REQUIRE(open.get() >= 0);
    CHECK(said("for n in 3 4 5 6 7 8 9 10 11 12 13 14 15; do [ -e /proc/$$/fd/$n ] && printf "
               "'%s ' $n; done; echo end") == "end");
    CHECK(said("readlink /proc/$$/fd/0") == "/dev/null");
    // Words are words.
    CHECK(run(after_reload({"/bin/echo", "$HOME; true", "*"}))["last"]["said"] == "$HOME; true *");
    // No signal of the daemon's is blocked or ignored.
    sigset_t mask, before;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    REQUIRE(pthread_sigmask(SIG_BLOCK, &mask, &before) == 0);
    std::signal(SIGPIPE, SIG_IGN);
    const auto mask_of = [](const std::string& name) { // a shell would clear it
        const ordered_json s =
            run(after_reload({"/bin/sed", "-n", "s/^" + name + ":\\t//p", "/proc/self/status"}));
        return std::stoull(s.at("last").at("said").get<std::string>(), nullptr, 16);
    };
    const auto blocked = mask_of("SigBlk"), ignored = mask_of("SigIgn");
    std::signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    CHECK(blocked == 0);
    CHECK((ignored & (1u << (SIGPIPE - 1))) == 0);
}

TEST_CASE("hooks: hostile output", "[hooks]") {
    CHECK(said("printf 'a\\033[2Jb'") == "a?[2Jb");
    CHECK(said("head -c 100000 /dev/zero | tr '\\0' x").size() == 500);
    CHECK(said("yes | head -c 3000000; echo end") == "end");
}

TEST_CASE("hooks: a command that does not end is killed with its children", "[hooks]") {
    const TemporaryDirectory directory;
    const ordered_json s =
        run(after_reload(shell("sleep 1000 & echo $! > " + directory.at("pid") + "; wait"), 1));
    CHECK(s["failures"] == 1);
    CHECK(s["last"]["result"] == "killed after 1 s (hooks.time_limit)");
    std::string pid;
    std::ifstream(directory.at("pid")) >> pid;
    // Gone, or a zombie that its new parent has not reaped yet.
    std::string state;
    for (int tries = 0; tries < 1000 && state != "gone"; ++tries) {
        std::ifstream status("/proc/" + pid + "/stat");
        std::string word;
        state = status >> word >> word >> word ? word : "gone";
        if (state == "Z") state = "gone";
        if (state != "gone") std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CHECK(state == "gone");
}

TEST_CASE("hooks: a child that stays does not hold its hook", "[hooks]") {
    CHECK(run(after_reload(shell("sleep 3 & echo left")))["last"]["said"] == "left");
}

TEST_CASE("hooks: one at a time, and what is asked for meanwhile once more", "[hooks]") {
    const Quiet quiet;
    const TemporaryDirectory directory;
    const std::string go = directory.at("go");
    Hooks hooks(after_reload(shell("until [ -e " + go + " ]; do sleep 0.01; done")), "c");
    hooks.run(Event::after_start); // has no command
    for (int i = 0; i < 5; ++i)
        hooks.run(Event::after_reload);
    hooks.serve();
    CHECK(hooks.status().size() == 1);
    CHECK(hooks.status()[0]["running"] == true);
    CHECK(hooks.status()[0]["runs"] == 0);
    std::ofstream(go).put('x');
    CHECK(wait_for(hooks, 2)["runs"] == 2);
    CHECK(hooks.status()[0]["running"] == false);
    CHECK(hooks.wait_ms(1234) == 1234);
}

TEST_CASE("hooks: the daemon's end is theirs", "[hooks]") {
    const Quiet quiet;
    const TemporaryDirectory directory;
    const std::string file = directory.at("pid");
    {
        Hooks hooks(after_reload(shell("echo $$ > " + file + ".new; mv " + file + ".new " + file +
                                       "; exec sleep 1000")),
                    "c");
        hooks.run(Event::after_reload);
        while (!std::filesystem::exists(file))
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::string pid;
    std::ifstream(file) >> pid;
    CHECK_FALSE(std::filesystem::exists("/proc/" + pid));
}

} // namespace xlat646
