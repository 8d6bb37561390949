// SPDX-License-Identifier: BSD-2-Clause
//
// A pair for the daemon's own probes: settings.own4 and an IPv6 address of this node. Only echo
// messages whose payload begins with a secret of this process see it; to all others own4 is what it
// always is. So a ping from this node to own4 is translated, answered by this node's kernel, and
// the answer translated back, with no server needed and no outsider able to take part.
#pragma once

#include "mapping/address.hpp"
#include "translator/siit/icmp_tables.hpp"
#include "translator/wire/headers.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

namespace xlat646 {

class ProbePair {
  public:
    using Token = std::array<std::uint8_t, 16>;
    explicit ProbePair(const Token& token) : token_(token) {}

    const Token& token() const { return token_; }
    /// One writer. A reader may see half of a change: that costs one probe.
    void set_server(const Ipv6Address& a) noexcept {
        high_.store(a.high(), std::memory_order_relaxed);
        low_.store(a.low(), std::memory_order_relaxed);
    }
    Ipv6Address server() const noexcept {
        return {high_.load(std::memory_order_relaxed), low_.load(std::memory_order_relaxed)};
    }

    /// Whether this ICMP message, with or without its payload in hand, is one of ours.
    bool marks_icmp4(const std::uint8_t* message, std::size_t length) const noexcept {
        return is_marked(message, length, icmp::v4::echo_request, icmp::v4::echo_reply);
    }
    bool marks_icmp6(const std::uint8_t* message, std::size_t length) const noexcept {
        return is_marked(message, length, icmp::v6::echo_request, icmp::v6::echo_reply);
    }

  private:
    bool is_marked(const std::uint8_t* message, std::size_t length, std::uint8_t request,
                   std::uint8_t reply) const noexcept {
        return length >= IcmpHeader::size + sizeof(Token) &&
               (message[0] == request || message[0] == reply) &&
               std::memcmp(message + IcmpHeader::size, token_.data(), sizeof(Token)) == 0;
    }

    Token token_;
    std::atomic<std::uint64_t> high_{0};
    std::atomic<std::uint64_t> low_{0};
};

} // namespace xlat646
