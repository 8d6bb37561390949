// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/mapping_list.hpp"

#include <algorithm>
#include <unordered_map>

namespace xlat646 {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// ASCII letters in any case; `part` is in lower case.
bool contains(std::string_view text, std::string_view part) {
    return std::search(text.begin(), text.end(), part.begin(), part.end(),
                       [](char t, char p) { return lower(t) == p; }) != text.end();
}

class Filter {
  public:
    explicit Filter(const MappingQuery& query)
        : tenant_(query.tenant), part_(query.filter), ipv4_(Ipv4Prefix::parse(query.filter)),
          ipv6_(Ipv6Prefix::parse(query.filter)) {
        std::transform(part_.begin(), part_.end(), part_.begin(), lower);
        is_part_of_address_ = part_.find_first_not_of("0123456789abcdef.:/") == part_.npos;
    }

    bool matches(const SegmentView::Mapping& m) const {
        if (tenant_ && m.tenant != *tenant_) return false;
        if (part_.empty() || contains(m.name, part_) || contains(m.tenant, part_)) return true;
        // A whole address is meant as one: 192.0.2.1 is not 192.0.2.10.
        if (ipv4_) return m.ipv4.overlaps(*ipv4_);
        if (ipv6_) return m.ipv6.overlaps(*ipv6_);
        return is_part_of_address_ &&
               (contains(address_text(m.ipv4), part_) || contains(address_text(m.ipv6), part_));
    }

  private:
    std::optional<std::string> tenant_;
    std::string part_;
    std::optional<Ipv4Prefix> ipv4_;
    std::optional<Ipv6Prefix> ipv6_;
    bool is_part_of_address_;
};

template <class Row> double number_of(MappingKey key, const Row& row) {
    const auto sum = [&](auto TrafficTotal::*member) {
        return static_cast<double>(row.total[0].*member + row.total[1].*member);
    };
    switch (key) {
    case MappingKey::packets: return sum(&TrafficTotal::packets);
    case MappingKey::packets_v4_to_v6: return static_cast<double>(row.total[0].packets);
    case MappingKey::packets_v6_to_v4: return static_cast<double>(row.total[1].packets);
    case MappingKey::bytes: return sum(&TrafficTotal::bytes);
    case MappingKey::bytes_v4_to_v6: return static_cast<double>(row.total[0].bytes);
    case MappingKey::bytes_v6_to_v4: return static_cast<double>(row.total[1].bytes);
    case MappingKey::packet_rate: return row.rate[0].packets + row.rate[1].packets;
    case MappingKey::bit_rate: return row.rate[0].bits + row.rate[1].bits;
    case MappingKey::ipv4:
    case MappingKey::name:
    case MappingKey::tenant: break;
    }
    return 0;
}

constexpr bool is_number(MappingKey key) { return is_descending_by_nature(key); }

std::uint64_t order_of(const Ipv4Prefix& prefix) {
    return std::uint64_t{prefix.address().value()} << 8 | prefix.length();
}

/// What a row is sorted by, and which one it is.
template <class Key> struct Place {
    Key key;
    std::uint32_t index;
};

MappingRow row_of(const SegmentView::Mapping& mapping, std::size_t index, const SegmentView& view,
                  const MappingRates* rates) {
    return {mapping, view.pair(mapping.slot), rates == nullptr ? PairRate{} : rates->rate(index)};
}

/// Of `places`, those of the page, in order. Equal ones as in the table.
template <class Place>
void keep_page(std::vector<Place>& places, bool is_descending, std::size_t offset,
               std::size_t limit) {
    const std::size_t begin = std::min(offset, places.size());
    const std::size_t end = begin + std::min(limit, places.size() - begin);
    const auto at = [&](std::size_t n) { return places.begin() + static_cast<std::ptrdiff_t>(n); };
    // Never leaves its range, not even when texts are overwritten while it compares them.
    std::partial_sort(at(0), at(end), places.end(),
                      [is_descending](const Place& a, const Place& b) {
                          if (a.key < b.key) return !is_descending;
                          if (b.key < a.key) return is_descending;
                          return a.index < b.index;
                      });
    places.erase(at(end), places.end());
    places.erase(at(0), at(begin));
}

/// `key_of(mapping, index)`
template <class Key, class KeyOf>
MappingPage page_by(const SegmentView& view, const MappingQuery& query, const MappingRates* rates,
                    KeyOf key_of) {
    const Filter filter(query);
    std::vector<Place<Key>> places;
    for (std::uint32_t i = 0; i < view.mapping_count(); ++i)
        if (const auto m = view.mapping(i); m && filter.matches(*m))
            places.push_back({key_of(*m, i), i});
    MappingPage page{view.mapping_count(), places.size(), {}};
    keep_page(places, query.is_descending, query.offset, query.limit);
    for (const auto& place : places)
        if (const auto m = view.mapping(place.index))
            page.rows.push_back(row_of(*m, place.index, view, rates));
    return page;
}

} // namespace

std::optional<MappingKey> mapping_key(std::string_view name) {
    const auto* const found = std::find(mapping_key_names.begin(), mapping_key_names.end(), name);
    if (found == mapping_key_names.end()) return std::nullopt;
    return static_cast<MappingKey>(found - mapping_key_names.begin());
}

MappingPage list_mappings(const SegmentView& view, const MappingQuery& query,
                          const MappingRates* rates) {
    using Mapping = SegmentView::Mapping;
    if (is_number(query.key))
        return page_by<double>(view, query, rates, [&](const Mapping& m, std::size_t i) {
            return number_of(query.key, row_of(m, i, view, rates));
        });
    if (query.key == MappingKey::ipv4)
        return page_by<std::uint64_t>(
            view, query, rates, [](const Mapping& m, std::size_t) { return order_of(m.ipv4); });
    return page_by<std::string_view>(view, query, rates, [&](const Mapping& m, std::size_t) {
        return query.key == MappingKey::name ? m.name : m.tenant;
    });
}

TenantPage list_tenants(const SegmentView& view, const TenantQuery& query,
                        const MappingRates* rates) {
    std::vector<TenantRow> all;
    std::unordered_map<std::string, std::size_t> places;
    std::size_t last = 0; // mappings of one tenant often follow each other
    for (std::size_t i = 0; i < view.mapping_count(); ++i) {
        const auto m = view.mapping(i);
        if (!m) continue;
        if (all.empty() || all[last].tenant != m->tenant) {
            const auto [place, is_new] = places.try_emplace(std::string(m->tenant), all.size());
            last = place->second;
            if (is_new) all.push_back({place->first, 0, {}, {}});
        }
        TenantRow& to = all[last];
        const MappingRow row = row_of(*m, i, view, rates);
        ++to.mappings;
        for (std::size_t d = 0; d < direction_count; ++d) {
            to.total[d].packets += row.total[d].packets;
            to.total[d].bytes += row.total[d].bytes;
            to.rate[d].packets += row.rate[d].packets;
            to.rate[d].bits += row.rate[d].bits;
        }
    }

    TenantPage page{all.size(), {}};
    const auto fill = [&](auto places_of_page) {
        keep_page(places_of_page, query.is_descending, 0, query.limit);
        for (const auto& place : places_of_page)
            page.rows.push_back(std::move(all[place.index]));
    };
    const auto count = static_cast<std::uint32_t>(all.size());
    if (is_number(query.key)) {
        std::vector<Place<double>> by_number;
        for (std::uint32_t i = 0; i < count; ++i)
            by_number.push_back({number_of(query.key, all[i]), i});
        fill(std::move(by_number));
    } else {
        std::vector<Place<std::string>> by_text;
        for (std::uint32_t i = 0; i < count; ++i)
            by_text.push_back({all[i].tenant, i});
        fill(std::move(by_text));
    }
    return page;
}

std::string address_text(const Ipv4Prefix& prefix) {
    return prefix.is_host() ? prefix.address().to_string() : prefix.to_string();
}

std::string address_text(const Ipv6Prefix& prefix) {
    return prefix.is_host() ? prefix.address().to_string() : prefix.to_string();
}

} // namespace xlat646
