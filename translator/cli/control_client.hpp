// SPDX-License-Identifier: BSD-2-Clause
//
// One question to a running daemon, or the beginning of a stream from it.
#pragma once

#include "translator/daemon/control_request.hpp"
#include "translator/dataplane/tun.hpp"

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>

namespace xlat646 {

/// The message says why, and what to do about it.
class Unreachable : public std::runtime_error {
  public:
    Unreachable(const std::string& message, int status)
        : std::runtime_error(message), status_(status) {}
    int exit_status() const { return status_; }

  private:
    int status_;
};

/// The value of the answer's key. Throws Unreachable; std::runtime_error when the daemon refuses
/// the request or its answer makes no sense.
nlohmann::ordered_json ask_daemon(const std::string& socket_path, const ControlRequest& request,
                                  std::chrono::seconds timeout);

/// As ask_daemon(), for an answer after which more comes: from the socket, put into `stream`.
nlohmann::ordered_json open_stream(const std::string& socket_path, const ControlRequest& request,
                                   std::chrono::seconds timeout, FileDescriptor& stream);

} // namespace xlat646
