// SPDX-License-Identifier: BSD-2-Clause
//
// Everything a translator is told at start. Fixed for its life: only the mapping table changes.
// Defaults are those of the matrix.
#pragma once

#include "mapping/address.hpp"
#include "mapping/special_purpose.hpp"
#include "mapping/translation_prefix.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace xlat646 {

class ProbePair;

enum class UnmappedPolicy : std::uint8_t { reject, reject_host, drop }; ///< 3/13, 3/1, silence
enum class UdpZeroChecksum : std::uint8_t { compute, drop };

struct MssClamp {
    enum class Mode : std::uint8_t { off, automatic, fixed } mode = Mode::off;
    std::uint16_t bytes = 0; ///< for fixed
};

struct RateLimit {
    std::uint32_t per_second = 100; ///< 0: no limit at all, per source neither
    std::uint32_t burst = 100;
    std::uint32_t per_source_per_second = 10; ///< 0: none per source
    std::uint32_t per_source_burst = 10;
};

struct Settings {
    TranslationPrefix prefix; ///< a /96
    Ipv4Address own4;
    Ipv6Address own6;
    std::vector<Ipv4Address> pool4; ///< RFC 6791; empty: own4 (S91-04)

    std::uint32_t mtu4 = 1500;
    std::uint32_t mtu6 = 1500;
    std::uint32_t lowest_ipv6_mtu = 1280;
    /// RFC 1191 table 7-1, descending (I46-06).
    std::vector<std::uint16_t> plateaus = {65535, 32000, 17914, 8166, 4352, 2002,
                                           1492,  1006,  508,   296,  68};

    Ipv4Classifier clients4; ///< policy for client addresses
    Ipv6Classifier routers6; ///< policy for unmapped sources of ICMPv6 errors
    UnmappedPolicy unmapped = UnmappedPolicy::reject;
    UdpZeroChecksum udp_zero_checksum = UdpZeroChecksum::compute;
    std::optional<std::uint8_t> dscp; ///< 0..63; nullopt: copy the octet
    MssClamp tcp_mss_clamp;
    bool hairpin = true;
    bool drop_spoofed_pairs = true;
    bool map_icmpv6_policy_codes = false; ///< 1/5 and 1/6 become 3/10 (I64-06)
    std::uint32_t icmp4_error_size = 576; ///< translated ICMPv4 errors (INN-14), 576..1260
    bool append_original_source = true;   ///< RFC 5837 object in errors from unmapped routers

    RateLimit icmp_rate;
    bool send_unreachable = true;       ///< 3/13, 3/1, 3/5 and 1/1
    bool send_parameter_problem = true; ///< 4/0

    /// Secrets of the IPv4 Identification generator and of pool4's choice (ID-02); random at start.
    std::array<std::uint64_t, 4> secrets{};
    /// The pair of the daemon's probes; nullptr: none.
    const ProbePair* probe = nullptr;
    /// Milliseconds that never go back; asked only when an ICMP error is due.
    std::uint64_t (*now_ms)() = nullptr;
};

} // namespace xlat646
