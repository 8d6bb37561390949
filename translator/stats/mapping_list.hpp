// SPDX-License-Identifier: BSD-2-Clause
//
// Mappings and what they carry: filtered, sorted, one page of them; and the same by tenant. The
// first rows of a million cost little more than one look at each counter.
#pragma once

#include "translator/stats/mapping_rates.hpp"
#include "translator/stats/segment_view.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

/// Without a direction: both together. Rates need MappingRates, and are 0 without.
#define XLAT646_MAPPING_KEYS(X)                                                                    \
    X(ipv4)                                                                                        \
    X(name)                                                                                        \
    X(tenant)                                                                                      \
    X(packets)                                                                                     \
    X(packets_v4_to_v6)                                                                            \
    X(packets_v6_to_v4)                                                                            \
    X(bytes)                                                                                       \
    X(bytes_v4_to_v6)                                                                              \
    X(bytes_v6_to_v4)                                                                              \
    X(packet_rate)                                                                                 \
    X(bit_rate)

enum class MappingKey : std::uint8_t {
#define X(name) name,
    XLAT646_MAPPING_KEYS(X)
#undef X
};
inline constexpr std::array mapping_key_names = {
#define X(name) std::string_view(#name),
    XLAT646_MAPPING_KEYS(X)
#undef X
};
std::optional<MappingKey> mapping_key(std::string_view name);
/// The order that people expect: numbers from the largest, text from A.
constexpr bool is_descending_by_nature(MappingKey key) { return key >= MappingKey::packets; }

struct MappingQuery {
    /// Part of an address, a name or a tenant, in any case; an address or prefix also finds the
    /// mappings that it lies in. Empty: all.
    std::string filter;
    std::optional<std::string> tenant; ///< exactly this one; "": those without
    MappingKey key = MappingKey::ipv4;
    bool is_descending = false;
    std::size_t offset = 0;
    std::size_t limit = 100;
};

/// Ends with the view.
struct MappingRow {
    SegmentView::Mapping mapping;
    PairTotal total;
    PairRate rate; ///< 0 without MappingRates
};

struct MappingPage {
    std::size_t mappings = 0; ///< in the table
    std::size_t matches = 0;
    std::vector<MappingRow> rows;
};

/// `rates`: of this view, or nullptr.
MappingPage list_mappings(const SegmentView& view, const MappingQuery& query,
                          const MappingRates* rates = nullptr);

struct TenantRow {
    std::string tenant; ///< empty: the mappings without
    std::size_t mappings = 0;
    PairTotal total{};
    PairRate rate{};
};
struct TenantQuery {
    MappingKey key = MappingKey::tenant; ///< ipv4 and name are as tenant
    bool is_descending = false;
    std::size_t limit = 100;
};
struct TenantPage {
    std::size_t tenants = 0; ///< "without" is one
    std::vector<TenantRow> rows;
};
TenantPage list_tenants(const SegmentView& view, const TenantQuery& query,
                        const MappingRates* rates = nullptr);

/// Without the length if it is a single address, as people write it.
std::string address_text(const Ipv4Prefix& prefix);
std::string address_text(const Ipv6Prefix& prefix);

} // namespace xlat646
