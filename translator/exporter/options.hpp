// SPDX-License-Identifier: BSD-2-Clause
//
// The command line of xlat646-exporter.
#pragma once

#include "mapping/address.hpp"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace xlat646 {

struct ListenAddress {
    std::variant<Ipv4Address, Ipv6Address> address;
    std::uint16_t port = 0;

    /// "192.0.2.1:9646" or "[2001:db8::1]:9646"; port 0 is none.
    static std::optional<ListenAddress> parse(std::string_view text);
    std::string to_string() const;
    friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// Which series with the traffic of single mappings /metrics has.
enum class PerMapping : std::uint8_t { off, top, tenant, all };

struct SeriesOptions {
    PerMapping per_mapping = PerMapping::off;
    std::size_t top = 20;
    std::size_t limit = 1000; ///< mappings or tenants; with more there are none at all
};

struct ExporterOptions {
    enum class Task : std::uint8_t { serve, help, version, list_metrics };
    Task task = Task::serve;
    std::string stats = "/run/xlat646/stats";
    std::vector<ListenAddress> listen; ///< empty: sockets passed, else default_listen
    SeriesOptions series;
    std::string user; ///< empty: stay who we are
};

inline constexpr std::uint16_t default_exporter_port = 9646;

/// Throws boost::program_options::error.
ExporterOptions read_exporter_options(const std::vector<std::string>& words);
void print_exporter_help(std::ostream& out);

} // namespace xlat646
