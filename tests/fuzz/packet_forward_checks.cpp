// SPDX-License-Identifier: BSD-2-Clause
//
// Packets that were translated: headers, addresses, pieces, payload, checksums, offload headers.
#include "tests/fuzz/packet_checks.hpp"
#include "translator/wire/segment.hpp"

#include <algorithm>

namespace xlat646::fuzz {

using test::Bytes;
using test::ChecksumState;
using test::Parsed;
using test::transport_checksum;

namespace {

bool is_hairpin(const Variant& v, const Parsed& in) {
    return in.version == 6 && v.table->contains(v.settings.prefix.extract(in.destination6));
}

/// Where the packet's source may have come from.
std::string check_addresses(const Variant& v, const Input& in, const Parsed& out) {
    const auto& prefix = v.settings.prefix;
    Ipv4Address source4 = in.parsed->source4; // between the families
    Ipv4Address destination4 = in.parsed->destination4;
    bool any_pool_source = false;
    if (in.parsed->version == 6) {
        MatchedIpv4 server{};
        if (v.table->find(in.parsed->source6, server))
            source4 = server.address;
        else if (in.is_icmp_error())
            any_pool_source = true; // S91-01
        else
            return "source without a mapping";
        destination4 = prefix.extract(in.parsed->destination6);
        if (!prefix.contains(in.parsed->destination6)) return "destination outside of the prefix";
    }
    const auto& pool = v.settings.pool4;
    const auto is_pool = [&](Ipv4Address a) {
        return pool.empty() ? a == v.settings.own4
                            : std::find(pool.begin(), pool.end(), a) != pool.end();
    };
    if (out.version == 4) {
        if (out.destination4 != destination4) return "destination";
        if (any_pool_source ? !is_pool(out.source4) : out.source4 != source4) return "source";
        return {};
    }
    MatchedIpv6 destination{};
    if (!v.table->find(destination4, destination)) return "destination without a mapping";
    if (out.destination6 != destination.address) return "destination";
    if (prefix.contains(out.source6)) {
        const Ipv4Address embedded = prefix.extract(out.source6);
        if (any_pool_source ? !is_pool(embedded) : embedded != source4) return "source";
        return {};
    }
    MatchedIpv6 router{}; // HP-03
    if (!in.is_icmp_error() || !v.table->find(source4, router) || out.source6 != router.address)
        return "source";
    return {};
}

std::string check_header(const Variant& v, const Input& in, const Output& out) {
    const Parsed& i = *in.parsed;
    const Parsed& o = out.parsed;
    const bool to_v4 = i.version == 6 && !is_hairpin(v, i);
    if (o.version != (to_v4 ? 4u : 6u)) return "family of the output";
    if (o.hops != i.hops - 1) return "hop limit"; // TTL-01, TTL-06
    const unsigned octet = v.settings.dscp ? *v.settings.dscp * 4u + (i.octet & 3u) : i.octet;
    if (o.octet != octet) return "traffic class"; // ECN-01, ECN-02
    if (i.is_icmp() ? !o.is_icmp() : o.protocol != i.protocol) return "protocol";
    return check_addresses(v, in, o);
}

/// Table 2.1 and F64-06: offsets, flags, identification, sizes.
std::string check_pieces(const Variant& v, const Input& in, const std::vector<Output>& outs) {
    const Parsed& i = *in.parsed;
    const Settings& s = v.settings;
    const bool whole = !i.is_fragment() && outs.size() == 1;
    const std::size_t limit6 = std::min(s.lowest_ipv6_mtu, s.mtu6);
    std::size_t offset = i.offset;
    for (std::size_t k = 0; k < outs.size(); ++k) {
        const Parsed& o = outs[k].parsed;
        const bool last = k + 1 == outs.size();
        if (whole) {
            if (o.is_fragment() || (o.version == 6 && o.has_fragment_header))
                return "a whole packet became a fragment"; // F46-02
        } else {
            if (o.offset != offset) return "fragment offset";
            if (o.more != (last ? i.more : true)) return "more fragments";
            if (!last && o.transport_length % 8 != 0) return "length of a piece";
            if (o.version == 6 && !o.has_fragment_header) return "no fragment header";
            if (o.identification != outs[0].parsed.identification) return "identification";
            if (o.version == 6 && o.identification > 0xffff) return "identification's high bits";
            if ((i.version == 4 || i.has_fragment_header) &&
                (o.identification & 0xffff) != (i.identification & 0xffff))
                return "identification is not the packet's own"; // F46-10, ID-04
        }
        if (in.is_gso() && !in.is_icmp_error() && outs[k].offload.gso_type != 0) {
            offset += o.transport_length;
            continue; // check_segments() looks at the sizes
        }
        const std::size_t size = outs[k].bytes.size();
        if (o.version == 4 && size > s.mtu4) return "larger than the IPv4 MTU";
        if (o.version == 6 && size > s.mtu6) return "larger than the IPv6 MTU";
        if (i.version == 4 && !i.df && size > limit6) return "larger than the lowest IPv6 MTU";
        if (o.version == 4 && !i.is_fragment()) { // T64-06
            const bool df = outs.size() == 1 && !i.has_fragment_header && size > 1260;
            if (o.df != df) return "DF";
        }
        offset += o.transport_length;
    }
    return {};
}

Bytes joined(const std::vector<Output>& outs) {
    Bytes all;
    for (const Output& out : outs)
        all.insert(all.end(), out.transport(), out.transport() + out.parsed.transport_length);
    return all;
}

/// Nothing but checksum, ICMP type and (clamped) MSS may differ.
std::string check_payload(const Variant& v, const Input& in, const std::vector<Output>& outs) {
    Bytes before(in.transport(), in.transport() + in.parsed->transport_length);
    Bytes after = joined(outs);
    if (before.size() != after.size()) return "length of the payload";
    if (const auto field = test::checksum_field(*in.parsed)) {
        const std::size_t at = *field - in.parsed->transport;
        for (Bytes* b : {&before, &after})
            (*b)[at] = (*b)[at + 1] = 0;
    }
    if (in.parsed->is_icmp() && !before.empty()) {
        const bool request = before[0] == 8 || before[0] == 128;
        const std::uint8_t reply = outs[0].parsed.version == 4 ? 0 : 129;
        const std::uint8_t wanted = request ? (reply == 0 ? 8 : 128) : reply;
        if (after[0] != wanted) return "echo type";
        before[0] = after[0];
    }
    const bool clamped = v.settings.tcp_mss_clamp.mode != MssClamp::Mode::off &&
                         in.parsed->protocol == 6 && in.parsed->offset == 0;
    const std::size_t from = clamped ? std::min<std::size_t>(60, before.size()) : 0;
    if (!std::equal(before.begin() + static_cast<std::ptrdiff_t>(from), before.end(),
                    after.begin() + static_cast<std::ptrdiff_t>(from)))
        return "payload";
    return {};
}

std::string check_checksum(const Input& in, const std::vector<Output>& outs) {
    const Parsed& i = *in.parsed;
    if (i.is_fragment() || in.is_gso()) return {};
    const Bytes all = joined(outs);
    Parsed whole = outs[0].parsed;
    whole.transport = 0;
    whole.transport_length = all.size();
    whole.more = false;
    whole.offset = 0;
    const auto field = test::checksum_field(whole);
    if (in.is_partial()) {
        if (!in.is_canonical_partial() || !field) return {};
        if (i.protocol == 136) return {}; // a partial checksum knows of no coverage
        const std::size_t seed = test::pseudo_sum(i, i.transport_length) % 0xffff;
        if (test::get16(in.transport() + *field) % 0xffff != seed) return {};
        if ((outs[0].offload.flags & 1) == 0) // completed on the way
            return test::plain_sum(all.data(), all.size(), test::pseudo_sum(whole, all.size())) ==
                           0xffff
                       ? ""
                       : "completed checksum";
        const std::size_t seed_out = test::pseudo_sum(whole, all.size()) % 0xffff;
        if (test::get16(all.data() + *field) % 0xffff != seed_out) return "partial checksum";
        return {};
    }
    const ChecksumState before = transport_checksum(in.bytes.data(), i);
    const ChecksumState after = transport_checksum(all.data(), whole);
    const bool udp_without = i.protocol == 17 && field && test::get16(in.transport() + *field) == 0;
    if (udp_without) {
        if (whole.version == 4 ? after != ChecksumState::none
                               : i.version == 4 && after != ChecksumState::valid)
            return "UDP without checksum"; // L4-02, L4-06
        return {};
    }
    if (i.protocol == 17 && field && test::get16(all.data() + *field) == 0)
        return "UDP checksum became 0"; // L4-03
    // A message of zeros with checksum 0 is wrong, and no difference can tell (CK-04).
    if (i.version == 4 && i.is_icmp() && test::plain_sum(in.transport(), i.transport_length) == 0)
        return {};
    if (before != after) return "a checksum changed from valid to wrong or back"; // L4-12
    return {};
}

std::string check_offload(const Input& in, const Output& out) {
    const OffloadHeader& o = out.offload;
    if (!in.is_gso() && !in.is_partial())
        return o == OffloadHeader{} ? "" : "an offload header out of nothing"; // GSO-10
    if ((o.flags & ~1) != 0) return "offload flags";
    if ((o.flags & 1) != 0) {
        if (o.checksum_start != out.parsed.transport) return "checksum start"; // GSO-03
        const auto field = test::checksum_field(out.parsed);
        if (!field || *field != out.parsed.transport + o.checksum_offset) return "checksum offset";
    }
    if (o.gso_type == 0) return {};
    if (!in.is_gso()) return "segments out of nothing";
    if ((o.gso_type & 0x80) != (in.offload.gso_type & 0x80)) return "ECN bit"; // ECN-05
    const int tcp = out.parsed.version == 4 ? 1 : 4;
    if ((o.gso_type & 0x7f) != (out.parsed.protocol == 17 ? 5 : tcp)) return "segment type";
    if (o.gso_size == 0 || o.gso_size > in.offload.gso_size) return "segment size";
    return {};
}

} // namespace

std::string check_segments(const Output& out) {
    const OffloadHeader& o = out.offload;
    const std::size_t header =
        out.parsed.protocol == 17 ? 8 : (out.transport()[12] >> 4) * std::size_t{4};
    if (o.header_length != out.parsed.transport + header) return "header length";
    if (out.parsed.transport_length <= header) return {};
    Bytes copy = out.bytes;
    Packet super;
    super.data = copy.data();
    super.length = copy.size();
    super.offload = o;
    Segmenter segmenter;
    if (!segmenter.start(super)) return "a super-packet that cannot be cut";
    Bytes data;
    std::uint32_t index = 0;
    for (Packet segment; segmenter.next(segment); ++index) {
        const auto p = test::parse_packet(segment.data, segment.length);
        if (!p || p->length != segment.length) return "broken segment";
        if (p->transport_length - header > o.gso_size) return "segment is too large";
        if (transport_checksum(segment.data, *p) != ChecksumState::valid)
            return "segment's checksum";
        const std::uint8_t* const transport = segment.data + p->transport;
        if (p->protocol == 6 &&
            test::get32(transport + 4) != test::get32(out.transport() + 4) + index * o.gso_size)
            return "sequence number";
        data.insert(data.end(), transport + header, transport + p->transport_length);
    }
    if (!std::equal(data.begin(), data.end(), out.transport() + header) ||
        data.size() + header != out.parsed.transport_length)
        return "segments do not add up";
    return {};
}

std::string check_forward(const Variant& v, const Input& in, const std::vector<Output>& outs) {
    for (const Output& out : outs) {
        std::string wrong = check_header(v, in, out);
        if (wrong.empty()) wrong = check_offload(in, out);
        if (!wrong.empty()) return wrong;
    }
    std::string wrong = check_pieces(v, in, outs);
    if (!wrong.empty()) return wrong;
    if (in.is_icmp_error())
        return outs.size() == 1 ? check_translated_error(v, in, outs[0]) : "an error in pieces";
    wrong = check_payload(v, in, outs);
    if (wrong.empty()) wrong = check_checksum(in, outs);
    if (!wrong.empty() || outs[0].offload.gso_type == 0) return wrong;

    // GSO-07, GSO-08: what counts is one segment. 8 bytes of data always fit.
    const Output& out = outs[0];
    const std::size_t segment = out.offload.header_length + std::size_t{out.offload.gso_size};
    const std::size_t mtu = out.parsed.version == 4 ? v.settings.mtu4
                            : in.parsed->version == 4 && !in.parsed->df
                                ? std::min(v.settings.lowest_ipv6_mtu, v.settings.mtu6)
                                : v.settings.mtu6;
    if (segment > std::max<std::size_t>(mtu, out.offload.header_length + 8u))
        return "segments larger than the MTU";
    return check_segments(out);
}

} // namespace xlat646::fuzz
