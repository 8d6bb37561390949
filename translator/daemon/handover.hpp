// SPDX-License-Identifier: BSD-2-Clause
//
// How a running xlat646d is replaced by another process, perhaps of a newer program, without a
// moment in which nobody translates. Translation is stateless, so both may read the same queues:
//
//   predecessor                                successor
//   starts it, with descriptors and Legacy
//   goes on                                    reads all files, builds its table
//   goes on                                    translates, too; installs its routes; probes
//                                         <--  "translating"
//   stops reading, detaches its fast path
//   the last counters                     -->
//   ends                                       is the daemon now
//
// Whatever fails before "translating" ends the successor and changes nothing. Until then it dies
// with its predecessor: no TUN may keep its carrier without a translator.
//
// Descriptors are passed as systemd passes them (LISTEN_FDS, LISTEN_FDNAMES). One of them is the
// channel: a socket with a JSON document in each packet.
#pragma once

#include "translator/dataplane/tun.hpp"
#include "translator/siit/probe_pair.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace xlat646 {

/// This program as it was started, to be started again.
struct CommandLine {
    std::string program; ///< the file, wherever the name led to then
    std::vector<std::string> arguments;
    static CommandLine of(int argc, char** argv);
};

/// One end of the channel.
class HandoverChannel {
  public:
    explicit HandoverChannel(FileDescriptor socket) : socket_(std::move(socket)) {}
    int descriptor() const { return socket_.get(); }
    /// Throws std::system_error.
    void send(const nlohmann::ordered_json& document) const;
    /// Waits for one; nullopt: none has come so far. Throws std::runtime_error when the other end
    /// has gone (GoneError) or sends what is no JSON object.
    std::optional<nlohmann::ordered_json> receive(std::chrono::milliseconds wait) const;

  private:
    FileDescriptor socket_;
};

struct GoneError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What the successor must know before it begins. What it may not change is here, too.
struct Legacy {
    static constexpr int format = 1;

    std::string tun;
    bool offload = false;
    std::uint32_t route_table = 0; ///< 0: no routes installed
    std::string control_socket;    ///< empty: none
    bool made_directory = false;   ///< of the control socket
    bool is_ready = false;
    ProbePair::Token token{}; ///< so that each translates the other's probes
    Ipv6Address probe_server{};
    nlohmann::ordered_json counters; ///< so far

    nlohmann::ordered_json to_json() const;
    /// Throws std::runtime_error with a sentence.
    static Legacy from_json(const nlohmann::ordered_json& document);
};

/// A process that shall take over.
class Successor {
  public:
    struct Descriptors {
        std::vector<int> queues;
        int control = -1; ///< listening
        int control_lock = -1;
        int statistics = -1; ///< the segment
    };
    /// Starts it. Throws std::system_error.
    Successor(const CommandLine& command, const Descriptors& descriptors, const Legacy& legacy);
    Successor(const Successor&) = delete;
    Successor& operator=(const Successor&) = delete;
    /// Kills it, unless it has been released.
    ~Successor();

    pid_t pid() const { return pid_; }
    const HandoverChannel& channel() const { return *channel_; }
    /// After the channel has ended: why.
    std::string how_it_ended();
    void release() { is_ours_ = false; }

  private:
    pid_t pid_ = -1;
    bool is_ours_ = true; ///< to be killed, and waited for
    std::optional<HandoverChannel> channel_;
};

/// What this process has been started with.
class Inheritance {
  public:
    /// nullopt: nothing, as usual. Throws std::runtime_error.
    static std::optional<Inheritance> from_environment();

    Legacy legacy;
    std::vector<FileDescriptor> queues;
    FileDescriptor control;
    FileDescriptor control_lock;
    FileDescriptor statistics;

    /// The predecessor goes on, and says why.
    void refuse(const std::string& why) const noexcept;
    /// We translate: the predecessor stops. Returns its last words; nullopt: it is gone, or it did
    /// not stop and has been killed.
    std::optional<nlohmann::ordered_json> take_over(const nlohmann::ordered_json& message) const;

  private:
    explicit Inheritance(HandoverChannel channel) : channel_(std::move(channel)) {}
    HandoverChannel channel_;
    pid_t predecessor_ = -1;
};

} // namespace xlat646
