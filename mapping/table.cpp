// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/table.hpp"

#include "mapping/special_purpose.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace xlat646 {
namespace {

/// splitmix64: spreads one seed over several.
std::uint64_t next_random(std::uint64_t& state) noexcept {
    std::uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

template <class Bytes> std::uint32_t sum_words(const Bytes& bytes) noexcept {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        std::uint16_t word;
        std::memcpy(&word, bytes.data() + i, 2);
        sum += word;
    }
    return sum;
}

std::uint16_t checksum_delta(const Ipv6Address& a6, Ipv4Address a4) noexcept {
    // CK-05. Four bytes hold two words, so ~sum(a4) is 2 * 0xffff - sum.
    std::uint32_t sum = sum_words(a6.bytes()) + 2u * 0xffffu - sum_words(a4.bytes());
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

/// RFC 7757 section 3.3.1: prefix bits, then the IPv4 suffix bits, then zeros.
Ipv6Address to_ipv6(const Eam& m, Ipv4Address a) noexcept {
    const unsigned length4 = m.ipv4.length();
    if (length4 == 32) return m.ipv6.address();
    const std::uint64_t suffix = std::uint64_t{a.value()} << (32 + length4); // left-aligned
    const unsigned at = m.ipv6.length();
    const Ipv6Address& p = m.ipv6.address();
    if (at == 0) return {p.high() | suffix, p.low()};
    if (at < 64) return {p.high() | (suffix >> at), p.low() | (suffix << (64 - at))};
    return {p.high(), p.low() | (suffix >> (at - 64))};
}

/// RFC 7757 section 3.3.2: prefix bits, then as many IPv6 suffix bits as fit.
Ipv4Address to_ipv4(const Eam& m, const Ipv6Address& a) noexcept {
    const unsigned length4 = m.ipv4.length();
    if (length4 == 32) return m.ipv4.address();
    const unsigned at = m.ipv6.length();
    std::uint64_t suffix; // left-aligned
    if (at == 0)
        suffix = a.high();
    else if (at < 64)
        suffix = (a.high() << at) | (a.low() >> (64 - at));
    else
        suffix = a.low() << (at - 64);
    return Ipv4Address(m.ipv4.address().value() |
                       static_cast<std::uint32_t>((suffix >> 32) >> length4));
}

std::size_t count_hosts(const MappingList& list) {
    return static_cast<std::size_t>(std::count_if(list.mappings.begin(), list.mappings.end(),
                                                  [](const Eam& m) { return m.is_host(); }));
}

const Ipv4Prefix& prefix_of(const Eam& m, Ipv4Address) { return m.ipv4; }
const Ipv6Prefix& prefix_of(const Eam& m, const Ipv6Address&) { return m.ipv6; }

} // namespace

const Eam* MappingList::with_slot(std::uint32_t slot) const {
    const auto found = std::find_if(mappings.begin(), mappings.end(),
                                    [&](const Eam& m) { return m.slot == slot; });
    return found == mappings.end() ? nullptr : &*found;
}

MappingTable::~MappingTable() = default;

template <class Key>
const Eam* MappingTable::find_in_level(const PrefixLevel<Key>& level,
                                       const Key& prefix) const noexcept {
    const std::size_t mask = level.entries.size() - 1;
    for (std::size_t i = hash_(prefix) & mask;; i = (i + 1) & mask) {
        const auto& entry = level.entries[i];
        if (entry.index == no_slot) return nullptr;
        if (entry.key == prefix) return &list_.mappings[entry.index];
    }
}

template <class Key>
const Eam* MappingTable::find_prefix(const std::vector<PrefixLevel<Key>>& levels,
                                     const Key& key) const noexcept {
    for (const auto& level : levels)
        if (const Eam* m = find_in_level(level, masked(key, level.length))) return m;
    return nullptr;
}

bool MappingTable::contains_mapped(Ipv4Address key) const noexcept {
    MatchedIpv6 found;
    return find(key, found);
}

bool MappingTable::find_in_prefixes(Ipv4Address key, MatchedIpv6& found) const noexcept {
    const Eam* m = find_prefix(prefixes4_, key);
    if (!m) return false;
    const Ipv6Address address = to_ipv6(*m, key);
    found = {address, m->slot, checksum_delta(address, key)};
    return true;
}

bool MappingTable::find_in_prefixes(const Ipv6Address& key, MatchedIpv4& found) const noexcept {
    const Eam* m = find_prefix(prefixes6_, key);
    if (!m) return false;
    const Ipv4Address address = to_ipv4(*m, key);
    found = {address, m->slot, checksum_delta(key, address)};
    return true;
}

void MappingTable::mark_blocks(const Ipv4Prefix& prefix) {
    const std::uint32_t first = prefix.address().value() >> 16;
    const std::uint32_t count = prefix.length() >= 16 ? 1 : 1u << (16 - prefix.length());
    for (std::uint32_t block = first; block < first + count; ++block)
        mapped_blocks_[block / 64] |= std::uint64_t{1} << (block % 64);
}

void MappingTable::insert_hosts() {
    for (const Eam& m : list_.mappings) {
        mark_blocks(m.ipv4);
        if (!m.is_host()) continue;
        const Ipv6Address& a6 = m.ipv6.address();
        const Ipv4Address a4 = m.ipv4.address();
        const HostPair pair{a6, a4, m.slot, checksum_delta(a6, a4),
                            is_hard_martian(a6) || is_hard_martian(a4)};
        longest_probe_ = std::max({longest_probe_, by_ipv4_.insert(pair), by_ipv6_.insert(pair)});
    }
}

template <class Key> void MappingTable::insert_prefixes(std::vector<PrefixLevel<Key>>& levels) {
    std::array<std::size_t, Key::width + 1> counts{};
    for (const Eam& m : list_.mappings)
        if (!m.is_host()) ++counts[prefix_of(m, Key{}).length()];
    for (unsigned length = Key::width + 1; length-- > 0;) {
        if (counts[length] == 0) continue;
        PrefixLevel<Key> level;
        level.length = length;
        level.entries.assign(std::bit_ceil(counts[length] * 2), {Key{}, no_slot});
        levels.push_back(std::move(level));
    }
    for (std::uint32_t index = 0; index < list_.mappings.size(); ++index) {
        const Eam& m = list_.mappings[index];
        if (m.is_host()) continue;
        const auto& prefix = prefix_of(m, Key{});
        auto& level = *std::find_if(levels.begin(), levels.end(),
                                    [&](const auto& l) { return l.length == prefix.length(); });
        const std::size_t mask = level.entries.size() - 1;
        std::size_t i = hash_(prefix.address()) & mask;
        while (level.entries[i].index != no_slot)
            i = (i + 1) & mask;
        level.entries[i] = {prefix.address(), index};
    }
}

std::uint32_t MappingTable::slot_of(const Ipv4Prefix& prefix) const noexcept {
    if (prefix.is_host())
        if (const HostPair* pair = by_ipv4_.find(prefix.address())) return pair->slot;
    for (const auto& level : prefixes4_)
        if (level.length == prefix.length())
            if (const Eam* m = find_in_level(level, prefix.address())) return m->slot;
    return no_slot;
}

void MappingTable::assign_slots(const MappingTable* previous) {
    std::vector<bool> taken(previous ? previous->slot_count_ : 0);
    for (Eam& m : list_.mappings) {
        m.slot = previous ? previous->slot_of(m.ipv4) : no_slot;
        if (m.slot != no_slot) taken[m.slot] = true;
    }
    std::uint32_t next = 0;
    for (Eam& m : list_.mappings) {
        if (m.slot != no_slot) continue;
        while (next < taken.size() && taken[next])
            ++next;
        m.slot = next++;
    }
    slot_count_ = std::max(next, static_cast<std::uint32_t>(taken.size()));
}

MappingTable::MappingTable(MappingList list, const KeyedHash& hash)
    : list_(std::move(list)), hash_(hash), by_ipv4_(hash, count_hosts(list_)),
      by_ipv6_(hash, count_hosts(list_)) {}

std::unique_ptr<const MappingTable>
MappingTable::build(MappingList list, const MappingTable* previous, std::uint64_t seed) {
    KeyedHash hash;
    for (auto& s : hash.seed)
        s = next_random(seed);
    std::unique_ptr<MappingTable> table(new MappingTable(std::move(list), hash));
    table->assign_slots(previous);
    table->insert_hosts();
    table->insert_prefixes(table->prefixes4_);
    table->insert_prefixes(table->prefixes6_);
    return table;
}

std::size_t MappingTable::memory_bytes() const {
    return by_ipv4_.memory_bytes() + by_ipv6_.memory_bytes() +
           list_.mappings.capacity() * sizeof(Eam) + list_.text.capacity();
}

} // namespace xlat646
