// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/hooks.hpp"

#include "translator/daemon/capabilities.hpp"
#include "translator/daemon/log.hpp"
#include "translator/daemon/status_report.hpp"
#include "translator/daemon/word_pointers.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <future>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr std::size_t longest_line = 500;
constexpr unsigned most_lines = 100; ///< of one run in the log

std::system_error failure(int error, const std::string& what) {
    return {error, std::generic_category(), what};
}

std::string printable(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

/// Nice value and capabilities belong to threads; programs get them from the one that starts them.
void become_ordinary() {
    const auto self = static_cast<id_t>(::gettid());
    if (::getpriority(PRIO_PROCESS, self) < 0) (void)::setpriority(PRIO_PROCESS, self, 0);
    keep_capabilities_from_programs();
}

/// The child's own session, and with it its process group and the kernel's autogroup; default
/// signals, no descriptor but the three of every program.
pid_t spawn_with(const std::vector<std::string>& words, const std::vector<std::string>& environment,
                 int output) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, words[0].c_str(), &files, &attributes,
                                  pointers_to(words).data(), pointers_to(environment).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw failure(error, words[0]);
    return pid;
}

pid_t spawn_ordinary(const std::vector<std::string>& words,
                     const std::vector<std::string>& environment, int output) {
    return std::async(std::launch::async,
                      [&] {
                          become_ordinary();
                          return spawn_with(words, environment, output);
                      })
        .get();
}

std::string result_of(const siginfo_t& info) {
    if (info.si_code != CLD_EXITED) return "ended by signal " + std::to_string(info.si_status);
    return info.si_status == 0 ? "" : "exit status " + std::to_string(info.si_status);
}

} // namespace

Hooks::Hooks(const HooksConfig& config, const std::string& config_path)
    : hooks_{Hook{"after_start", config.after_start}, Hook{"after_reload", config.after_reload}},
      config_path_(config_path), time_limit_(config.time_limit),
      events_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (events_.get() < 0) throw failure(errno, "hooks: epoll");
}

Hooks::~Hooks() {
    if (!running_) return;
    ::kill(-running_->pid, SIGKILL);
    ::waitpid(running_->pid, nullptr, 0);
    log_warning("hook {}: killed, the daemon stops", running_->hook->name);
}

void Hooks::run(Event event) {
    Hook& hook = hooks_[static_cast<std::size_t>(event)];
    if (hook.words.empty()) return;
    hook.is_wanted = true;
    start_next();
}

void Hooks::start_next() {
    for (Hook& hook : hooks_)
        if (hook.is_wanted && !running_) start(hook);
}

void Hooks::start(Hook& hook) {
    hook.is_wanted = false;
    hook.last_line.clear();
    try {
        spawn(hook);
    } catch (const std::system_error& e) {
        record(hook, std::string("cannot be started: ") + e.what());
    }
}

void Hooks::spawn(Hook& hook) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) throw failure(errno, "pipe");
    FileDescriptor output(ends[0]);
    const FileDescriptor input(ends[1]);
    // A program may expect that writing waits.
    (void)::fcntl(input.get(), F_SETFL, 0);
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable)
        environment.emplace_back(*variable);
    environment.push_back("XLAT646_CONFIG=" + config_path_);
    environment.push_back(std::string("XLAT646_EVENT=") + hook.name);
    const pid_t pid = spawn_ordinary(hook.words, environment, input.get());
    // glibc 2.36 declares pidfd_open() for C alone.
    FileDescriptor exit(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    epoll_event event{};
    event.events = EPOLLIN;
    if (exit.get() < 0 || ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, exit.get(), &event) != 0 ||
        ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, output.get(), &event) != 0) {
        const int error = errno;
        ::kill(-pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        throw failure(error, "pidfd");
    }
    log_info("hook {}: {} started, process {}", hook.name, printable(hook.words[0]), pid);
    running_.emplace(Running{
        &hook, pid, std::move(exit), std::move(output), Clock::now() + time_limit_, false, {}, 0});
}

int Hooks::wait_ms(int most) const {
    if (!running_ || running_->is_late) return most;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(running_->deadline - Clock::now());
    return static_cast<int>(std::clamp<long>(left.count(), 0, most));
}

void Hooks::serve() {
    if (!running_) return;
    read_output();
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(running_->pid), &info, WEXITED | WNOHANG) == 0 &&
        info.si_pid == running_->pid) {
        read_output(); // what was written since
        if (!running_->line.empty()) say(std::move(running_->line));
        const bool is_late = running_->is_late;
        end(is_late
                ? "killed after " + std::to_string(time_limit_.count()) + " s (hooks.time_limit)"
                : result_of(info));
        start_next();
    } else if (!running_->is_late && Clock::now() >= running_->deadline) {
        running_->is_late = true;
        ::kill(-running_->pid, SIGKILL);
    }
}

void Hooks::read_output() {
    std::array<char, 4096> bytes;
    // Not for ever: a hook that says "yes" without end must not hold the supervisor.
    for (int rounds = 0; rounds < 16; ++rounds) {
        if (running_->output.get() < 0) return;
        const ssize_t got = ::read(running_->output.get(), bytes.data(), bytes.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) { // all writers have gone; epoll forgets a closed descriptor
            running_->output = {};
            return;
        }
        for (const char c : std::string_view(bytes.data(), static_cast<std::size_t>(got))) {
            if (c == '\n')
                say(std::exchange(running_->line, {}));
            else if (running_->line.size() < longest_line)
                running_->line += c;
        }
    }
}

void Hooks::say(std::string line) {
    line = printable(std::move(line));
    Hook& hook = *running_->hook;
    if (++running_->lines <= most_lines) log_info("hook {}: {}", hook.name, line);
    if (running_->lines == most_lines + 1)
        log_info("hook {}: more lines follow and are left out", hook.name);
    if (!line.empty()) hook.last_line = std::move(line);
}

void Hooks::end(const std::string& result) {
    Hook& hook = *running_->hook;
    running_.reset();
    record(hook, result);
}

void Hooks::record(Hook& hook, const std::string& result) {
    ++hook.runs;
    hook.ended_at = std::chrono::system_clock::now();
    hook.result = result;
    if (hook.result.empty()) {
        log_info("hook {}: done", hook.name);
        return;
    }
    ++hook.failures;
    log_error("hook {} FAILED: {}", hook.name, hook.result);
}

nlohmann::ordered_json Hooks::status() const {
    using nlohmann::ordered_json;
    using std::chrono::duration_cast, std::chrono::seconds;
    ordered_json out = ordered_json::array();
    for (const Hook& hook : hooks_) {
        if (hook.words.empty()) continue;
        ordered_json entry = {{"event", hook.name},
                              {"command", hook.words},
                              {"running", running_ && running_->hook == &hook},
                              {"runs", hook.runs},
                              {"failures", hook.failures},
                              {"last", nullptr}};
        if (hook.runs != 0)
            entry["last"] = {
                {"good", hook.result.empty()},
                {"result", hook.result},
                {"said", hook.last_line},
                {"at", utc_text(hook.ended_at)},
                {"seconds_ago",
                 duration_cast<seconds>(std::chrono::system_clock::now() - hook.ended_at).count()}};
        out.push_back(std::move(entry));
    }
    return out;
}

} // namespace xlat646
