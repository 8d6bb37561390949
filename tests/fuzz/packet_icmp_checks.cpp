// SPDX-License-Identifier: BSD-2-Clause
//
// Translated ICMP errors: the message, the quoted packet, the extension (matrix sections 3, 4, 7,
// 12).
#include "tests/fuzz/packet_checks.hpp"

#include <algorithm>

namespace xlat646::fuzz {

using test::ChecksumState;
using test::get16;
using test::get32;
using test::Parsed;
using test::transport_checksum;

namespace {

struct Quote {
    const std::uint8_t* at;
    std::size_t length;
};

std::string check_extension(const Output& out, Quote& quote) {
    const std::uint8_t* const m = out.transport();
    const bool v4 = out.parsed.version == 4;
    const bool extensible = v4 ? m[0] == 3 || m[0] == 11 || m[0] == 12 : m[0] == 1 || m[0] == 3;
    const std::size_t attribute = extensible ? (v4 ? m[5] * 4u : m[4] * 8u) : 0;
    quote = {m + 8, out.parsed.transport_length - 8};
    if (attribute == 0) return {};
    if (attribute < 128) return "length attribute below 128"; // X84-02
    if (attribute >= quote.length) return "length attribute without extension";
    quote.length = attribute;
    return {};
}

std::string check_rest(const Variant& v, const Output& out) {
    const std::uint8_t* const m = out.transport();
    if (out.parsed.version == 6) {
        if (m[0] == 2 && (get32(m + 4) < 1280 || get32(m + 4) > std::max(v.settings.mtu6, 1280u)))
            return "MTU of packet too big"; // I46-05
        if (m[0] == 4 && get32(m + 4) >= 40) return "pointer";
        if (m[0] == 3 && (get32(m + 4) & 0xffffff) != 0) return "unused word";
    } else {
        if (m[0] == 3 && m[1] == 4 && get16(m + 6) > v.settings.mtu4) return "MTU"; // I64-03
        if (m[0] == 3 && m[1] != 4 && get16(m + 6) != 0) return "unused word";
        if (m[0] == 12 && m[4] >= 20) return "pointer";
    }
    return {};
}

std::string check_quote4(const Variant& v, const Output& out, const Quote& q) {
    if (q.length < 20 || q.at[0] != 0x45) return "quoted IPv4 header";
    if (test::plain_sum(q.at, 20) != 0xffff) return "quoted header's checksum";
    if (Ipv4Address(get32(q.at + 12)) != out.parsed.destination4) return "quoted source"; // I64-07
    if (!v.table->contains(Ipv4Address(get32(q.at + 16)))) return "quoted destination";
    if (q.at[9] == 1 && (get16(q.at + 6) & 0x1fff) == 0) {
        if (q.length == 20 || (q.at[20] != 0 && q.at[20] != 8)) return "quoted ICMP type";
    }
    if (q.at[9] == 58) return "quoted protocol";
    return {};
}

std::string check_quote6(const Variant& v, const Output& out, const Quote& q) {
    if (q.length < 40 || q.at[0] >> 4 != 6) return "quoted IPv6 header";
    Ipv6Address::Bytes source;
    Ipv6Address::Bytes destination;
    std::copy(q.at + 8, q.at + 24, source.begin());
    std::copy(q.at + 24, q.at + 40, destination.begin());
    if (Ipv6Address::from_bytes(source) != out.parsed.destination6) return "quoted source";
    if (!v.settings.prefix.contains(Ipv6Address::from_bytes(destination)))
        return "quoted destination"; // HP-02
    std::size_t header = 40;
    std::uint8_t next = q.at[6];
    std::size_t offset = 0;
    if (next == 44) { // INN-12
        if (q.length < 48) return "quoted fragment header";
        next = q.at[40];
        offset = get16(q.at + 42) & 0xfff8u;
        header = 48;
        if (get32(q.at + 44) > 0xffff) return "quoted identification";
    }
    if (next == 58 && offset == 0) {
        if (q.length == header || (q.at[header] != 128 && q.at[header] != 129))
            return "quoted ICMPv6 type";
    }
    if (next == 1) return "quoted protocol";
    return {};
}

} // namespace

std::string check_translated_error(const Variant& v, const Input& in, const Output& out) {
    const Parsed& p = out.parsed;
    if (!in.is_partial() && transport_checksum(in.bytes.data(), *in.parsed) != ChecksumState::valid)
        return "an error with a wrong checksum was translated"; // I46-03, I64-02
    if (out.offload != OffloadHeader{}) return "an offload header on an error";
    if (!p.is_icmp() || p.transport_length < 8) return "no ICMP message";
    const std::uint8_t type = out.transport()[0];
    const bool known =
        p.version == 4 ? type == 3 || type == 11 || type == 12 : type >= 1 && type <= 4;
    if (!known) return "an error became something else";
    if (transport_checksum(out.bytes.data(), p) != ChecksumState::valid)
        return "checksum of the error"; // INN-15
    const std::size_t limit =
        p.version == 6 ? 1280 : std::min(v.settings.icmp4_error_size, v.settings.mtu4);
    if (out.bytes.size() > limit) return "error is too long"; // F46-18, INN-14
    Quote quote{};
    std::string wrong = check_extension(out, quote);
    if (wrong.empty()) wrong = check_rest(v, out);
    if (!wrong.empty()) return wrong;
    return p.version == 4 ? check_quote4(v, out, quote) : check_quote6(v, out, quote);
}

} // namespace xlat646::fuzz
