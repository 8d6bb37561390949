// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/address.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>

namespace xlat646 {
namespace {

/// inet_pton wants a terminated string; both families' texts fit in 46 bytes.
template <class Bytes> bool parse_bytes(int family, std::string_view text, Bytes& out) {
    char buffer[INET6_ADDRSTRLEN];
    if (text.empty() || text.size() >= sizeof buffer) return false;
    if (text.find('\0') != std::string_view::npos) return false;
    std::memcpy(buffer, text.data(), text.size());
    buffer[text.size()] = '\0';
    return inet_pton(family, buffer, out.data()) == 1;
}

} // namespace

std::optional<Ipv4Address> Ipv4Address::parse(std::string_view text) noexcept {
    Bytes b;
    if (!parse_bytes(AF_INET, text, b)) return std::nullopt;
    return from_bytes(b);
}

std::optional<Ipv6Address> Ipv6Address::parse(std::string_view text) noexcept {
    Bytes b;
    if (!parse_bytes(AF_INET6, text, b)) return std::nullopt;
    return from_bytes(b);
}

std::string Ipv4Address::to_string() const {
    char buffer[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, bytes().data(), buffer, sizeof buffer);
}

std::string Ipv6Address::to_string() const {
    // RFC 5952 section 5: the well-known prefix says that an IPv4 address is inside.
    if (high_ == 0x0064ff9b00000000ull && (low_ >> 32) == 0)
        return "64:ff9b::" + Ipv4Address(static_cast<std::uint32_t>(low_)).to_string();
    char buffer[INET6_ADDRSTRLEN];
    return inet_ntop(AF_INET6, bytes().data(), buffer, sizeof buffer);
}

template <class Address>
std::optional<Prefix<Address>> Prefix<Address>::parse(std::string_view text) noexcept {
    unsigned length = Address::width;
    const auto slash = text.find('/');
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0'))
            return std::nullopt;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), length);
        if (error != std::errc{} || end != digits.data() + digits.size() || length > Address::width)
            return std::nullopt;
        text = text.substr(0, slash);
    }
    const auto address = Address::parse(text);
    if (!address || masked(*address, length) != *address) return std::nullopt;
    return Prefix(*address, length);
}

template <class Address> std::string Prefix<Address>::to_string() const {
    return address_.to_string() + "/" + std::to_string(length_);
}

template class Prefix<Ipv4Address>;
template class Prefix<Ipv6Address>;

} // namespace xlat646
