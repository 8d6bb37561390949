// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/digest.hpp"

#include <algorithm>
#include <sha2.h>

namespace xlat646 {

std::string digest(const MappingList& list, const TranslationPrefix& prefix,
                   std::uint32_t lowest_ipv6_mtu) {
    std::vector<const Eam*> sorted;
    sorted.reserve(list.mappings.size());
    for (const Eam& m : list.mappings)
        sorted.push_back(&m);
    std::sort(sorted.begin(), sorted.end(),
              [](const Eam* a, const Eam* b) { return a->ipv4 < b->ipv4; });

    SHA2_CTX context;
    SHA256Init(&context);
    const auto add = [&](const auto& bytes) { SHA256Update(&context, bytes.data(), bytes.size()); };
    const auto add_prefix = [&](const auto& p) {
        add(p.address().bytes());
        add(std::array{static_cast<std::uint8_t>(p.length())});
    };
    add_prefix(prefix.prefix());
    add(Ipv4Address(lowest_ipv6_mtu).bytes()); // as 4 bytes, most significant first
    for (const Eam* m : sorted) {
        add_prefix(m->ipv4);
        add_prefix(m->ipv6);
    }
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> raw;
    SHA256Final(raw.data(), &context);

    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t b : raw) {
        text += digits[b >> 4];
        text += digits[b & 15];
    }
    return text;
}

} // namespace xlat646
