// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/host_table.hpp"

#include <bit>

namespace xlat646 {

template <class Key>
HostTable<Key>::HostTable(const KeyedHash& hash, std::size_t pairs) : hash_(hash) {
    // At most half of the places are in use; one line is always free, so every search ends.
    const std::size_t lines = std::bit_ceil(pairs + 1);
    storage_.resize(lines * pairs_per_line + 1);
    const auto address = reinterpret_cast<std::uintptr_t>(storage_.data());
    lines_ = storage_.data() + (address % 64 == 0 ? 0 : 1);
    line_mask_ = lines - 1;
}

template <class Key> std::uint32_t HostTable<Key>::insert(const HostPair& pair) {
    auto* const lines = const_cast<HostPair*>(lines_); // our own storage, still being built
    std::uint32_t probe = 1;
    for (std::size_t line = hash_(key_of(pair)) & line_mask_;;
         line = (line + 1) & line_mask_, ++probe) {
        for (std::size_t i = 0; i < pairs_per_line; ++i) {
            HostPair& place = lines[line * pairs_per_line + i];
            if (place.used) continue;
            place = pair;
            place.used = 1;
            return probe;
        }
    }
}

template class HostTable<Ipv4Address>;
template class HostTable<Ipv6Address>;

} // namespace xlat646
