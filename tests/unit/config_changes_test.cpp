// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/catch.hpp"
#include "translator/daemon/config_changes.hpp"

using namespace xlat646;
using Keys = std::vector<std::string>;

namespace {

constexpr std::string_view original = R"(translation_prefix: "2001:db8:46::/96"
mapping_files: [a.yaml, "b.yaml"]
mtu: { ipv4: 1500, ipv6: 1500 }
policy:
  hairpin: true
)";

} // namespace

TEST_CASE("config_changes: form makes no difference") {
    CHECK(changed_keys(original, original).empty());
    CHECK(changed_keys(original, R"(# the same
policy: { hairpin: true }
mapping_files:
  - "a.yaml"
  - b.yaml
mtu: { ipv6: 1500, ipv4: 1500 }
translation_prefix: 2001:db8:46::/96
)")
              .empty());
}

TEST_CASE("config_changes: changed, added and removed keys are named") {
    CHECK(changed_keys(original, R"(translation_prefix: "2001:db8:47::/96"
mapping_files: [b.yaml, a.yaml]
mtu: { ipv4: 1400, ipv6: 1500, lowest_ipv6: 1280 }
tun: { queues: 2 }
)") == Keys{"mapping_files", "mtu.ipv4", "mtu.lowest_ipv6", "policy.hairpin", "translation_prefix",
            "tun.queues"});
}

TEST_CASE("config_changes: maps in lists are looked into") {
    const std::string_view before = "readiness: { require: [{ ping4: 198.41.0.1 }] }\n";
    CHECK(changed_keys(before, "readiness: { require: [ { ping4: 198.41.0.1 } ] }\n").empty());
    for (const char* after : {"readiness: { require: [{ ping4: 198.41.0.2 }] }\n",
                              "readiness: { require: [{ ping6: 198.41.0.1 }] }\n"})
        CHECK(changed_keys(before, after) == Keys{"readiness.require"});
}
