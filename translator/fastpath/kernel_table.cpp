// SPDX-License-Identifier: BSD-2-Clause
#include "translator/fastpath/kernel_table.hpp"

#include "mapping/special_purpose.hpp"
#include "translator/wire/checksum.hpp"

#include <algorithm>
#include <bit>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <linux/bpf.h>
#include <string>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

/// Cells of a map, seen from here.
class CellView {
  public:
    CellView(const CellMap& map, std::size_t first, std::size_t count)
        : bytes_(count * sizeof(xlat646_cell)),
          memory_(::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, map.map.get(),
                         static_cast<off_t>(first * sizeof(xlat646_cell)))) {
        if (memory_ == MAP_FAILED) fail(errno, "cannot look into a kernel table");
    }
    CellView(const CellView&) = delete;
    CellView& operator=(const CellView&) = delete;
    ~CellView() { ::munmap(memory_, bytes_); }
    xlat646_cell& operator[](std::size_t i) const { return static_cast<xlat646_cell*>(memory_)[i]; }

  private:
    std::size_t bytes_;
    void* memory_;
};

constexpr std::size_t fewest_cells = 64; // a page
constexpr std::size_t most_cells = std::size_t{1} << 28;

CellMap make_map(const char* name, std::size_t cells) {
    bpf_map_create_opts options{};
    options.sz = sizeof options;
    options.map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP;
    const int fd =
        bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(std::uint32_t), sizeof(xlat646_cell),
                       static_cast<std::uint32_t>(cells), &options);
    if (fd < 0) fail(-fd, "cannot make a kernel table of " + std::to_string(cells) + " cells");
    return {MapDescriptor(fd), static_cast<std::uint32_t>(cells - 1)};
}

std::uint64_t hash_of(const xlat646_cell& cell, bool by_ipv6) {
    return by_ipv6 ? xlat646_hash_ipv6(cell.ipv6) : xlat646_hash_ipv4(cell.ipv4);
}
bool is_same(const xlat646_cell& a, const xlat646_cell& b, bool by_ipv6) {
    return by_ipv6 ? std::equal(a.ipv6, a.ipv6 + 4, b.ipv6) : a.ipv4 == b.ipv4;
}

/// False: no room, and some cell is lost. A cell with the same address is replaced.
/// Cuckoo hashing: when both windows are full, the cell takes the place of another one, which goes
/// to its other window. No cell becomes free by that, so searches may still end at a free one.
bool insert(const CellView& cells, std::uint32_t mask, xlat646_cell cell, bool by_ipv6) {
    constexpr std::uint32_t most_moves = 1000;
    for (std::uint32_t move = 0; move < most_moves; ++move) {
        const std::uint64_t hash = hash_of(cell, by_ipv6);
        const std::uint32_t places[] = {static_cast<std::uint32_t>(hash),
                                        static_cast<std::uint32_t>(hash >> 32)};
        for (const std::uint32_t place : places)
            for (std::uint32_t i = 0; i < XLAT646_WINDOW; ++i) {
                xlat646_cell& at = cells[(place + i) & mask];
                if (at.is_used != 0 && !is_same(at, cell, by_ipv6)) continue;
                at = cell;
                return true;
            }
        const std::uint64_t choice = xlat646_mix(hash + move);
        std::swap(cell, cells[(places[choice & 1] + (choice >> 1) % XLAT646_WINDOW) & mask]);
    }
    return false;
}

/// More cells than needed, and still more should they not fit all the same.
template <class ForEach>
CellMap make_cells(const char* name, std::size_t addresses, bool by_ipv6, const ForEach& for_each) {
    for (std::size_t count = std::max(fewest_cells, std::bit_ceil(addresses + addresses / 3));
         count <= most_cells; count *= 2) {
        CellMap made = make_map(name, count);
        const CellView cells(made, 0, count);
        bool fits = true;
        for_each([&](const xlat646_cell& cell) {
            fits = fits && insert(cells, made.mask, cell, by_ipv6);
        });
        if (fits) return made;
    }
    fail(E2BIG, "too many addresses for a kernel table");
}

} // namespace

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
    const std::vector<Ipv4Address> ours = own_addresses(settings);
    return make_cells("xlat646_by_ipv4", count_addresses(table) + ours.size(), false,
                      [&](const auto& add) {
                          MatchedIpv6 match{};
                          xlat646_cell cell{};
                          for_each_address(
                              table,
                              [&](Ipv4Address a) {
                                  if (make_cell(table, a, match, cell)) add(cell);
                              },
                              [](const Ipv4Prefix&) {});
                          cell = {}; // these replace pairs
                          cell.slot = XLAT646_NO_SLOT;
                          cell.is_used = 1;
                          for (const Ipv4Address a : ours) {
                              cell.ipv4 = wire_word(a);
                              add(cell);
                          }
                      });
}

CellMap cells_by_ipv6(const MappingTable& table) {
    return make_cells("xlat646_by_ipv6", count_addresses(table), true, [&](const auto& add) {
        MatchedIpv6 match{};
        MatchedIpv4 back{};
        xlat646_cell cell{};
        for_each_address(
            table,
            [&](Ipv4Address a) {
                // Prefix pairs may overlap on one side only.
                if (!make_cell(table, a, match, cell) || !table.find(match.address, back) ||
                    back.address != a)
                    return;
                cell.slot = back.slot;
                cell.delta = back.delta;
                add(cell);
            },
            [](const Ipv4Prefix&) {});
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
    constexpr std::size_t window = 65536; // cells in view at once: memory that is ours for a moment
    const auto visit_map = [&](const CellMap& map, xlat646_direction direction) {
        const std::size_t count = std::size_t{map.mask} + 1;
        for (std::size_t first = 0; first < count; first += window) {
            const std::size_t in_view = std::min(window, count - first);
            const CellView cells(map, first, in_view);
            for (std::size_t i = 0; i < in_view; ++i)
                if (cells[i].is_used != 0 && cells[i].slot != XLAT646_NO_SLOT)
                    visitor(cells[i].slot, direction, {cells[i].packets, cells[i].bytes});
        }
    };
    visit_map(by_ipv4, xlat646_v4_to_v6);
    visit_map(by_ipv6, xlat646_v6_to_v4);
}

} // namespace xlat646
