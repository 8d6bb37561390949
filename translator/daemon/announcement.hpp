// SPDX-License-Identifier: BSD-2-Clause
//
// This node's routes at BIRD, as far as the daemon has a hand in them: withdrawn when it stops
// (shutdown.drain), announced again when it starts. Never waits for BIRD.
#pragma once

#include "routing-hooks/bird_control.hpp"
#include "routing-hooks/drain_file.hpp"
#include "translator/daemon/config.hpp"

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace xlat646 {

class Announcement {
  public:
    Announcement(std::string drain_file, std::string bird_socket)
        : drain_file_(std::move(drain_file)), bird_socket_(std::move(bird_socket)) {}

    /// BIRD needs the drain file. Ends what withdraw() did, and leaves alone what the operator did.
    void begin();
    void withdraw();
    /// False: BIRD was not there to withdraw anything.
    bool is_withdrawing() const { return is_withdrawing_; }

    /// Becomes readable when serve() has something to do; -1: nothing. serve() also wants to be
    /// called when `wait_ms` are over.
    int descriptor() const { return request_ ? request_->descriptor() : -1; }
    int wait_ms(int most) const { return request_ ? request_->wait_ms(most) : most; }
    void serve();
    nlohmann::ordered_json status() const;

  private:
    void ask(const char* command);
    void conclude(const BirdReply& reply);

    std::string drain_file_;
    std::string bird_socket_;
    std::string asked_; ///< of BIRD, last
    std::unique_ptr<BirdRequest> request_;
    bool is_withdrawing_ = false;
};

} // namespace xlat646
