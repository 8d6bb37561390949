// SPDX-License-Identifier: BSD-2-Clause
#include "tests/fuzz/packet_checks.hpp"

#include "translator/wire/segment.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#define XLAT646_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XLAT646_ASAN 1
#endif
#endif

namespace xlat646::fuzz {
namespace {

using test::Bytes;

/// Exactly the promised room. With AddressSanitizer around it, every step beyond is seen by that;
/// without, guard bytes catch writes.
class Buffer {
  public:
    Buffer(const std::uint8_t* bytes, std::size_t length)
        : size_(guard + packet_headroom + length + packet_tailroom + guard), area_(size_, fill) {
        data_ = area_.data() + guard + packet_headroom;
        if (length != 0) std::memcpy(data_, bytes, length);
    }
    std::uint8_t* data() { return data_; }
    bool holds(const Packet& p) const {
        const std::uint8_t* const end = area_.data() + size_ - guard;
        return p.data >= area_.data() + guard && p.data <= end &&
               p.length <= static_cast<std::size_t>(end - p.data);
    }
    bool is_intact() const {
        const auto is_fill = [](std::uint8_t b) { return b == fill; };
        return std::all_of(area_.data(), area_.data() + guard, is_fill) &&
               std::all_of(area_.data() + size_ - guard, area_.data() + size_, is_fill);
    }

  private:
#ifdef XLAT646_ASAN
    static constexpr std::size_t guard = 0;
#else
    static constexpr std::size_t guard = 256;
#endif
    static constexpr std::uint8_t fill = 0xa5;
    std::size_t size_;
    Bytes area_;
    std::uint8_t* data_ = nullptr;
};

std::string read_output(const Buffer& buffer, const Packet& packet, std::vector<Output>& outs) {
    if (!buffer.holds(packet)) return "output outside of the buffer";
    Output out;
    out.bytes.assign(packet.data, packet.data + packet.length);
    out.offload = packet.offload;
    const auto parsed = test::parse_packet(out.bytes.data(), out.bytes.size());
    if (!parsed || parsed->has_broken_chain) return "output is no whole packet";
    if (parsed->length != packet.length) return "length field and length of the output differ";
    out.parsed = *parsed;
    const std::size_t header =
        parsed->version == 4 ? 20 : 40u + (parsed->has_fragment_header ? 8u : 0u);
    if (parsed->transport != header) return "output has options or extension headers";
    if (parsed->version == 6 && (test::get32(out.bytes.data()) & 0xfffff) != 0)
        return "flow label is not 0";
    if (parsed->version == 4 && (out.bytes[6] & 0x80) != 0) return "reserved flag is set";
    outs.push_back(std::move(out));
    return {};
}

/// What a worker does with a packet of kind must_segment().
std::string check_cut(Variant& v, const Packet& super) {
    Segmenter segmenter;
    if (!segmenter.start(super)) return {}; // it will be refused
    for (Packet segment; segmenter.next(segment);) {
        if (v.translator->must_segment(segment)) return "a segment that must be cut again";
        const std::string wrong = check_packet(v, segment.data, segment.length, segment.offload);
        if (!wrong.empty()) return "segment: " + wrong;
    }
    return {};
}

std::string check_offload_is_plain(const std::vector<Output>& outs) {
    for (const Output& out : outs)
        if (out.offload != OffloadHeader{}) return "an offload header where none may be";
    return {};
}

} // namespace

bool Input::is_icmp_error() const {
    if (!parsed || !parsed->is_icmp() || parsed->offset != 0 || parsed->transport_length == 0)
        return false;
    const std::uint8_t type = transport()[0];
    return parsed->version == 4 ? type != 0 && type != 8 && (type < 13 || type > 18) : type < 128;
}

bool Input::is_canonical_partial() const {
    if (!is_partial() || !parsed || parsed->is_icmp()) return false;
    const auto field = test::checksum_field(*parsed);
    return field && offload.checksum_start == parsed->transport &&
           offload.checksum_offset == *field - parsed->transport;
}

Input Input::completed() const {
    Input done = *this;
    const std::size_t start = offload.checksum_start;
    const std::size_t field = start + offload.checksum_offset;
    if (!is_partial() || is_gso() || !parsed || is_canonical_partial()) return done;
    const std::size_t end = parsed->length; // trailing bytes are no part of the packet
    if (field + 2 > end) return done;       // nonsense, refused
    const auto sum =
        static_cast<std::uint16_t>(~test::plain_sum(bytes.data() + start, end - start));
    const std::uint16_t value = sum == 0 ? 0xffff : sum;
    if (field >= parsed->transport) {
        test::put16(&done.bytes[field], value);
    } else if (field + 1 == parsed->transport) {
        done.bytes[field + 1] = static_cast<std::uint8_t>(value);
    }
    done.offload = {};
    return done;
}

namespace {

/// A forwarded packet without the Identification and what depends on it: each translator has its
/// own.
test::Bytes comparable(const Packet& packet) {
    test::Bytes bytes(packet.data, packet.data + packet.length);
    if (bytes[0] >> 4 == 4)
        for (const std::size_t i : {4u, 5u, 10u, 11u})
            bytes[i] = 0;
    return bytes;
}

std::string differs_in_full(Variant& v, const std::uint8_t* bytes, std::size_t length,
                            const OffloadHeader& offload, const Packet& forwarded) {
    Buffer buffer(bytes, length);
    Packet packet;
    packet.data = buffer.data();
    packet.length = length;
    packet.offload = offload;
    const Outcome outcome = v.in_full->translate_fully(packet, *v.table);
    if (!outcome.is_forward()) return "the full way refuses it";
    if (packet.offload != forwarded.offload || comparable(packet) != comparable(forwarded))
        return "the full way makes something else of it";
    return "";
}

} // namespace

std::string check_packet(Variant& v, const std::uint8_t* bytes, std::size_t length,
                         const OffloadHeader& offload) {
    Input in;
    in.bytes.assign(bytes, bytes + length);
    in.offload = offload;
    in.parsed = test::parse_packet(bytes, length);

    Buffer buffer(bytes, length);
    Packet packet;
    packet.data = buffer.data();
    packet.length = length;
    packet.offload = offload;
    if (v.translator->must_segment(packet)) return check_cut(v, packet);
    const Outcome outcome = v.translator->translate(packet, *v.table);

    const bool is_ipv4 = length != 0 && bytes[0] >> 4 == 4;
    if ((v.translator->direction() == Direction::v4_to_v6) != is_ipv4) return "direction";
    if (v.translator->slot() != no_slot && v.translator->slot() >= v.table->slot_count())
        return "no such slot";
    if (outcome.verdict() == Verdict::drop) {
        if (v.translator->next_piece(packet)) return "a piece after a drop";
        return buffer.is_intact() ? "" : "written outside of the buffer";
    }
    if (!in.parsed) return "something came of a broken packet";

    if (outcome.is_forward()) {
        std::string wrong = differs_in_full(v, bytes, length, offload, packet);
        if (!wrong.empty()) return wrong;
    }
    std::vector<Output> outs;
    do {
        std::string wrong = read_output(buffer, packet, outs);
        if (!wrong.empty()) return wrong;
        if (outs.size() > 65536 / 8) return "pieces without end";
    } while (v.translator->next_piece(packet));
    if (!buffer.is_intact()) return "written outside of the buffer";

    if (outcome.is_forward() && in.parsed->has_broken_chain) return "a broken chain was translated";
    const Input completed = in.completed();
    if (outcome.is_forward()) return check_forward(v, completed, outs);
    if (outs.size() != 1) return "a reply in pieces";
    const std::string wrong = check_offload_is_plain(outs);
    if (!wrong.empty()) return wrong;
    if (outcome.is_echo_reply()) return check_echo_reply(v, completed, outs[0]);
    if (in.is_icmp_error() && completed.is_icmp_error()) // G4-03, G6-04
        return "an ICMP error about an ICMP error";
    return check_own_error(v, in, outs[0]);
}

void require_good(const std::string& wrong, const std::uint8_t* bytes, std::size_t length) {
    if (wrong.empty()) return;
    std::fprintf(stderr, "WRONG: %s\npacket:", wrong.c_str());
    for (std::size_t i = 0; i < length; ++i)
        std::fprintf(stderr, "%s%02x", i % 32 == 0 ? "\n  " : "", unsigned{bytes[i]});
    std::fprintf(stderr, "\n");
    std::abort();
}

} // namespace xlat646::fuzz
