// SPDX-License-Identifier: BSD-2-Clause
//
// Address and prefix value types. All are trivially copyable, totally ordered and hold host-order
// numbers; `bytes()` and `from_bytes()` are the only places where wire order appears.
//
// Text: parsing is strict (no leading zeros, no zone, no surrounding space); IPv6 is written as
// RFC 5952 says, with a dotted quad at the end inside well-known and IPv4-mapped prefixes only.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace xlat646 {

class Ipv4Address {
  public:
    static constexpr unsigned width = 32;
    using Bytes = std::array<std::uint8_t, 4>;

    constexpr Ipv4Address() = default;
    constexpr explicit Ipv4Address(std::uint32_t host_order) : value_(host_order) {}

    static constexpr Ipv4Address from_bytes(const Bytes& b) {
        return Ipv4Address((std::uint32_t{b[0]} << 24) | (std::uint32_t{b[1]} << 16) |
                           (std::uint32_t{b[2]} << 8) | std::uint32_t{b[3]});
    }
    static std::optional<Ipv4Address> parse(std::string_view text) noexcept;

    constexpr std::uint32_t value() const { return value_; }
    constexpr Bytes bytes() const {
        return {static_cast<std::uint8_t>(value_ >> 24), static_cast<std::uint8_t>(value_ >> 16),
                static_cast<std::uint8_t>(value_ >> 8), static_cast<std::uint8_t>(value_)};
    }
    std::string to_string() const;

    friend constexpr auto operator<=>(Ipv4Address, Ipv4Address) = default;

  private:
    std::uint32_t value_ = 0;
};

class Ipv6Address {
  public:
    static constexpr unsigned width = 128;
    using Bytes = std::array<std::uint8_t, 16>;

    constexpr Ipv6Address() = default;
    constexpr Ipv6Address(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

    static constexpr Ipv6Address from_bytes(const Bytes& b) {
        Ipv6Address a;
        for (std::size_t i = 0; i < 8; ++i) {
            a.high_ = (a.high_ << 8) | b[i];
            a.low_ = (a.low_ << 8) | b[i + 8];
        }
        return a;
    }
    static std::optional<Ipv6Address> parse(std::string_view text) noexcept;

    constexpr std::uint64_t high() const { return high_; }
    constexpr std::uint64_t low() const { return low_; }
    constexpr Bytes bytes() const {
        Bytes b{};
        for (unsigned i = 0; i < 8; ++i) {
            b[i] = static_cast<std::uint8_t>(high_ >> (56 - 8 * i));
            b[i + 8] = static_cast<std::uint8_t>(low_ >> (56 - 8 * i));
        }
        return b;
    }
    std::string to_string() const;

    friend constexpr auto operator<=>(const Ipv6Address&, const Ipv6Address&) = default;

  private:
    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
};

/// The address with every bit behind the first `length` cleared.
constexpr Ipv4Address masked(Ipv4Address a, unsigned length) {
    if (length == 0) return {};
    if (length >= 32) return a;
    return Ipv4Address(a.value() & (~std::uint32_t{0} << (32 - length)));
}
constexpr Ipv6Address masked(const Ipv6Address& a, unsigned length) {
    constexpr std::uint64_t all = ~std::uint64_t{0};
    if (length == 0) return {};
    if (length >= 128) return a;
    if (length <= 64) return {a.high() & (all << (64 - length)), 0};
    return {a.high(), a.low() & (all << (128 - length))};
}

/// An address prefix; bits behind the length are always zero.
template <class Address> class Prefix {
  public:
    constexpr Prefix() = default;
    /// Host bits are cleared. `length` <= Address::width.
    constexpr Prefix(Address address, unsigned length)
        : address_(masked(address, length)), length_(static_cast<std::uint8_t>(length)) {}

    /// "address" or "address/length"; nullopt for bad text or set host bits.
    static std::optional<Prefix> parse(std::string_view text) noexcept;

    constexpr const Address& address() const { return address_; }
    constexpr unsigned length() const { return length_; }
    constexpr unsigned suffix_length() const { return Address::width - length_; }
    constexpr bool is_host() const { return length_ == Address::width; }
    constexpr bool contains(const Address& a) const { return masked(a, length_) == address_; }
    constexpr bool contains(const Prefix& p) const {
        return p.length_ >= length_ && contains(p.address_);
    }
    constexpr bool overlaps(const Prefix& p) const { return contains(p) || p.contains(*this); }
    /// "address/length", always with the length.
    std::string to_string() const;

    friend constexpr auto operator<=>(const Prefix&, const Prefix&) = default;

  private:
    Address address_{};
    std::uint8_t length_ = 0;
};

using Ipv4Prefix = Prefix<Ipv4Address>;
using Ipv6Prefix = Prefix<Ipv6Address>;

extern template class Prefix<Ipv4Address>;
extern template class Prefix<Ipv6Address>;

} // namespace xlat646

template <> struct std::hash<xlat646::Ipv4Address> {
    std::size_t operator()(xlat646::Ipv4Address a) const noexcept {
        return (a.value() + 1ull) * 0x9e3779b97f4a7c15ull;
    }
};
template <> struct std::hash<xlat646::Ipv6Address> {
    std::size_t operator()(const xlat646::Ipv6Address& a) const noexcept {
        const std::uint64_t h =
            (a.high() ^ (a.low() * 0x9e3779b97f4a7c15ull)) * 0xff51afd7ed558ccdull;
        return h ^ (h >> 32);
    }
};
template <class A> struct std::hash<xlat646::Prefix<A>> {
    std::size_t operator()(const xlat646::Prefix<A>& p) const noexcept {
        return std::hash<A>{}(p.address()) ^ (p.length() * 0xc2b2ae3d27d4eb4full);
    }
};
