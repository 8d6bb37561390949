// SPDX-License-Identifier: BSD-2-Clause
//
// What may be asked of a running xlat646d: one line of JSON per connection,
//   {"command":"status"}   {"command":"reload"}   {"command":"reload","force":true}
//   {"command":"restart"}   {"command":"capture"} (control_request_capture.hpp)
// The answer is one JSON document with one key, that of the command or "error", and the end of the
// stream; after the one to "capture", records follow (capture_session.hpp). Pure: text in, request
// or complaint out.
#pragma once

#include "translator/dataplane/capture_wish.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace xlat646 {

struct ControlRequest {
    enum class Command : std::uint8_t { status, reload, restart, capture };
    Command command = Command::status;
    bool force = false; ///< reload: even if reload_guard objects
    CaptureWish capture = {};

    bool operator==(const ControlRequest&) const = default;
};

/// A request, or a sentence that says what is wrong with it.
std::variant<ControlRequest, std::string> parse_request(std::string_view line);

/// With the newline.
std::string request_line(const ControlRequest& request);

std::string error_answer(std::string_view what);

/// Collects the bytes of one connection up to the newline. What comes after it is ignored.
class RequestBuffer {
  public:
    static constexpr std::size_t longest = 16384; ///< with the newline; a filter is long

    enum class State : std::uint8_t { incomplete, complete, too_long };
    State add(std::string_view bytes);
    /// Without the newline, once complete.
    std::string_view line() const { return bytes_; }

  private:
    std::string bytes_;
    State state_ = State::incomplete;
};

} // namespace xlat646
