// SPDX-License-Identifier: BSD-2-Clause
//
// Special-purpose address blocks, matrix section 16 (IANA registries of RFC 6890, as of 2026-11).
// The only place where such blocks are written down (SPA-06).
#pragma once

#include "mapping/address.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace xlat646 {

/// H: hard martian, never translated. D: denied unless the profile or a setting allows it.
enum class AddressClass : std::uint8_t { allowed, denied, hard };

/// Whether an address block may be the server's side of a pair (EAM-07, table 16.2 "pair").
enum class PairUse : std::uint8_t { yes, warn, no };

struct Ipv4Block {
    Ipv4Prefix prefix;
    std::string_view name;
    AddressClass address_class;
    bool allowed_in_private; ///< "(p)"
};
struct Ipv6Block {
    Ipv6Prefix prefix;
    std::string_view name;
    AddressClass address_class;
    PairUse pair;
};

/// Most specific block last among those that contain an address; no block: allowed.
std::span<const Ipv4Block> ipv4_blocks();
std::span<const Ipv6Block> ipv6_blocks();

/// The most specific block of an address, nullptr for ordinary unicast.
const Ipv4Block* find_block(Ipv4Address a);
const Ipv6Block* find_block(const Ipv6Address& a);

/// Class H, as a few compares: asked for every packet.
constexpr bool is_hard_martian(Ipv4Address a) {
    const std::uint32_t v = a.value();
    const std::uint32_t first = v >> 24;
    return first == 0 || first == 127 || first >= 224 || (v >> 16) == 0xa9fe;
}
constexpr bool is_hard_martian(const Ipv6Address& a) {
    const std::uint64_t top = a.high() >> 48;
    if (a.high() == 0) return (a.low() >> 32) == 0 || (a.low() >> 32) == 0xffff;
    return top >= 0xff00 || (top & 0xffc0) == 0xfe80;
}

enum class Profile : std::uint8_t { internet, private_, any };

/// A block switched by configuration (SPA-02, SPA-03). The longest prefix wins over built-in
/// blocks and other overrides; at equal length an override wins, and the later one.
template <class Address> struct BlockOverride {
    Prefix<Address> prefix;
    bool allow;
};
using Ipv4Override = BlockOverride<Ipv4Address>;
using Ipv6Override = BlockOverride<Ipv6Address>;

/// Classifies addresses in constant time (SPA-08): one table by the leading bits, and a short list
/// of prefixes only where such a range is divided. Class H cannot be overridden.
template <class Address> class Classifier {
  public:
    explicit Classifier(Profile profile = Profile::internet,
                        std::span<const BlockOverride<Address>> overrides = {});
    AddressClass classify(const Address& a) const noexcept {
        const Range& r = ranges_[range_of(a)];
        return r.count == 0 ? r.whole : classify_in(r, a);
    }
    /// The class of every address of a prefix of at least 16 bits (IPv6: 96), nullopt when they
    /// differ.
    std::optional<AddressClass> class_of(const Prefix<Address>& prefix) const noexcept;

  private:
    struct Rule {
        Prefix<Address> prefix;
        AddressClass address_class;
    };
    struct Range {
        AddressClass whole = AddressClass::allowed;
        std::uint16_t first = 0;
        std::uint16_t count = 0; ///< rules that divide the range, longest prefix first
    };
    static constexpr unsigned range_bits = Address::width == 32 ? 8 : 16;

    static std::size_t range_of(Ipv4Address a) { return a.value() >> (32 - range_bits); }
    static std::size_t range_of(const Ipv6Address& a) { return a.high() >> (64 - range_bits); }
    AddressClass classify_in(const Range& r, const Address& a) const noexcept;

    std::vector<Range> ranges_; ///< by the first range_bits
    std::vector<Rule> rules_;
};
using Ipv4Classifier = Classifier<Ipv4Address>;
using Ipv6Classifier = Classifier<Ipv6Address>;

extern template class Classifier<Ipv4Address>;
extern template class Classifier<Ipv6Address>;

} // namespace xlat646
