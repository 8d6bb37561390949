// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/digest.hpp"

#include "mapping/order.hpp"

#include <array>
#include <sha2.h>

namespace xlat646 {

std::string digest(const MappingList& list, const TranslationPrefix& prefix,
                   std::uint32_t lowest_ipv6_mtu) {
    SHA2_CTX context;
    SHA256Init(&context);
    const auto add = [&](const auto& bytes) { SHA256Update(&context, bytes.data(), bytes.size()); };
    const auto add_prefix = [&](const auto& p) {
        add(p.address().bytes());
        add(std::array{static_cast<std::uint8_t>(p.length())});
    };
    add_prefix(prefix.prefix());
    add(Ipv4Address(lowest_ipv6_mtu).bytes()); // as 4 bytes, most significant first
    for (const auto& m : order_by_ipv4(list)) {
        add_prefix(m.prefix);
        add_prefix(list.mappings[m.index].ipv6);
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
