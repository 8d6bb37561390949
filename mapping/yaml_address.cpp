// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/yaml_address.hpp"

#include "mapping/yaml_words.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace xlat646 {

namespace {

bool is_digits(std::string_view t) {
    return !t.empty() &&
           std::all_of(t.begin(), t.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string why_bad_ipv4(std::string_view text) {
    std::size_t parts = 0;
    for (std::string_view rest = text;;) {
        const std::size_t dot = rest.find('.');
        const std::string_view part = rest.substr(0, dot);
        ++parts;
        if (part.empty()) return "a number is missing";
        if (!is_digits(part)) return quote(part) + " is not a number";
        if (part.size() > 1 && part[0] == '0') return quote(part) + " has a leading zero";
        if (part.size() > 3 || (part.size() == 3 && part > "255"))
            return std::string(part.substr(0, 12)) + " is more than 255";
        if (dot == std::string_view::npos) break;
        rest.remove_prefix(dot + 1);
    }
    return "4 numbers are needed, not " + std::to_string(parts);
}

std::string why_bad_ipv6(std::string_view text) {
    if (text.find('%') != std::string_view::npos) return "a zone (%) is not allowed";
    if (text.find('[') != std::string_view::npos) return "write it without brackets";
    const std::size_t gap = text.find("::");
    if (text.ends_with(':') && !text.ends_with("::"))
        return "it ends in ':'; put addresses that end in '::' in quotes";
    if (gap != std::string_view::npos && text.find("::", gap + 1) != std::string_view::npos)
        return "'::' may stand only once";
    std::size_t groups = 0;
    for (std::string_view rest = text;;) {
        const std::size_t colon = rest.find(':');
        const std::string_view part = rest.substr(0, colon);
        const bool is_last = colon == std::string_view::npos;
        if (is_last && part.find('.') != std::string_view::npos) {
            if (!Ipv4Address::parse(part)) return why_bad_ipv4(part);
            groups += 2;
        } else if (!part.empty()) {
            const auto is_hex = [](char c) {
                return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
            };
            if (!std::all_of(part.begin(), part.end(), is_hex))
                return quote(part) + " is not a hexadecimal number";
            if (part.size() > 4) return quote(part) + " has more than 4 digits";
            ++groups;
        }
        if (is_last) break;
        rest.remove_prefix(colon + 1);
    }
    if (gap == std::string_view::npos && groups < 8)
        return "8 groups are needed, not " + std::to_string(groups) + " (no '::')";
    if (groups >= 8) return "too many groups";
    return "a group is missing";
}

struct Ipv4Words {
    using Address = Ipv4Address;
    static constexpr const char* article = "an IPv4 ";
    static bool is_other(std::string_view t) { return Ipv6Prefix::parse(t).has_value(); }
    static constexpr const char* other = "it is IPv6";
    static std::string why(std::string_view t) { return why_bad_ipv4(t); }
};
struct Ipv6Words {
    using Address = Ipv6Address;
    static constexpr const char* article = "an IPv6 ";
    static bool is_other(std::string_view t) { return Ipv4Prefix::parse(t).has_value(); }
    static constexpr const char* other = "it is IPv4";
    static std::string why(std::string_view t) { return why_bad_ipv6(t); }
};

std::string without_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

template <class Words> std::string why_bad(std::string_view text, bool prefix_allowed) {
    using Address = typename Words::Address;
    if (text.empty()) return "it is empty";
    if (without_blanks(text).size() != text.size()) return "it has blanks around it";
    if (Words::is_other(text)) return Words::other;
    const std::size_t slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (slash == std::string_view::npos) return Words::why(text);
    if (!prefix_allowed) return "a prefix length is not allowed here";
    if (!address) return Words::why(text.substr(0, slash));
    const std::string_view digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (!is_digits(digits)) return quote(digits) + " is not a prefix length";
    if (result.ec != std::errc() || length > Address::width)
        return "the prefix length is more than " + std::to_string(Address::width);
    if (digits.size() > 1 && digits[0] == '0') return "the prefix length has a leading zero";
    const Prefix<Address> prefix(*address, length);
    return "bits behind the prefix length are set; the prefix is " + prefix.to_string();
}

template <class Words> std::string explain(std::string_view text, bool prefix_allowed) {
    return quote(text) + " is not " + Words::article +
           (prefix_allowed ? "address or prefix" : "address") + ": " +
           why_bad<Words>(text, prefix_allowed);
}

} // namespace

std::string explain_bad_ipv4(std::string_view text, bool prefix_allowed) {
    return explain<Ipv4Words>(text, prefix_allowed);
}
std::string explain_bad_ipv6(std::string_view text, bool prefix_allowed) {
    return explain<Ipv6Words>(text, prefix_allowed);
}

} // namespace xlat646
