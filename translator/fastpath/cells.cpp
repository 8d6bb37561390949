// SPDX-License-Identifier: BSD-2-Clause
#include "translator/fastpath/cells.hpp"

#include <algorithm>
#include <bit>
#include <bpf/bpf.h>
#include <cerrno>
#include <linux/bpf.h>
#include <string>
#include <sys/mman.h>
#include <system_error>

namespace xlat646 {
namespace {

constexpr std::size_t fewest_groups = 16; // a page
constexpr std::size_t most_groups = std::size_t{1} << 26;
constexpr std::size_t groups_in_view = 16384; // 4 MiB

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

/// Some groups of a map, seen from here.
class View {
  public:
    View(const CellMap& map, std::size_t first, std::size_t count)
        : first_(first), bytes_(count * sizeof(xlat646_group)),
          memory_(::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, map.map.get(),
                         static_cast<off_t>(first * sizeof(xlat646_group)))) {
        if (memory_ == MAP_FAILED) fail(errno, "cannot look into a kernel table");
    }
    View(const View&) = delete;
    View& operator=(const View&) = delete;
    ~View() { ::munmap(memory_, bytes_); }
    xlat646_group& operator[](std::size_t group) const {
        return static_cast<xlat646_group*>(memory_)[group - first_];
    }

  private:
    std::size_t first_;
    std::size_t bytes_;
    void* memory_;
};

CellMap make_map(CellsBy by, std::size_t groups) {
    bpf_map_create_opts options{};
    options.sz = sizeof options;
    options.map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP;
    const int fd = bpf_map_create(
        BPF_MAP_TYPE_ARRAY, by == CellsBy::ipv4 ? "xlat646_by_ipv4" : "xlat646_by_ipv6",
        sizeof(std::uint32_t), sizeof(xlat646_group), static_cast<std::uint32_t>(groups), &options);
    if (fd < 0) fail(-fd, "cannot make a kernel table of " + std::to_string(groups) + " groups");
    return {MapDescriptor(fd), static_cast<std::uint32_t>(groups - 1)};
}

/// The first (0) or second (1) place of a hash.
std::uint32_t place_of(std::uint64_t hash, int which) {
    return static_cast<std::uint32_t>(which == 0 ? hash : hash >> 32);
}
std::size_t group_of(const CellMap& map, std::uint32_t place) {
    return (place / XLAT646_GROUP) & map.mask;
}

bool put(xlat646_group& group, std::uint32_t place, const xlat646_cell& cell) {
    for (std::uint32_t i = 0; i < XLAT646_GROUP; ++i) {
        xlat646_cell& at = group.cells[(place ^ i) % XLAT646_GROUP];
        if (at.is_used != 0) continue;
        at = cell;
        return true;
    }
    return false;
}

class Filler {
  public:
    using Make = std::function<xlat646_cell(std::uint32_t owner)>;
    Filler(CellsBy by, const CellMap& map, const Make& make) : by_(by), map_(map), make_(make) {}

    /// False: no room, and some cell is lost.
    bool fill(std::vector<CellKey> keys) const {
        for (const int which : {0, 1})
            walk(keys, which);
        return std::all_of(keys.begin(), keys.end(),
                           [&](const CellKey& key) { return push(make_(key.owner)); });
    }

  private:
    /// Each key to its place, from the first group to the last. Those without room are left over.
    void walk(std::vector<CellKey>& keys, int which) const {
        const auto group = [&](const CellKey& key) {
            return group_of(map_, place_of(key.hash, which));
        };
        std::sort(keys.begin(), keys.end(),
                  [&](const CellKey& a, const CellKey& b) { return group(a) < group(b); });
        auto left = keys.begin();
        for (auto key = keys.begin(); key != keys.end();) {
            const std::size_t first = group(*key) / groups_in_view * groups_in_view;
            const std::size_t end = std::min(first + groups_in_view, std::size_t{map_.mask} + 1);
            const View view(map_, first, end - first);
            for (; key != keys.end() && group(*key) < end; ++key)
                if (!put(view[group(*key)], place_of(key->hash, which), make_(key->owner)))
                    *left++ = *key;
        }
        keys.erase(left, keys.end());
    }

    /// Cuckoo hashing: both groups are full, so the cell takes the place of another one, which goes
    /// to its other group. No cell becomes free by that.
    bool push(xlat646_cell cell) const {
        constexpr std::uint32_t most_moves = 1000;
        for (std::uint32_t move = 0; move < most_moves; ++move) {
            const std::uint64_t hash =
                by_ == CellsBy::ipv6 ? xlat646_hash_ipv6(cell.ipv6) : xlat646_hash_ipv4(cell.ipv4);
            for (const int which : {0, 1})
                if (put(page(hash, which)[group_of(map_, place_of(hash, which))],
                        place_of(hash, which), cell))
                    return true;
            const std::uint64_t choice = xlat646_mix(hash + move);
            const int which = choice & 1;
            const View view = page(hash, which);
            std::swap(
                cell,
                view[group_of(map_, place_of(hash, which))].cells[(choice >> 1) % XLAT646_GROUP]);
        }
        return false;
    }

    View page(std::uint64_t hash, int which) const {
        const std::size_t group = group_of(map_, place_of(hash, which));
        return {map_, group / fewest_groups * fewest_groups, fewest_groups};
    }

    CellsBy by_;
    const CellMap& map_;
    const Make& make_;
};

} // namespace

/// More cells than needed, and still more should they not fit all the same.
CellMap make_cells(CellsBy by, const std::vector<CellKey>& keys,
                   const std::function<xlat646_cell(std::uint32_t owner)>& make) {
    const std::size_t wanted = (keys.size() + keys.size() / 3) / XLAT646_GROUP;
    for (std::size_t groups = std::max(fewest_groups, std::bit_ceil(wanted)); groups <= most_groups;
         groups *= 2) {
        CellMap map = make_map(by, groups);
        if (Filler(by, map, make).fill(keys)) return map;
    }
    fail(E2BIG, "too many addresses for a kernel table");
}

void visit_cells(const CellMap& map, const std::function<void(const xlat646_cell&)>& visitor) {
    const std::size_t groups = std::size_t{map.mask} + 1;
    for (std::size_t first = 0; first < groups; first += groups_in_view) {
        const std::size_t count = std::min(groups_in_view, groups - first);
        const View view(map, first, count);
        for (std::size_t i = first; i < first + count; ++i)
            for (const xlat646_cell& cell : view[i].cells)
                if (cell.is_used != 0) visitor(cell);
    }
}

} // namespace xlat646
