// SPDX-License-Identifier: BSD-2-Clause
//
// Runs one packet through the fast path's program (BPF_PROG_TEST_RUN) and through the user-space
// translator, and says whether they agree.
#pragma once

#include "tests/support/golden.hpp"
#include "translator/fastpath/fastpath.hpp"
#include "translator/siit/translator.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace xlat646::test {

/// What the program has made of a packet.
struct ProgramRun {
    bool is_possible = true; ///< false: the kernel cannot run a test packet of this length
    bool is_taken = false;
    std::string reason; ///< why it was not
    Bytes out;          ///< from the IP header on
    std::string wrong;  ///< a broken promise that needs no comparison
};

class Harness {
  public:
    explicit Harness(std::shared_ptr<const GoldenConfig> config);

    Fastpath& fastpath() { return fastpath_; }
    const GoldenConfig& config() const { return *config_; }
    Translator& translator() { return translator_; }
    /// A packet as it arrives at the interface.
    ProgramRun run(const Bytes& packet, std::uint16_t gso_size = 0);

  private:
    std::shared_ptr<const GoldenConfig> config_;
    Fastpath fastpath_;
    Translator translator_;
    xlat646_counters seen_{};
};

/// The packet with another TTL or Hop Limit, the IPv4 header checksum changed as a router does.
Bytes with_hops(Bytes packet, int change);
std::uint8_t hops_of(const Bytes& packet);

/// What happened to a packet on both paths.
struct Comparison {
    ProgramRun program;
    std::string outcome;   ///< of user space: forward, reply, drop
    bool is_plain = false; ///< by user space and its own looks one for the fast path
    /// User space's checksum field has two forms of zero here, which the program leaves alone.
    bool may_be_zero = false;
    std::string kind;  ///< "tcp v4_to_v6" ...
    std::string wrong; ///< they do not agree

    /// Plain, and left alone for no reason that user space does not know.
    bool is_missed() const;
    /// "taken, tcp v4_to_v6", "left alone, hops, user space: drop" ...
    std::string summary() const;
};

/// `packet` arrives at the interface. By way of the TUN the kernel decrements it first, and user
/// space translates that; the program must make the same, or leave it alone. `wanted`: what user
/// space is known to make of it. `gso_size`: a TCP or UDP super-packet. Without a device the
/// program gets it with a complete checksum. Of a UDP one user space wants a partial checksum, and
/// gets the complement: the difference between before and after is the same.
Comparison compare(Harness& harness, const Bytes& packet, const Bytes* wanted = nullptr,
                   std::uint16_t gso_size = 0);

/// TCP or UDP without options or extension headers.
bool may_be_super_packet(const Bytes& packet);

/// Counts of outcomes, printed by the tests.
using Tally = std::map<std::string, std::size_t>;
std::string to_string(const Tally& tally);

} // namespace xlat646::test
