// SPDX-License-Identifier: BSD-2-Clause
//
// One command to a running BIRD by its control socket, as birdc would give it. Never waits but in
// ask_bird(): for a loop that has other things to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace xlat646 {

struct BirdReply {
    enum class Kind : std::uint8_t {
        done,    ///< codes below 8000 (RT-23)
        refused, ///< BIRD says no: its configuration has an error, for one
        absent,  ///< nobody listens, or it is shutting down: nothing is announced either
        failed,  ///< no permission, no answer
    };
    Kind kind = Kind::failed;
    unsigned code = 0; ///< 0: none
    std::string text;  ///< what BIRD said, or why it did not
};

/// RT-23.
inline constexpr unsigned bird_configuration_error = 8002;

/// Reads its configuration again.
inline constexpr const char* bird_configure = "configure";
/// Works while bird.conf has an error, too; the next `configure` forgets it.
inline constexpr const char* bird_withdraw = "disable \"xlat646_v?\"";
inline constexpr const char* bird_announce = "enable \"xlat646_v?\"";

class BirdRequest {
  public:
    /// `command` without the newline.
    BirdRequest(const std::string& socket_path, std::string command,
                std::chrono::milliseconds limit);
    BirdRequest(const BirdRequest&) = delete;
    BirdRequest& operator=(const BirdRequest&) = delete;
    ~BirdRequest();

    /// Readable when serve() has something to do; -1 once done.
    int descriptor() const { return socket_; }
    int wait_ms(int most) const;
    void serve();
    bool is_done() const { return is_done_; }
    const BirdReply& reply() const { return reply_; }

  private:
    using Clock = std::chrono::steady_clock;
    void finish(BirdReply::Kind kind, const std::string& text);
    void take(const std::string& line);

    std::string socket_path_;
    std::string command_;
    Clock::time_point deadline_;
    int socket_ = -1;
    std::string bytes_; ///< of an incomplete line
    bool is_greeted_ = false;
    bool is_done_ = false;
    BirdReply reply_;
};

BirdReply ask_bird(const std::string& socket_path, const std::string& command,
                   std::chrono::milliseconds limit);

} // namespace xlat646
