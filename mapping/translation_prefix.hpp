// SPDX-License-Identifier: BSD-2-Clause
//
// IPv4-embedded IPv6 addresses, RFC 6052 section 2.
#pragma once

#include "mapping/address.hpp"

namespace xlat646 {

class TranslationPrefix {
  public:
    constexpr TranslationPrefix() = default;

    /// nullopt unless the length is one of 32, 40, 48, 56, 64, 96 and bits 64..71 are zero
    /// (A52-01, A52-02).
    static constexpr std::optional<TranslationPrefix> from(const Ipv6Prefix& prefix) {
        switch (prefix.length()) {
        case 32:
        case 40:
        case 48:
        case 56:
        case 64:
        case 96: break;
        default: return std::nullopt;
        }
        if ((prefix.address().low() >> 56) != 0) return std::nullopt;
        TranslationPrefix p;
        p.prefix_ = prefix;
        return p;
    }

    constexpr const Ipv6Prefix& prefix() const { return prefix_; }
    constexpr bool contains(const Ipv6Address& a) const {
        if (is_96()) return ((a.high() ^ high()) | ((a.low() ^ low()) >> 32)) == 0;
        return prefix_.contains(a);
    }

    /// A52-01, table 10.1. The suffix is zero.
    constexpr Ipv6Address embed(Ipv4Address a) const {
        const std::uint64_t v = a.value();
        if (is_96()) return {high(), low() | v};
        switch (prefix_.length()) {
        case 32: return {high() | v, 0};
        case 40: return {high() | (v >> 8), (v & 0xff) << 48};
        case 48: return {high() | (v >> 16), (v & 0xffff) << 40};
        case 56: return {high() | (v >> 24), (v & 0xffffff) << 32};
        default: return {high(), v << 24};
        }
    }

    /// A52-04. The caller has checked `contains`; the suffix is ignored (A52-03).
    constexpr Ipv4Address extract(const Ipv6Address& a) const {
        const std::uint64_t h = a.high();
        const std::uint64_t l = a.low();
        if (is_96()) return Ipv4Address(static_cast<std::uint32_t>(l));
        switch (prefix_.length()) {
        case 32: return Ipv4Address(static_cast<std::uint32_t>(h));
        case 40: return Ipv4Address(static_cast<std::uint32_t>((h << 8) | ((l >> 48) & 0xff)));
        case 48: return Ipv4Address(static_cast<std::uint32_t>((h << 16) | ((l >> 40) & 0xffff)));
        case 56: return Ipv4Address(static_cast<std::uint32_t>((h << 24) | ((l >> 32) & 0xffffff)));
        default: return Ipv4Address(static_cast<std::uint32_t>(l >> 24));
        }
    }

    /// 64:ff9b::/96, which carries only global IPv4 addresses (A52-06).
    constexpr bool is_well_known() const {
        return prefix_ == Ipv6Prefix(Ipv6Address(0x0064ff9b00000000ull, 0), 96);
    }

    friend constexpr bool operator==(const TranslationPrefix&, const TranslationPrefix&) = default;

  private:
    /// Asked first: it is the one that a translator uses.
    constexpr bool is_96() const { return prefix_.length() == 96; }
    constexpr std::uint64_t high() const { return prefix_.address().high(); }
    constexpr std::uint64_t low() const { return prefix_.address().low(); }

    Ipv6Prefix prefix_{};
};

} // namespace xlat646
