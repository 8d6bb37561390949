// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_policy.hpp"

#include "mapping/yaml_address.hpp"
#include "mapping/yaml_words.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

constexpr std::size_t largest_pool = 4096;

/// RFC 7600: what an IPv4 node without an address uses.
constexpr Ipv4Address dummy_ipv4(0xc0000008);

/// Matrix A52-01, A52-02. True when `out` was set.
bool read_prefix(ConfigSection& root, TranslationPrefix& out) {
    constexpr std::string_view key = "translation_prefix";
    const ConfigNode* node = root.find_scalar(key);
    if (node == nullptr) return false;
    const auto prefix = Ipv6Prefix::parse(node->text);
    if (!prefix) {
        root.error(key, node->at, explain_bad_ipv6(node->text, true));
        return false;
    }
    if (prefix->length() != 96) {
        root.error(key, node->at, prefix->to_string() + ": the length must be /96");
        return false;
    }
    const auto translation_prefix = TranslationPrefix::from(*prefix);
    if (!translation_prefix) {
        root.error(key, node->at,
                   prefix->to_string() + ": bits 64 to 71 must be zero (RFC 6052 section 2.2)");
        return false;
    }
    const Ipv6Block* block = find_block(prefix->address());
    if (block != nullptr && block->address_class == AddressClass::hard) {
        root.error(key, node->at,
                   prefix->to_string() + " lies in " + block->prefix.to_string() + " (" +
                       std::string(block->name) + "), which is never forwarded");
        return false;
    }
    out = *translation_prefix;
    return true;
}

void read_own_addresses(ConfigSection& root, bool has_prefix, Settings& settings) {
    ConfigSection own = root.section("own_addresses");
    settings.own4 = dummy_ipv4;
    if (const ConfigNode* node = own.find_scalar("ipv4")) {
        const auto address = Ipv4Address::parse(node->text);
        if (!address)
            own.error("ipv4", node->at, explain_bad_ipv4(node->text, false));
        else if (is_hard_martian(*address))
            own.error("ipv4", node->at, address->to_string() + " is no address of a host");
        else
            settings.own4 = *address;
    }
    settings.own6 = settings.prefix.embed(settings.own4);
    if (const ConfigNode* node = own.find_scalar("ipv6")) {
        const auto address = Ipv6Address::parse(node->text);
        if (!address)
            own.error("ipv6", node->at, explain_bad_ipv6(node->text, false));
        else if (is_hard_martian(*address))
            own.error("ipv6", node->at, address->to_string() + " is no address of a host");
        else
            settings.own6 = *address;
    } else if (has_prefix && settings.prefix.is_well_known() && find_block(settings.own4) &&
               find_block(settings.own4)->address_class != AddressClass::allowed) {
        // A52-06 speaks of packets; our own ICMPv6 errors are packets too.
        own.warning("ipv6", {},
                    "the default " + settings.own6.to_string() +
                        " joins the well-known prefix with a non-global address; set another");
    }
    own.finish();
}

void read_pool(ConfigSection& root, std::vector<Ipv4Address>& pool) {
    constexpr std::string_view key = "icmp_source_pool";
    const ConfigNode* list = root.find_list(key);
    if (list == nullptr) return;
    for (const ConfigNode& item : list->items) {
        if (!item.is_scalar()) continue;
        const auto prefix = Ipv4Prefix::parse(item.text);
        if (!prefix) {
            root.error(key, item.at, explain_bad_ipv4(item.text, true));
            continue;
        }
        const std::uint64_t size = std::uint64_t{1} << prefix->suffix_length();
        if (size > largest_pool - std::min(pool.size(), largest_pool)) {
            root.error(key, item.at,
                       "more than " + std::to_string(largest_pool) + " addresses in all");
            return;
        }
        for (std::uint32_t i = 0; i < size; ++i)
            pool.push_back(Ipv4Address(prefix->address().value() + i));
        const Ipv4Block* block = find_block(prefix->address());
        if (block == nullptr) continue;
        const std::string text = quote(item.text) + " is in " + block->prefix.to_string() + " (" +
                                 std::string(block->name) + ")";
        if (block->address_class == AddressClass::hard)
            root.error(key, item.at, text + ", which is never forwarded");
        else if (block->allowed_in_private) // S91-02
            root.warning(key, item.at, text + "; routers with source filters drop such errors");
    }
    const std::size_t written = pool.size();
    std::sort(pool.begin(), pool.end());
    pool.erase(std::unique(pool.begin(), pool.end()), pool.end());
    if (pool.size() != written) root.warning(key, list->at, "some addresses are listed twice");
}

} // namespace

void read_addresses(ConfigSection& root, Config& config) {
    const bool has_prefix = read_prefix(root, config.settings.prefix);
    read_own_addresses(root, has_prefix, config.settings);
    read_pool(root, config.settings.pool4);
}

} // namespace xlat646
