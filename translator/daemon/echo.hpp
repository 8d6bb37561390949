// SPDX-License-Identifier: BSD-2-Clause
//
// The echo messages of the probes: made, and recognised. Each round of probes has a nonce of its
// own; answers that come late, but not too late, count.
#pragma once

#include "mapping/address.hpp"
#include "translator/siit/probe_pair.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

namespace xlat646 {

using Nonce = std::array<std::uint8_t, 16>;

struct EchoContent {
    ProbePair::Token token{}; ///< zeros where it must not be seen: it never leaves this node
    Nonce nonce{};
};

inline constexpr std::size_t echo_length = IcmpHeader::size + sizeof(EchoContent);
using EchoMessage = std::array<std::uint8_t, echo_length>;

/// Complete with checksum.
EchoMessage make_echo4(std::uint8_t type, const EchoContent& content);
EchoMessage make_echo6(std::uint8_t type, const EchoContent& content, const Ipv6Address& source,
                       const Ipv6Address& destination);

/// Whole packets.
std::vector<std::uint8_t> make_packet(Ipv4Address source, Ipv4Address destination,
                                      const EchoMessage& message);
std::vector<std::uint8_t> make_packet(const Ipv6Address& source, const Ipv6Address& destination,
                                      const EchoMessage& message);

/// Whether the bytes are a whole, sound packet between these addresses with exactly this message.
bool is_packet(std::span<const std::uint8_t> bytes, Ipv4Address source, Ipv4Address destination,
               const EchoMessage& message);
bool is_packet(std::span<const std::uint8_t> bytes, const Ipv6Address& source,
               const Ipv6Address& destination, const EchoMessage& message);

/// Of a message of this size; the caller compares the rest.
EchoContent content_of(std::span<const std::uint8_t> message);

class RecentNonces {
  public:
    /// `most`: how many rounds an answer may take.
    explicit RecentNonces(std::size_t most) : most_(most) {}
    /// A new round. Throws std::system_error when there is no randomness.
    const Nonce& renew();
    const Nonce& current() const { return nonces_.back(); }
    bool contains(const Nonce& nonce) const;

  private:
    std::size_t most_;
    std::deque<Nonce> nonces_;
};

} // namespace xlat646
