// SPDX-License-Identifier: BSD-2-Clause
#include "translator/fastpath/kernel_table.hpp"

#include "mapping/special_purpose.hpp"
#include "translator/fastpath/cells.hpp"
#include "translator/wire/checksum.hpp"

#include <algorithm>
#include <cstring>
#include <unistd.h>

namespace xlat646 {

MapDescriptor::~MapDescriptor() {
    if (fd_ >= 0) ::close(fd_);
}

std::uint32_t wire_word(Ipv4Address a) { return network_order(a.value()); }

void wire_words(const Ipv6Address& a, std::uint32_t (&words)[4]) {
    const Ipv6Address::Bytes bytes = a.bytes();
    std::memcpy(words, bytes.data(), sizeof words);
}

namespace {

constexpr std::size_t client_ranges = 65536;
/// Addresses of prefix pairs that get entries of their own. What is beyond is left to user space.
constexpr std::uint64_t most_expanded = std::uint64_t{1} << 18;

/// The greatest number of addresses that a table can bring.
std::size_t count_addresses(const MappingTable& table) {
    std::uint64_t hosts = 0;
    std::uint64_t expanded = 0;
    for (const Eam& m : table.list().mappings)
        (m.is_host() ? hosts : expanded) += std::uint64_t{1} << m.ipv4.suffix_length();
    return hosts + std::min(expanded, most_expanded);
}

std::vector<Ipv4Address> own_addresses(const Settings& settings) {
    std::vector<Ipv4Address> ours = settings.pool4;
    ours.push_back(settings.own4);
    if (settings.prefix.contains(settings.own6))
        ours.push_back(settings.prefix.extract(settings.own6));
    return ours;
}

/// Every address of the table that gets an entry. Others: the prefix pairs that get none.
template <class Each, class Others>
void for_each_address(const MappingTable& table, const Each& each, const Others& others) {
    std::uint64_t expanded = 0;
    for (const Eam& m : table.list().mappings) {
        const std::uint64_t count = std::uint64_t{1} << m.ipv4.suffix_length();
        if (!m.is_host() && (expanded += count) > most_expanded) {
            others(m.ipv4);
            continue;
        }
        for (std::uint64_t i = 0; i < count; ++i)
            each(Ipv4Address(m.ipv4.address().value() + static_cast<std::uint32_t>(i)));
    }
}

/// A host pair in a prefix pair comes twice.
std::vector<CellKey> without_duplicates(std::vector<CellKey> keys) {
    std::sort(keys.begin(), keys.end(),
              [](const CellKey& a, const CellKey& b) { return a.owner < b.owner; });
    const auto end = std::unique(keys.begin(), keys.end(), [](const CellKey& a, const CellKey& b) {
        return a.owner == b.owner;
    });
    keys.erase(end, keys.end());
    return keys;
}

/// The table's own answer: host pairs before prefix pairs, the longest prefix first. False: user
/// space refuses it in every packet.
bool make_cell(const MappingTable& table, Ipv4Address ipv4, MatchedIpv6& match,
               xlat646_cell& cell) {
    if (!table.find(ipv4, match) || is_hard_martian(ipv4) || is_hard_martian(match.address))
        return false;
    cell = {};
    wire_words(match.address, cell.ipv6);
    cell.ipv4 = wire_word(ipv4);
    cell.slot = match.slot;
    cell.delta = match.delta;
    cell.is_used = 1;
    return true;
}

CellMap cells_by_ipv4(const MappingTable& table, const Settings& settings) {
    std::vector<std::uint32_t> ours;
    for (const Ipv4Address a : own_addresses(settings))
        ours.push_back(a.value());
    std::sort(ours.begin(), ours.end());
    std::vector<CellKey> keys;
    const auto add = [&](Ipv4Address a) {
        keys.push_back({xlat646_hash_ipv4(wire_word(a)), a.value()});
    };
    keys.reserve(count_addresses(table) + ours.size());
    MatchedIpv6 match{};
    xlat646_cell cell{};
    const auto is_ours = [&](std::uint32_t a) {
        return std::binary_search(ours.begin(), ours.end(), a);
    };
    for_each_address(
        table,
        [&](Ipv4Address a) {
            if (!is_ours(a.value()) && make_cell(table, a, match, cell)) add(a);
        },
        [](const Ipv4Prefix&) {});
    for (const std::uint32_t a : ours) // also those that are pairs
        add(Ipv4Address(a));
    return make_cells(CellsBy::ipv4, without_duplicates(std::move(keys)), [&](std::uint32_t a) {
        if (!is_ours(a)) {
            (void)make_cell(table, Ipv4Address(a), match, cell);
            return cell;
        }
        xlat646_cell own{};
        own.ipv4 = wire_word(Ipv4Address(a));
        own.slot = XLAT646_NO_SLOT;
        own.is_used = 1;
        return own;
    });
}

CellMap cells_by_ipv6(const MappingTable& table) {
    std::vector<CellKey> keys;
    keys.reserve(count_addresses(table));
    MatchedIpv6 match{};
    MatchedIpv4 back{};
    xlat646_cell cell{};
    for_each_address(
        table,
        [&](Ipv4Address a) {
            // Prefix pairs may overlap on one side only.
            if (make_cell(table, a, match, cell) && table.find(match.address, back) &&
                back.address == a)
                keys.push_back({xlat646_hash_ipv6(cell.ipv6), a.value()});
        },
        [](const Ipv4Prefix&) {});
    return make_cells(CellsBy::ipv6, without_duplicates(std::move(keys)), [&](std::uint32_t a) {
        (void)make_cell(table, Ipv4Address(a), match, cell);
        (void)table.find(match.address, back);
        cell.slot = back.slot;
        cell.delta = back.delta;
        return cell;
    });
}

std::vector<std::uint32_t> classify_clients(const MappingTable& table, const Settings& settings) {
    std::vector<xlat646_client> classes(client_ranges, xlat646_client_unsure);
    const Ipv4Classifier global(Profile::internet);
    const bool is_well_known = settings.prefix.is_well_known();
    for (std::uint32_t i = 0; i < client_ranges; ++i) {
        const Ipv4Prefix range(Ipv4Address(i << 16), 16);
        if (settings.clients4.class_of(range) == AddressClass::allowed &&
            (!is_well_known || global.class_of(range) == AddressClass::allowed)) // A52-06
            classes[i] = xlat646_client_free;
    }
    const auto look_up = [&](Ipv4Address a) {
        xlat646_client& c = classes[a.value() >> 16];
        if (c == xlat646_client_free) c = xlat646_client_lookup;
    };
    for_each_address(table, look_up, [&](const Ipv4Prefix& p) {
        const std::uint64_t ranges = (std::uint64_t{1} << p.suffix_length()) >> 16;
        std::fill_n(classes.begin() + static_cast<std::ptrdiff_t>(p.address().value() >> 16),
                    std::max<std::uint64_t>(ranges, 1), xlat646_client_unsure);
    });
    for (const Ipv4Address a : own_addresses(settings))
        look_up(a);

    std::vector<std::uint32_t> words(XLAT646_CLIENT_WORDS);
    for (std::size_t i = 0; i < client_ranges; ++i)
        words[i / 16] |= std::uint32_t{classes[i]} << (i % 16 * 2);
    return words;
}

} // namespace

KernelTable make_kernel_table(const MappingTable& table, const Settings& settings) {
    KernelTable made;
    made.by_ipv4 = cells_by_ipv4(table, settings);
    made.by_ipv6 = cells_by_ipv6(table);
    made.clients = classify_clients(table, settings);
    made.owners.resize(table.slot_count());
    for (const Eam& m : table.list().mappings)
        made.owners[m.slot] = m.ipv4;
    return made;
}

void KernelTable::visit(const Visitor& visitor) const {
    const auto visit_map = [&](const CellMap& map, xlat646_direction direction) {
        visit_cells(map, [&](const xlat646_cell& cell) {
            if (cell.slot != XLAT646_NO_SLOT)
                visitor(cell.slot, direction, {cell.packets, cell.bytes});
        });
    };
    visit_map(by_ipv4, xlat646_v4_to_v6);
    visit_map(by_ipv6, xlat646_v6_to_v4);
}

} // namespace xlat646
