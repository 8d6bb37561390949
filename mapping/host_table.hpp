// SPDX-License-Identifier: BSD-2-Clause
//
// The hash table of host pairs by one of their two addresses: open addressing over cache lines of
// two complete pairs, so a lookup touches one line and a collision the next one. Built once, then
// only read. Everything that a packet needs is inline.
#pragma once

#include "mapping/address.hpp"

#include <array>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace xlat646 {

/// A keyed hash of addresses: whoever chooses addresses cannot aim at one line of the table.
struct KeyedHash {
    std::array<std::uint64_t, 3> seed{};

    static std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{a} * b;
        return static_cast<std::uint64_t>(product ^ (product >> 64));
    }
    std::uint64_t operator()(Ipv4Address a) const noexcept {
        return mix(a.value() ^ seed[0], seed[1] | 1);
    }
    std::uint64_t operator()(const Ipv6Address& a) const noexcept {
        // Side by side: one product after the other would be waited for.
        return mix(a.high() ^ seed[0], seed[2] | 1) + mix(a.low() ^ seed[2], seed[1] | 1);
    }
};

struct alignas(32) HostPair {
    Ipv6Address ipv6;
    Ipv4Address ipv4;
    std::uint32_t slot = 0;
    std::uint16_t delta = 0;  ///< as in MatchedIpv6
    bool has_martian = false; ///< is_hard_martian of one of the addresses
    std::uint8_t used = 0;    ///< 0: a free place
};
static_assert(sizeof(HostPair) == 32, "two host pairs fill one cache line");

template <class Key> class HostTable {
  public:
    /// An empty table with room for `pairs`.
    HostTable(const KeyedHash& hash, std::size_t pairs);

    /// The pair, nullptr when there is none.
    [[nodiscard]] const HostPair* find(const Key& key) const noexcept {
        for (std::size_t line = hash_(key) & line_mask_;; line = (line + 1) & line_mask_) {
            const HostPair* const first = lines_ + line * pairs_per_line;
            // Which of the two it is cannot be predicted: chosen without a branch.
            const HostPair* const pair = first + (is_equal(*first, key) ? 0 : 1);
            if (is_equal(*pair, key)) return pair->used ? pair : nullptr;
            if (!first[1].used) return nullptr; // filled in order
        }
    }

    /// Returns how many lines a lookup of this pair reads. A key must not come twice.
    std::uint32_t insert(const HostPair& pair);

    std::size_t memory_bytes() const { return storage_.capacity() * sizeof(HostPair); }

  private:
    static constexpr std::size_t pairs_per_line = 2;

    static const Key& key_of(const HostPair& pair) {
        if constexpr (std::is_same_v<Key, Ipv4Address>)
            return pair.ipv4;
        else
            return pair.ipv6;
    }
    static bool is_equal(const HostPair& pair, const Key& key) {
        if constexpr (std::is_same_v<Key, Ipv4Address>)
            return pair.ipv4 == key;
        else // one compare, not two branches
            return ((pair.ipv6.high() ^ key.high()) | (pair.ipv6.low() ^ key.low())) == 0;
    }

    KeyedHash hash_;
    std::vector<HostPair> storage_; ///< one more than used, so that lines can be aligned
    const HostPair* lines_ = nullptr;
    std::size_t line_mask_ = 0;
};

extern template class HostTable<Ipv4Address>;
extern template class HostTable<Ipv6Address>;

} // namespace xlat646
