// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/aggregate.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

/// Whether `low` and `high`, sorted and disjoint, are the two halves of one prefix: `whole`.
template <class Address>
bool are_halves(const Prefix<Address>& low, const Prefix<Address>& high, Prefix<Address>& whole) {
    if (low.length() != high.length() || low.length() == 0) return false;
    whole = Prefix<Address>(low.address(), low.length() - 1);
    return whole.contains(high.address());
}

template <class Address>
std::vector<Prefix<Address>> aggregated(std::vector<Prefix<Address>> prefixes) {
    // Address first, then the shorter prefix: whatever covers a prefix comes before it.
    std::sort(prefixes.begin(), prefixes.end());
    // prefixes[0, kept) is the answer for all read so far: sorted, disjoint, no two halves of one.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
        Prefix<Address> next = prefixes[i];
        if (kept > 0 && prefixes[kept - 1].contains(next)) continue;
        for (Prefix<Address> whole; kept > 0 && are_halves(prefixes[kept - 1], next, whole);
             --kept) {
            next = whole;
        }
        prefixes[kept++] = next;
    }
    prefixes.resize(kept);
    return prefixes;
}

} // namespace

std::vector<Ipv4Prefix> aggregate(std::vector<Ipv4Prefix> prefixes) {
    return aggregated(std::move(prefixes));
}

std::vector<Ipv6Prefix> aggregate(std::vector<Ipv6Prefix> prefixes) {
    return aggregated(std::move(prefixes));
}

} // namespace xlat646
