// SPDX-License-Identifier: BSD-2-Clause
//
// Which pairs are allowed (EAM-01, EAM-07).
#pragma once

#include "mapping/loader.hpp"
#include "mapping/yaml_report.hpp"

#include <cstdint>
#include <vector>

namespace xlat646 {

/// Where the sides of a mapping were written; line 0: that side could not be read.
struct PairPosition {
    std::uint32_t file = 0;
    TextPosition ipv4;
    TextPosition ipv6;
};

class PairRules {
  public:
    PairRules(const LoaderRules* rules, YamlReport& report);

    void check_ipv4(const Ipv4Prefix& prefix, std::uint32_t file, TextPosition at);
    void check_ipv6(const Ipv6Prefix& prefix, std::uint32_t file, TextPosition at);
    void check_lengths(const Eam& mapping, std::uint32_t file, TextPosition at);

    /// A block is warned of once, at its first pair, with the number of pairs in it.
    void report_warnings();

  private:
    struct Warning {
        std::uint32_t count = 0;
        std::uint32_t file = 0;
        TextPosition at;
        std::string first;
    };
    template <class Address>
    void warn(std::vector<Warning>& warnings, std::size_t block, const Prefix<Address>& prefix,
              std::uint32_t file, TextPosition at);

    const LoaderRules* rules_;
    YamlReport& report_;
    std::vector<Ipv4Address> pool4_; ///< sorted
    std::vector<Warning> warnings4_; ///< by index of ipv4_blocks()
    std::vector<Warning> warnings6_;
};

} // namespace xlat646
