// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/handover.hpp"

#include "translator/daemon/word_pointers.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace xlat646 {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr const char* marker = "XLAT646_HANDOVER";
constexpr std::string_view queue_name = "tun", control_name = "control", lock_name = "lock",
                           statistics_name = "statistics", channel_name = "channel";
constexpr int first_descriptor = 3; // SD_LISTEN_FDS_START
constexpr std::size_t largest_message = std::size_t{128} * 1024;
constexpr std::chrono::seconds last_words{10};

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

std::string hex(const ProbePair::Token& token) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : token) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

ProbePair::Token token_of(const std::string& text) {
    ProbePair::Token token{};
    if (text.size() != 2 * token.size() ||
        text.find_first_not_of("0123456789abcdef") != std::string::npos)
        throw std::runtime_error("the token is no token");
    for (std::size_t i = 0; i < token.size(); ++i)
        token[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
    return token;
}

/// Without what is meant for this process alone.
std::vector<std::string> environment_of_successor(const std::vector<std::string>& added) {
    constexpr std::array ours = {std::string_view("LISTEN_"), std::string_view("WATCHDOG_PID="),
                                 std::string_view("XLAT646_HANDOVER=")};
    std::vector<std::string> out;
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (std::none_of(ours.begin(), ours.end(), [&](std::string_view name) {
                return std::string_view(*variable).starts_with(name);
            }))
            out.emplace_back(*variable);
    out.insert(out.end(), added.begin(), added.end());
    return out;
}

/// Descriptors by name, in the order in which the successor finds them.
using Named = std::vector<std::pair<std::string_view, int>>;

pid_t spawn(const CommandLine& command, const Named& passed) {
    std::string names;
    std::vector<FileDescriptor> copies; // beyond all places of the successor
    const auto count = static_cast<int>(passed.size());
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    for (const auto& [name, descriptor] : passed) {
        FileDescriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, first_descriptor + count));
        if (copy.get() < 0) fail(errno, "cannot copy a descriptor");
        posix_spawn_file_actions_adddup2(&files, copy.get(),
                                         first_descriptor + static_cast<int>(copies.size()));
        copies.push_back(std::move(copy));
        names += (names.empty() ? "" : ":") + std::string(name);
    }
    const auto environment =
        environment_of_successor({std::string(marker) + "=1", "LISTEN_FDS=" + std::to_string(count),
                                  "LISTEN_FDNAMES=" + names});
    pid_t pid = -1;
    const int error =
        posix_spawn(&pid, command.program.c_str(), &files, nullptr,
                    pointers_to(command.arguments).data(), pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) fail(error, "cannot start " + command.program);
    return pid;
}

} // namespace

CommandLine CommandLine::of(int argc, char** argv) {
    CommandLine out;
    std::array<char, 4096> path;
    const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
    if (length > 0) out.program.assign(path.data(), static_cast<std::size_t>(length));
    out.arguments.assign(argv, argv + argc);
    return out;
}

void HandoverChannel::send(const ordered_json& document) const {
    const std::string text = document.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    if (::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(text.size()))
        fail(errno, "hand-over: cannot send");
}

std::optional<ordered_json> HandoverChannel::receive(milliseconds wait) const {
    pollfd event = {socket_.get(), POLLIN, 0};
    if (::poll(&event, 1, static_cast<int>(wait.count())) <= 0) return std::nullopt;
    std::vector<char> bytes(largest_message);
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) return std::nullopt;
    if (got <= 0) throw GoneError("the other process has gone");
    auto document = ordered_json::parse(bytes.data(), bytes.data() + got, nullptr, false);
    if (!document.is_object()) throw std::runtime_error("the other process talks nonsense");
    return document;
}

ordered_json Legacy::to_json() const {
    return {{"format", format},
            {"pid", ::getpid()},
            {"tun", tun},
            {"offload", offload},
            {"route_table", route_table},
            {"control_socket", control_socket},
            {"made_directory", made_directory},
            {"is_ready", is_ready},
            {"token", hex(token)},
            {"probe_server", probe_server.to_string()},
            {"counters", counters}};
}

Legacy Legacy::from_json(const ordered_json& d) {
    Legacy out;
    try {
        if (d.at("format").get<int>() != format)
            throw std::runtime_error("it speaks another language: a stop and a start are needed");
        d.at("tun").get_to(out.tun);
        d.at("offload").get_to(out.offload);
        d.at("route_table").get_to(out.route_table);
        d.at("control_socket").get_to(out.control_socket);
        d.at("made_directory").get_to(out.made_directory);
        d.at("is_ready").get_to(out.is_ready);
        out.token = token_of(d.at("token").get<std::string>());
        const auto server = Ipv6Address::parse(d.at("probe_server").get<std::string>());
        if (!server) throw std::runtime_error("the probe's address is no address");
        out.probe_server = *server;
        out.counters = d.at("counters");
    } catch (const std::exception& e) {
        throw std::runtime_error(std::string("what the running daemon hands over: ") + e.what());
    }
    return out;
}

Successor::Successor(const CommandLine& command, const Descriptors& descriptors,
                     const Legacy& legacy) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        fail(errno, "no socket");
    channel_.emplace(FileDescriptor(ends[0]));
    const FileDescriptor theirs(ends[1]);
    Named passed;
    for (const int queue : descriptors.queues)
        passed.emplace_back(queue_name, queue);
    if (descriptors.control >= 0) {
        passed.emplace_back(control_name, descriptors.control);
        passed.emplace_back(lock_name, descriptors.control_lock);
    }
    if (descriptors.statistics >= 0) passed.emplace_back(statistics_name, descriptors.statistics);
    passed.emplace_back(channel_name, theirs.get());
    channel_->send(legacy.to_json());
    pid_ = spawn(command, passed);
}

Successor::~Successor() {
    if (pid_ < 0 || !is_ours_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

std::string Successor::how_it_ended() {
    constexpr int tries = 100, each_ms = 10;
    siginfo_t info{};
    const auto wait = [&](int options) {
        while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | options) != 0 &&
               errno == EINTR) {
        }
        return info.si_pid == pid_;
    };
    for (int i = 0; i < tries && !wait(WNOHANG); ++i)
        (void)::poll(nullptr, 0, each_ms);
    if (info.si_pid != pid_) { // it has closed the channel, and is of no use
        ::kill(pid_, SIGKILL);
        wait(0);
    }
    pid_ = -1;
    return (info.si_code == CLD_EXITED ? "it ended with status " : "it was ended by signal ") +
           std::to_string(info.si_status);
}

std::optional<Inheritance> Inheritance::from_environment() {
    if (std::getenv(marker) == nullptr) return std::nullopt;
    // Who spawns cannot know the process id before.
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    char** names = nullptr;
    const int count = sd_listen_fds_with_names(1, &names);
    ::unsetenv(marker);
    std::vector<std::pair<std::string, FileDescriptor>> passed;
    for (int i = 0; i < count; ++i) {
        passed.emplace_back(names[i], FileDescriptor(first_descriptor + i));
        std::free(names[i]);
    }
    std::free(names);
    const auto channel = std::find_if(passed.begin(), passed.end(),
                                      [](const auto& p) { return p.first == channel_name; });
    if (channel == passed.end()) throw std::runtime_error("hand-over: there is no channel");
    Inheritance out{HandoverChannel(std::move(channel->second))};
    const auto said = out.channel_.receive(last_words);
    if (!said) throw std::runtime_error("hand-over: the predecessor says nothing");
    // No TUN may keep its carrier without a translator.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    out.predecessor_ = ::getppid();
    if (said->at("pid") != out.predecessor_) throw GoneError("hand-over: no predecessor");
    try {
        out.legacy = Legacy::from_json(*said);
    } catch (const std::exception& e) {
        out.refuse(e.what());
        throw;
    }
    for (auto& [name, descriptor] : passed) {
        if (name == queue_name)
            out.queues.push_back(std::move(descriptor));
        else if (name == control_name)
            out.control = std::move(descriptor);
        else if (name == lock_name)
            out.control_lock = std::move(descriptor);
        else if (name == statistics_name)
            out.statistics = std::move(descriptor);
    }
    return out;
}

void Inheritance::refuse(const std::string& why) const noexcept {
    try {
        channel_.send({{"refused", why}});
    } catch (const std::exception&) { // it sees our end
    }
}

std::optional<ordered_json> Inheritance::take_over(const ordered_json& message) const {
    ::prctl(PR_SET_PDEATHSIG, 0);
    try {
        channel_.send(message);
        if (auto last = channel_.receive(last_words)) return last;
        if (::getppid() == predecessor_) ::kill(predecessor_, SIGKILL);
        return std::nullopt;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

} // namespace xlat646
