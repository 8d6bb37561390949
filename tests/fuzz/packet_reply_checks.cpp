// SPDX-License-Identifier: BSD-2-Clause
//
// What the translator itself says: ICMP errors (matrix section 8) and echo replies (T46-24).
#include "tests/fuzz/packet_checks.hpp"

#include <algorithm>

namespace xlat646::fuzz {

using test::ChecksumState;
using test::Parsed;
using test::transport_checksum;

namespace {

bool comes_back(const Parsed& in, const Parsed& out) {
    return in.version == 4 ? out.destination4 == in.source4 : out.destination6 == in.source6;
}
bool is_from_own(const Settings& s, const Parsed& out) {
    return out.version == 4 ? out.source4 == s.own4 : out.source6 == s.own6;
}

} // namespace

std::string check_own_error(const Variant& v, const Input& in, const Output& out) {
    const Parsed& p = out.parsed;
    if (p.version != in.parsed->version) return "error in the other family";
    if (in.parsed->version == 4 && in.parsed->offset != 0) return "an error about a later fragment";
    if (in.parsed->version == 4 ? is_hard_martian(in.parsed->source4)
                                : is_hard_martian(in.parsed->source6))
        return "an error to a martian";
    if (!is_from_own(v.settings, p)) return "error not from our own address"; // G4-04, G6-05
    if (!comes_back(*in.parsed, p)) return "error not to the sender";
    if (!p.is_icmp() || p.is_fragment() || p.has_fragment_header) return "error is no ICMP message";
    if (p.hops != 64) return "error's TTL"; // G4-06, G6-09
    if (p.version == 4 && p.df) return "error with DF";
    if (transport_checksum(out.bytes.data(), p) != ChecksumState::valid) return "error's checksum";
    const std::uint8_t type = out.transport()[0];
    const bool known = p.version == 4 ? type == 3 || type == 11 : type >= 1 && type <= 4;
    if (!known) return "error's type";

    const std::size_t headers = p.version == 4 ? 28 : 48;
    const std::size_t limit = p.version == 4 ? 576 : 1280; // G4-05, G6-06
    if (out.bytes.size() > limit) return "error is too long";
    if (out.bytes.size() > in.bytes.size() + headers)
        return "error is longer than its cause"; // SEC-08
    if (in.is_gso() || in.is_partial()) return {};
    if (out.bytes.size() != headers + std::min(in.parsed->length, limit - headers))
        return "error does not quote as much as it may";
    if (!std::equal(out.bytes.begin() + static_cast<std::ptrdiff_t>(headers), out.bytes.end(),
                    in.bytes.begin()))
        return "quote is not what was received";
    return {};
}

std::string check_echo_reply(const Variant& v, const Input& in, const Output& out) {
    const Parsed& p = out.parsed;
    if (p.version != in.parsed->version || !p.is_icmp() || p.is_fragment()) return "no echo reply";
    if (!comes_back(*in.parsed, p)) return "echo reply not to the sender";
    const bool from_own = p.version == 4
                              ? p.source4 == v.settings.own4 && in.parsed->destination4 == p.source4
                              : p.source6 == in.parsed->destination6;
    if (!from_own) return "echo reply not from the address that was asked";
    if (out.bytes.size() > in.bytes.size()) return "echo reply is longer than the request";
    if (transport_checksum(out.bytes.data(), p) != ChecksumState::valid) return "reply's checksum";
    const std::uint8_t asked = p.version == 4 ? 8 : 128;
    const std::uint8_t answered = p.version == 4 ? 0 : 129;
    if (in.transport()[0] != asked || out.transport()[0] != answered) return "echo types";
    if (p.transport_length != in.parsed->transport_length ||
        !std::equal(out.transport() + 4, out.transport() + p.transport_length, in.transport() + 4))
        return in.is_partial() ? "" : "echo data";
    return {};
}

} // namespace xlat646::fuzz
