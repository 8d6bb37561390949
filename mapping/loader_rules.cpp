// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/loader_rules.hpp"

#include "mapping/special_purpose.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

/// The most specific block around all of `prefix`, or any block inside it that `refuses`.
template <class Block, class Address, class Refuses>
const Block* deciding_block(std::span<const Block> blocks, const Prefix<Address>& prefix,
                            Refuses refuses) {
    const Block* around = nullptr;
    for (const Block& b : blocks) {
        if (b.prefix.contains(prefix)) {
            if (around == nullptr || b.prefix.length() >= around->prefix.length()) around = &b;
        } else if (prefix.contains(b.prefix) && refuses(b)) {
            return &b;
        }
    }
    return around;
}

template <class Block> std::string describe(const Block& b) {
    return b.prefix.to_string() + " (" + std::string(b.name) + ")";
}

template <class Address> std::string text_of(const Prefix<Address>& p) {
    return p.is_host() ? p.address().to_string() : p.to_string();
}

} // namespace

PairRules::PairRules(const LoaderRules* rules, YamlReport& report)
    : rules_(rules), report_(report), warnings4_(ipv4_blocks().size()),
      warnings6_(ipv6_blocks().size()) {
    if (rules == nullptr) return;
    pool4_ = rules->pool4;
    std::sort(pool4_.begin(), pool4_.end());
}

template <class Address>
void PairRules::warn(std::vector<Warning>& warnings, std::size_t block,
                     const Prefix<Address>& prefix, std::uint32_t file, TextPosition at) {
    Warning& w = warnings[block];
    if (w.count++ == 0) {
        w.file = file;
        w.at = at;
        w.first = text_of(prefix);
    }
}

void PairRules::check_ipv4(const Ipv4Prefix& prefix, std::uint32_t file, TextPosition at) {
    const auto refuses = [](const Ipv4Block& b) { return b.address_class == AddressClass::hard; };
    if (const Ipv4Block* b = deciding_block(ipv4_blocks(), prefix, refuses)) {
        if (refuses(*b))
            report_.error(file, at,
                          "ipv4: " + text_of(prefix) + " cannot be mapped: it lies in or covers " +
                              describe(*b) + ", which is never translated");
        else if (b->address_class == AddressClass::denied)
            warn(warnings4_, static_cast<std::size_t>(b - ipv4_blocks().data()), prefix, file, at);
    }
    if (rules_ == nullptr) return;
    if (prefix.contains(rules_->own4))
        report_.error(file, at,
                      "ipv4: " + text_of(prefix) + " is or covers the translator's own address " +
                          rules_->own4.to_string());
    const auto member = std::lower_bound(pool4_.begin(), pool4_.end(), prefix.address());
    if (member != pool4_.end() && prefix.contains(*member) && *member != rules_->own4)
        report_.error(file, at,
                      "ipv4: " + text_of(prefix) + " is or covers " + member->to_string() +
                          " of icmp_source_pool");
}

void PairRules::check_ipv6(const Ipv6Prefix& prefix, std::uint32_t file, TextPosition at) {
    const auto refuses = [](const Ipv6Block& b) { return b.pair == PairUse::no; };
    const bool in_own_prefix = rules_ != nullptr && rules_->prefix.prefix().overlaps(prefix);
    if (in_own_prefix) {
        report_.error(file, at,
                      "ipv6: " + text_of(prefix) + " overlaps the translation prefix " +
                          rules_->prefix.prefix().to_string() +
                          ", whose addresses stand for IPv4 clients");
    } else if (const Ipv6Block* b = deciding_block(ipv6_blocks(), prefix, refuses)) {
        if (refuses(*b))
            report_.error(file, at,
                          "ipv6: " + text_of(prefix) + " cannot be mapped: it lies in or covers " +
                              describe(*b) + ", which no server can use");
        else if (b->pair == PairUse::warn)
            warn(warnings6_, static_cast<std::size_t>(b - ipv6_blocks().data()), prefix, file, at);
    }
    if (rules_ != nullptr && !in_own_prefix && prefix.contains(rules_->own6))
        report_.error(file, at,
                      "ipv6: " + text_of(prefix) + " is or covers the translator's own address " +
                          rules_->own6.to_string());
}

void PairRules::check_lengths(const Eam& mapping, std::uint32_t file, TextPosition at) {
    if (mapping.ipv4.suffix_length() <= mapping.ipv6.suffix_length()) return;
    const unsigned longest = 128 - mapping.ipv4.suffix_length();
    report_.error(file, at,
                  "ipv6: " + text_of(mapping.ipv6) + " has less room than " +
                      text_of(mapping.ipv4) + ": its length may be at most /" +
                      std::to_string(longest));
}

void PairRules::report_warnings() {
    const auto say = [&](const Warning& w, const char* key, const std::string& block) {
        if (w.count == 0) return;
        std::string more;
        if (w.count > 1) more = ", like " + std::to_string(w.count - 1) + " more";
        report_.warning(w.file, w.at, key + w.first + " is in " + block + more);
    };
    for (std::size_t i = 0; i < warnings4_.size(); ++i)
        say(warnings4_[i], "ipv4: ", describe(ipv4_blocks()[i]));
    for (std::size_t i = 0; i < warnings6_.size(); ++i)
        say(warnings6_[i], "ipv6: ", describe(ipv6_blocks()[i]));
}

} // namespace xlat646
