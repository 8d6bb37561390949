// SPDX-License-Identifier: BSD-2-Clause
//
// The explicit address mapping table of RFC 7757: built once, then immutable and shared by all
// readers without locks.
//
// Host pairs (/32 and /128) lie in two hash tables, one per direction. Prefix pairs lie in one
// small hash per prefix length in use and are asked after the host pairs, longest first.
//
// A pair owns a counter slot, a small number that stays its own for as long as its IPv4 prefix is
// in the table, across any number of rebuilds.
#pragma once

#include "mapping/address.hpp"
#include "mapping/host_table.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

inline constexpr std::uint32_t no_slot = 0xffffffff;

/// Where a mapping was written: index into the list of files, 1-based line and column.
struct SourceLocation {
    std::uint32_t file = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    friend constexpr auto operator<=>(const SourceLocation&, const SourceLocation&) = default;
};

/// One explicit address mapping (RFC 7757 section 3.1).
/// Invariant: ipv4.suffix_length() <= ipv6.suffix_length() (EAM-01).
struct Eam {
    Ipv6Prefix ipv6;
    Ipv4Prefix ipv4;
    std::uint32_t slot = no_slot; ///< given by MappingTable::build
    std::uint32_t name = 0;       ///< offset into MappingList::text; 0: none
    std::uint32_t tenant = 0;     ///< offset into MappingList::text; 0: none
    SourceLocation where;
    bool is_host() const { return ipv4.is_host() && ipv6.is_host(); }
};

/// What a loader hands over: mappings without duplicates, and the text they point into.
struct MappingList {
    std::vector<Eam> mappings;
    std::string text = std::string(1, '\0'); ///< NUL-terminated strings; offset 0 is the empty one
    std::vector<std::string> files;

    std::string_view name_of(const Eam& m) const { return text.data() + m.name; }
    std::string_view tenant_of(const Eam& m) const { return text.data() + m.tenant; }
    /// Of this slot, or nullptr. Not for a packet: looks at all.
    const Eam* with_slot(std::uint32_t slot) const;
};

/// A lookup's answer. `delta` is sum(ipv6) +' ~sum(ipv4) over native-order 16-bit words, folded:
/// what a checksum's sum grows by when the IPv4 address is replaced by the IPv6 one (CK-05).
struct MatchedIpv6 {
    Ipv6Address address;
    std::uint32_t slot = no_slot;
    std::uint16_t delta = 0;
};
struct MatchedIpv4 {
    Ipv4Address address;
    std::uint32_t slot = no_slot;
    std::uint16_t delta = 0;
};

class MappingTable {
  public:
    /// Takes duplicate-free mappings. Slots are taken over from `previous` (nullptr: none) by IPv4
    /// prefix; freed slots are given to new pairs, lowest first. `seed` should be random.
    static std::unique_ptr<const MappingTable> build(MappingList list, const MappingTable* previous,
                                                     std::uint64_t seed);

    MappingTable(const MappingTable&) = delete;
    MappingTable& operator=(const MappingTable&) = delete;
    ~MappingTable();

    /// A host pair, nullptr when there is none.
    template <class Address>
    [[nodiscard]] const HostPair* find_host(const Address& key) const noexcept {
        if constexpr (std::is_same_v<Address, Ipv4Address>)
            return by_ipv4_.find(key);
        else
            return by_ipv6_.find(key);
    }
    /// EAM-02: false when no mapping matches.
    [[nodiscard]] bool find(Ipv4Address key, MatchedIpv6& found) const noexcept {
        if (const HostPair* pair = find_host(key)) {
            found.address = pair->ipv6; // one by one: a temporary would be stored and read again
            found.slot = pair->slot;
            found.delta = pair->delta;
            return true;
        }
        return !prefixes4_.empty() && find_in_prefixes(key, found);
    }
    /// EAM-03: false when no mapping matches.
    [[nodiscard]] bool find(const Ipv6Address& key, MatchedIpv4& found) const noexcept {
        if (const HostPair* pair = find_host(key)) {
            found.address = pair->ipv4;
            found.slot = pair->slot;
            found.delta = pair->delta;
            return true;
        }
        return !prefixes6_.empty() && find_in_prefixes(key, found);
    }
    /// Asked for the other side of every packet, which hardly ever is a pair: one bit for each /16
    /// that holds a mapped address says so without touching the table.
    [[nodiscard]] bool contains(Ipv4Address key) const noexcept {
        const std::uint32_t block = key.value() >> 16;
        return (mapped_blocks_[block / 64] >> (block % 64) & 1) != 0 && contains_mapped(key);
    }
    [[nodiscard]] bool contains(const Ipv6Address& key) const noexcept {
        MatchedIpv4 found;
        return find(key, found);
    }

    const MappingList& list() const { return list_; }
    std::size_t size() const { return list_.mappings.size(); }
    /// One more than the greatest slot ever given out.
    std::uint32_t slot_count() const { return slot_count_; }
    /// Cache lines touched by the worst lookup of a host pair.
    std::uint32_t longest_probe() const { return longest_probe_; }
    std::size_t memory_bytes() const;
    /// The slot of exactly this IPv4 prefix, no_slot when it is not in the table.
    std::uint32_t slot_of(const Ipv4Prefix& prefix) const noexcept;

  private:
    MappingTable(MappingList list, const KeyedHash& hash);

    template <class Key> struct PrefixEntry {
        Key key;
        std::uint32_t index; ///< into list_.mappings; no_slot: free
    };
    template <class Key> struct PrefixLevel {
        unsigned length = 0;
        std::vector<PrefixEntry<Key>> entries; ///< power of two, linear probing
    };

    bool contains_mapped(Ipv4Address key) const noexcept;
    bool find_in_prefixes(Ipv4Address key, MatchedIpv6& found) const noexcept;
    bool find_in_prefixes(const Ipv6Address& key, MatchedIpv4& found) const noexcept;
    template <class Key>
    const Eam* find_in_level(const PrefixLevel<Key>& level, const Key& prefix) const noexcept;
    template <class Key>
    const Eam* find_prefix(const std::vector<PrefixLevel<Key>>& levels,
                           const Key& key) const noexcept;
    template <class Key> void insert_prefixes(std::vector<PrefixLevel<Key>>& levels);
    void insert_hosts();
    void mark_blocks(const Ipv4Prefix& prefix);
    void assign_slots(const MappingTable* previous);

    MappingList list_;
    KeyedHash hash_;
    HostTable<Ipv4Address> by_ipv4_;
    HostTable<Ipv6Address> by_ipv6_;
    std::array<std::uint64_t, 65536 / 64> mapped_blocks_{}; ///< one bit per /16
    std::vector<PrefixLevel<Ipv4Address>> prefixes4_;
    std::vector<PrefixLevel<Ipv6Address>> prefixes6_;
    std::uint32_t slot_count_ = 0;
    std::uint32_t longest_probe_ = 0;
};

} // namespace xlat646
