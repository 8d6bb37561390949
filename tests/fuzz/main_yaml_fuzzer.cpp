// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as the main file.
#include "translator/daemon/config.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string_view>

namespace {

using namespace xlat646;

void require(bool condition) {
    if (!condition) std::abort();
}

void check(const Config& c) {
    const Settings& s = c.settings;
    require(s.prefix.prefix().length() == 96);
    require(!is_hard_martian(s.own4) && !is_hard_martian(s.own6));
    require(s.pool4.size() <= 4096);
    require(std::none_of(s.pool4.begin(), s.pool4.end(),
                         [](Ipv4Address a) { return is_hard_martian(a); }));
    require(s.mtu4 >= 68 && s.mtu6 >= 1280);
    require(s.lowest_ipv6_mtu >= 1280 && s.lowest_ipv6_mtu <= s.mtu6);
    require(!s.plateaus.empty() &&
            std::is_sorted(s.plateaus.begin(), s.plateaus.end(), std::greater<>()));
    require(!s.dscp || *s.dscp <= 63);
    require(!c.mapping_files.empty() && is_interface_name(c.tun.name) && c.tun.queues <= 64);
    require(s.clients4.classify(Ipv4Address(0x7f000001)) == AddressClass::hard);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Config config;
    Diagnostics diagnostics;
    const bool good = parse_config(
        "main", std::string_view(reinterpret_cast<const char*>(data), size), config, diagnostics);
    require(good != has_errors(diagnostics));
    if (good) check(config);
    return 0;
}
