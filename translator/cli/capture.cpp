// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 capture: packets as they came and as they left, live, into a pcapng file.
#include "translator/cli/capture_filter.hpp"
#include "translator/cli/capture_text.hpp"
#include "translator/cli/command.hpp"
#include "translator/cli/control_client.hpp"
#include "translator/cli/segment_source.hpp"
#include "translator/cli/text.hpp"
#include "translator/daemon/capture_session.hpp"
#include "translator/daemon/exit_status.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;

constexpr unsigned patience_seconds = 20;
constexpr std::chrono::seconds last_words{5}; ///< time for the daemon to end what we ask it to end

std::uint32_t bounded(const po::variables_map& given, const char* name, std::uint32_t fallback,
                      std::uint32_t most) {
    const std::uint32_t n = number_option(given, name, fallback);
    if (n < 1 || n > most)
        throw po::error(std::string("--") + name + ": from 1 to " + std::to_string(most));
    return n;
}

CaptureWish read_wish(const po::variables_map& given) {
    CaptureWish wish;
    wish.snap_length = bounded(given, "snap-length", wish.snap_length, CaptureWish::most_bytes);
    wish.rate = bounded(given, "rate", wish.rate, CaptureWish::most_rate);
    wish.seconds = bounded(given, "seconds", wish.seconds, CaptureWish::most_seconds);
    wish.drops_only = given.count("drops") != 0;
    wish.without_fastpath = given.count("without-fastpath") != 0;
    if (given.count("reason") != 0) {
        const auto& name = given["reason"].as<std::string>();
        const auto* const found =
            std::find(drop_reason_names.begin(), drop_reason_names.end(), name);
        if (found == drop_reason_names.end())
            throw po::error("--reason " + printable(name) +
                            ": xlat646 drops --explain names all there are");
        wish.reason = static_cast<DropReason>(found - drop_reason_names.begin());
    }
    std::string expression;
    if (given.count("filter") != 0)
        for (const std::string& word : given["filter"].as<Words>())
            expression += (expression.empty() ? "" : " ") + word;
    try {
        if (!expression.empty()) wish.filter = compile_filter(expression);
    } catch (const std::invalid_argument& e) {
        throw po::error(printable(e.what()));
    }
    return wish;
}

/// The file, or the standard output as "-".
class Output {
  public:
    explicit Output(const std::string& path) : path_(path) {
        if (path == "-") return;
        // Packets of others are in it.
        file_ = FileDescriptor(
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
        if (file_.get() < 0) fail();
    }
    /// All of it, at once. False: the program that reads it has ended.
    bool write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t done =
                ::write(path_ == "-" ? STDOUT_FILENO : file_.get(), bytes.data(), bytes.size());
            if (done < 0 && errno == EINTR) continue;
            if (done < 0 && errno == EPIPE) return false;
            if (done < 0) fail();
            bytes.remove_prefix(static_cast<std::size_t>(done));
        }
        return true;
    }

  private:
    [[noreturn]] void fail() const {
        throw std::system_error(errno, std::generic_category(), path_);
    }
    std::string path_;
    FileDescriptor file_;
};

FileDescriptor catch_signals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t signals;
    sigemptyset(&signals);
    for (const int s : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&signals, s);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    return FileDescriptor(::signalfd(-1, &signals, SFD_CLOEXEC));
}

/// What comes from the daemon, cut into records.
class Stream {
  public:
    explicit Stream(int socket) : socket_(socket) {}
    /// False: nothing more comes.
    bool receive() {
        std::array<char, 65536> bytes;
        const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        bytes_.erase(0, used_);
        used_ = 0;
        bytes_.append(bytes.data(), static_cast<std::size_t>(got));
        return got != 0;
    }
    /// False: it is not whole yet.
    bool next(CaptureRecord& record, std::string_view& bytes) {
        const std::string_view rest = std::string_view(bytes_).substr(used_);
        if (rest.size() < sizeof record) return false;
        std::memcpy(static_cast<void*>(&record), rest.data(), sizeof record);
        if (record.before_kept > CaptureWish::most_bytes ||
            record.after_kept > CaptureWish::most_bytes)
            throw std::runtime_error("cannot understand what xlat646d sends");
        const std::size_t size = std::size_t{record.before_kept} + record.after_kept;
        if (rest.size() < sizeof record + size) return false;
        bytes = rest.substr(sizeof record, size);
        used_ += sizeof record + size;
        return true;
    }

  private:
    int socket_;
    std::string bytes_;
    std::size_t used_ = 0;
};

/// Copies until the daemon has said its last words: those, or an empty string if it has died.
/// `most`: so many pairs.
std::string copy(int socket, int signals, const Output& output, CaptureText& text,
                 MappingNames& names, std::uint64_t most) {
    Stream stream(socket);
    bool has_asked = !output.write(text.beginning()), is_silent = has_asked;
    Clock::time_point next_look;
    std::optional<Clock::time_point> deadline;
    for (bool is_open = true; is_open;) {
        if (has_asked && !deadline) {
            deadline = Clock::now() + last_words;
            (void)::shutdown(socket, SHUT_WR);
        }
        if (deadline && Clock::now() > *deadline) return {};
        pollfd events[] = {{socket, POLLIN, 0}, {signals, POLLIN, 0}};
        constexpr int look_ms = 1000;
        (void)::poll(events, std::size(events), look_ms);
        if (signalfd_siginfo info; events[1].revents != 0) {
            (void)!::read(signals, &info, sizeof info);
            has_asked = true;
        }
        if (const auto now = Clock::now(); now >= next_look) {
            names.follow();
            next_look = now + std::chrono::seconds(1);
        }
        is_open = stream.receive();
        CaptureRecord record;
        std::string blocks;
        for (std::string_view bytes; stream.next(record, bytes);) {
            if (record.kind == CaptureRecord::Kind::end) {
                if (!is_silent) (void)output.write(blocks);
                return std::string(bytes);
            }
            const bool is_piece = record.kind == CaptureRecord::Kind::piece;
            if (is_silent || (text.pairs() == most && !is_piece)) continue;
            blocks += text.blocks(record, bytes);
        }
        if (!blocks.empty() && !is_silent) is_silent = !output.write(blocks);
        has_asked = has_asked || is_silent || text.pairs() == most;
    }
    return {};
}

std::optional<SegmentReader> read_segment(const po::variables_map& given) {
    try {
        return SegmentReader(given["stats"].as<std::string>());
    } catch (const std::exception& e) {
        std::cerr << "xlat646 capture: no names of mappings: " << e.what() << "\n";
        return std::nullopt;
    }
}

std::uint64_t by_fastpath(const SegmentReader& reader) {
    std::uint64_t packets = 0;
    for (const FastpathSummary& direction : summarize(reader.view()).fastpath)
        for (const TrafficTotal& t : direction.translated)
            packets += t.packets;
    return packets;
}

} // namespace

int run_capture(const Words& words) {
    const CaptureWish usual;
    const auto number = [](std::uint32_t n) { return std::to_string(n); };
    po::options_description options;
    options.add_options() //
        ("write,w", po::value<std::string>()->value_name("FILE"),
         "the pcapng file to write; -: the standard output")                        //
        ("count,c", po::value<std::string>()->value_name("N"), "end after N pairs") //
        ("snap-length,s", po::value<std::string>()->value_name("BYTES"),
         ("keep so much of each packet (" + number(usual.snap_length) + ")").c_str()) //
        ("seconds", po::value<std::string>()->value_name("N"),
         ("end after N seconds (" + number(usual.seconds) + ")").c_str()) //
        ("rate", po::value<std::string>()->value_name("N"),
         ("at most N pairs a second of each worker (" + number(usual.rate) + ")").c_str())        //
        ("drops", "only discarded packets, and our ICMP errors about them")                       //
        ("reason", po::value<std::string>()->value_name("NAME"), "only packets discarded for it") //
        ("without-fastpath", "the fast path stands aside meanwhile, so that all packets are seen");
    add_stats_option(options);
    add_socket_options(options, patience_seconds);
    const auto given = read_options(
        words, options,
        "capture -w FILE [OPTION]... [FILTER]\n\nFILTER is tcpdump's, see pcap-filter(7); one side "
        "of a pair that it lets through is enough.",
        "filter");
    if (!given) return exit_status::fine;
    if (given->count("write") == 0) throw po::error("--write FILE is missing");
    const auto& path = (*given)["write"].as<std::string>();
    if (path == "-" && ::isatty(STDOUT_FILENO) != 0)
        throw po::error("--write -: a terminal cannot show that");
    const std::uint32_t most = bounded(*given, "count", std::numeric_limits<std::uint32_t>::max(),
                                       std::numeric_limits<std::uint32_t>::max());
    ControlRequest request{ControlRequest::Command::capture};
    request.capture = read_wish(*given);

    const FileDescriptor signals = catch_signals();
    FileDescriptor socket;
    const auto answer =
        open_stream((*given)["socket"].as<std::string>(), request,
                    std::chrono::seconds((*given)["timeout"].as<unsigned>()), socket);
    if (answer.value("format", 0) != CaptureSession::format)
        throw std::runtime_error("xlat646d is of a version with other records");
    const Output output(path);
    const bool has_fastpath = answer.value("fastpath", false);
    if (has_fastpath)
        std::cerr << "xlat646 capture: the fast path is on; what it translates is not seen here "
                     "(but for --without-fastpath)\n";
    std::optional<SegmentReader> segment = read_segment(*given);
    const std::uint64_t before = segment ? by_fastpath(*segment) : 0;
    MappingNames names(segment ? &*segment : nullptr);
    names.follow();
    CaptureText text(names, request.capture.snap_length);
    const std::string totals = copy(socket.get(), signals.get(), output, text, names, most);
    if (totals.empty()) {
        std::cerr << "xlat646 capture: " << plural(text.pairs(), "pair")
                  << " captured, but xlat646d has ended without a word\n";
        return exit_status::unavailable;
    }
    std::cerr << "xlat646 capture: " << capture_summary(text.pairs(), totals);
    if (has_fastpath && segment)
        std::cerr << "; about " << grouped(std::max(by_fastpath(*segment), before) - before)
                  << " packets unseen in the fast path";
    std::cerr << "\n";
    return exit_status::fine;
}

} // namespace xlat646
