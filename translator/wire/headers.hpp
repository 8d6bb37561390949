// SPDX-License-Identifier: BSD-2-Clause
//
// Headers of the exact wire size. They are copied out of and into packets (`load`, `store`), never
// overlaid: packets have no alignment and no known length.
#pragma once

#include "mapping/address.hpp"
#include "translator/wire/big_endian.hpp"
#include "translator/wire/checksum.hpp"

#include <cstring>
#include <type_traits>

namespace xlat646 {

template <class Header> Header load(const std::uint8_t* from) noexcept {
    static_assert(std::is_trivially_copyable_v<Header> && alignof(Header) == 1);
    Header h;
    std::memcpy(&h, from, sizeof h);
    return h;
}
template <class Header> void store(std::uint8_t* to, const Header& h) noexcept {
    static_assert(std::is_trivially_copyable_v<Header> && alignof(Header) == 1);
    std::memcpy(to, &h, sizeof h);
}

template <class T> void store_native(std::uint8_t* to, T native) noexcept {
    std::memcpy(to, &native, sizeof native);
}

/// The number whose bytes in memory are these fields, one behind the other, 8 bytes in all.
template <class... Fields> constexpr std::uint64_t in_memory_order(const Fields&... fields) {
    static_assert((sizeof(fields) + ...) == 8);
    std::uint64_t number = 0;
    unsigned at = 0; // bits in front
    const auto put = [&](auto field) {
        std::uint64_t bits;
        if constexpr (std::is_integral_v<decltype(field)>)
            bits = field;
        else
            bits = field.raw_native();
        constexpr unsigned width = 8 * sizeof field;
        number |= bits << (std::endian::native == std::endian::big ? 64 - at - width : at);
        at += width;
    };
    (put(fields), ...);
    return number;
}

/// IP protocol and next header numbers.
namespace protocol {
inline constexpr std::uint8_t hop_by_hop = 0;
inline constexpr std::uint8_t icmp4 = 1;
inline constexpr std::uint8_t igmp = 2;
inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;
inline constexpr std::uint8_t dccp = 33;
inline constexpr std::uint8_t routing = 43;
inline constexpr std::uint8_t fragment = 44;
inline constexpr std::uint8_t ah = 51;
inline constexpr std::uint8_t icmp6 = 58;
inline constexpr std::uint8_t no_next_header = 59;
inline constexpr std::uint8_t destination_options = 60;
inline constexpr std::uint8_t mobility = 135;
inline constexpr std::uint8_t udp_lite = 136;
inline constexpr std::uint8_t hip = 139;
inline constexpr std::uint8_t shim6 = 140;
} // namespace protocol

/// RFC 791 section 3.1, without options.
struct Ipv4Header {
    static constexpr std::size_t size = 20;
    static constexpr std::uint16_t dont_fragment = 0x4000;
    static constexpr std::uint16_t more_fragments = 0x2000;

    std::uint8_t version_ihl = 0x45;
    std::uint8_t tos = 0;
    Be16 total_length;
    Be16 identification;
    Be16 flags_and_offset;
    std::uint8_t ttl = 0;
    std::uint8_t protocol = 0;
    Be16 checksum;
    Be32 raw_source;
    Be32 raw_destination;

    unsigned version() const { return version_ihl >> 4; }
    unsigned header_length() const { return (version_ihl & 0x0fu) * 4; }
    bool df() const { return (flags_and_offset.value() & dont_fragment) != 0; }
    bool mf() const { return (flags_and_offset.value() & more_fragments) != 0; }
    /// In units of 8 bytes.
    unsigned fragment_offset() const { return flags_and_offset.value() & 0x1fffu; }
    bool is_fragment() const { return (flags_and_offset.value() & 0x3fff) != 0; }
    Ipv4Address source() const { return Ipv4Address(raw_source.value()); }
    Ipv4Address destination() const { return Ipv4Address(raw_destination.value()); }
    void set_source(Ipv4Address a) { raw_source = a.value(); }
    void set_destination(Ipv4Address a) { raw_destination = a.value(); }
    /// CK-09: computed afresh over these 20 bytes. Called, it would find them in memory and wait
    /// for them; see store().
    [[gnu::always_inline]] void set_checksum() {
        checksum = 0;
        checksum = Be16::from_native(sum().complement());
    }
    /// Of these 20 bytes; 0xffff when the checksum is right and there are no options.
    ChecksumSum sum() const {
        const std::uint64_t first = words_1_2(), second = words_3_4();
        return ChecksumSum()
            .add_native(static_cast<std::uint32_t>(first))
            .add_native(static_cast<std::uint32_t>(first >> 32))
            .add_native(static_cast<std::uint32_t>(second))
            .add_native(static_cast<std::uint32_t>(second >> 32))
            .add(raw_destination);
    }

    /// As they lie in memory; see store().
    std::uint64_t words_1_2() const {
        return in_memory_order(version_ihl, tos, total_length, identification, flags_and_offset);
    }
    std::uint64_t words_3_4() const { return in_memory_order(ttl, protocol, checksum, raw_source); }
};
static_assert(sizeof(Ipv4Header) == Ipv4Header::size && alignof(Ipv4Header) == 1);

/// In words from registers: a copy of fields that were just stored one by one would have to wait
/// until they have all reached the cache, half of the cost of a translation.
inline void store(std::uint8_t* to, const Ipv4Header& h) noexcept {
    store_native(to, h.words_1_2());
    store_native(to + 8, h.words_3_4());
    store_native(to + 16, h.raw_destination.raw_native());
}

/// RFC 8200 section 3.
struct Ipv6Header {
    static constexpr std::size_t size = 40;

    Be32 version_class_label;
    Be16 payload_length;
    std::uint8_t next_header = 0;
    std::uint8_t hop_limit = 0;
    Be64 raw_source[2];
    Be64 raw_destination[2];

    unsigned version() const { return version_class_label.value() >> 28; }
    std::uint8_t traffic_class() const {
        return static_cast<std::uint8_t>(version_class_label.value() >> 20);
    }
    /// Also writes version 6 and flow label 0 (T46-02).
    void set_traffic_class(std::uint8_t tc) {
        version_class_label = 0x60000000u | (std::uint32_t{tc} << 20);
    }
    Ipv6Address source() const { return {raw_source[0].value(), raw_source[1].value()}; }
    Ipv6Address destination() const {
        return {raw_destination[0].value(), raw_destination[1].value()};
    }
    void set_source(const Ipv6Address& a) {
        raw_source[0] = a.high();
        raw_source[1] = a.low();
    }
    void set_destination(const Ipv6Address& a) {
        raw_destination[0] = a.high();
        raw_destination[1] = a.low();
    }
};
static_assert(sizeof(Ipv6Header) == Ipv6Header::size && alignof(Ipv6Header) == 1);

/// As for Ipv4Header.
inline void store(std::uint8_t* to, const Ipv6Header& h) noexcept {
    store_native(
        to, in_memory_order(h.version_class_label, h.payload_length, h.next_header, h.hop_limit));
    store_native(to + 8, h.raw_source[0].raw_native());
    store_native(to + 16, h.raw_source[1].raw_native());
    store_native(to + 24, h.raw_destination[0].raw_native());
    store_native(to + 32, h.raw_destination[1].raw_native());
}

/// RFC 8200 section 4.5.
struct FragmentHeader {
    static constexpr std::size_t size = 8;

    std::uint8_t next_header = 0;
    std::uint8_t reserved = 0;
    Be16 offset_and_more;
    Be32 identification;

    /// In units of 8 bytes.
    unsigned offset() const { return offset_and_more.value() >> 3; }
    bool more() const { return (offset_and_more.value() & 1) != 0; }
    void set_offset(unsigned units, bool more_follow) {
        offset_and_more = static_cast<std::uint16_t>((units << 3) | (more_follow ? 1u : 0u));
    }
};
static_assert(sizeof(FragmentHeader) == FragmentHeader::size && alignof(FragmentHeader) == 1);

/// RFC 792 and RFC 4443: both families begin alike.
struct IcmpHeader {
    static constexpr std::size_t size = 8;

    std::uint8_t type = 0;
    std::uint8_t code = 0;
    Be16 checksum;
    Be32 rest; ///< identifier and sequence, or pointer, MTU, length attribute
};
static_assert(sizeof(IcmpHeader) == IcmpHeader::size && alignof(IcmpHeader) == 1);

/// Offset of the checksum field in the transport header, 0 when the protocol has none that depends
/// on addresses (L4-01, L4-07..L4-10). ICMP is not meant here.
constexpr unsigned checksum_offset(std::uint8_t proto) {
    switch (proto) {
    case protocol::tcp: return 16;
    case protocol::udp:
    case protocol::udp_lite:
    case protocol::dccp: return 6;
    default: return 0;
    }
}

inline std::uint16_t load_native16(const std::uint8_t* from) noexcept {
    std::uint16_t v;
    std::memcpy(&v, from, sizeof v);
    return v;
}
inline void store_native16(std::uint8_t* to, std::uint16_t native) noexcept {
    std::memcpy(to, &native, sizeof native);
}

} // namespace xlat646
