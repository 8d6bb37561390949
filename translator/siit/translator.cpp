// SPDX-License-Identifier: BSD-2-Clause
#include "translator/siit/translator.hpp"

#include "translator/siit/trace.hpp"

#include <algorithm>

namespace xlat646 {

Translator::Translator(const Settings& settings)
    : settings_(settings), limit6_(std::min(settings.lowest_ipv6_mtu, settings.mtu6)),
      is_well_known_(settings.prefix.is_well_known()),
      may_be_martian6_(settings.prefix.prefix().address().high() == 0 ||
                       is_hard_martian(settings.prefix.prefix().address())),
      identification_(settings.secrets[0], settings.secrets[1]), limiter_(settings.icmp_rate),
      pool_state_(settings.secrets[2] | 1) {
    prefix_sum_.add(settings.prefix.prefix().address());
    if (settings.pool4.empty()) return;
    const auto [first, last] = std::minmax_element(settings.pool4.begin(), settings.pool4.end());
    pool_first_ = first->value();
    pool_span_ = last->value() - pool_first_;
}

Outcome Translator::translate(Packet& packet, const MappingTable& table) noexcept {
    const bool is_ipv4 = packet.length != 0 && packet.data[0] >> 4 == 4;
    if (is_ipv4 ? plain_v4_to_v6(packet, table) : plain_v6_to_v4(packet, table)) {
        direction_ = is_ipv4 ? Direction::v4_to_v6 : Direction::v6_to_v4;
        pieces_.remaining = 0;
        return Outcome::forward();
    }
    return translate_fully(packet, table);
}

Outcome Translator::translate_fully(Packet& packet, const MappingTable& table) noexcept {
    pieces_.remaining = 0;
    slot_ = no_slot;
    if (packet.length != 0 && packet.data[0] >> 4 == 4) {
        direction_ = Direction::v4_to_v6;
        return v4_to_v6(packet, table, Pass::only);
    }
    direction_ = Direction::v6_to_v4;
    return v6_to_v4(packet, table);
}

bool Translator::must_segment(const Packet& packet) const noexcept {
    if (packet.offload.gso_type != OffloadHeader::gso_udp || packet.length < Ipv4Header::size)
        return false;
    // Cutting would repair what is broken: only sound packets are cut, translate() drops the rest.
    const std::uint32_t datagram = std::uint32_t{packet.offload.gso_size} + 8;
    const auto is_sound = [&](const std::uint8_t* transport, std::size_t length, std::uint8_t proto,
                              bool is_fragment, bool is_ipv6) {
        Packet copy = packet;
        copy.length = static_cast<std::size_t>(transport - packet.data) + length;
        return normalize_offload(copy, transport, proto, is_fragment, is_ipv6);
    };
    if (packet.data[0] >> 4 == 4) {
        Ipv4View view;
        return datagram + Ipv6Header::size > limit6_ && parse(packet.data, packet.length, view) &&
               !view.header.df() &&
               is_sound(view.transport, view.transport_length, view.header.protocol,
                        view.is_fragment(), false);
    }
    Ipv6View view;
    std::uint32_t pointer = 0;
    return datagram + Ipv4Header::size > settings_.mtu4 &&
           parse(packet.data, packet.length, view) &&
           walk_extensions(view, view.transport_length, pointer) == ExtensionWalk::ok &&
           static_cast<std::size_t>(view.transport - packet.data) + datagram <= 1280 &&
           is_sound(view.transport, view.transport_length, view.protocol, view.has_fragment_header,
                    true);
}

bool Translator::is_one_of_pool(Ipv4Address a) const noexcept {
    return std::find(settings_.pool4.begin(), settings_.pool4.end(), a) != settings_.pool4.end();
}

Ipv4Address Translator::pool_address() noexcept {
    const auto& pool = settings_.pool4;
    if (pool.empty()) return settings_.own4; // S91-04
    // S91-03: at random (xorshift64).
    pool_state_ ^= pool_state_ << 13;
    pool_state_ ^= pool_state_ >> 7;
    pool_state_ ^= pool_state_ << 17;
    return pool[(pool_state_ >> 16) % pool.size()];
}

void Translator::clamp_mss(std::uint8_t* tcp, std::size_t length, bool is_partial) const noexcept {
    // T46-25: only SYN segments, only downwards.
    constexpr std::uint8_t syn = 0x02, end = 0, no_operation = 1, mss_option = 2;
    if (!clamps_mss() || length < 20 || (tcp[13] & syn) == 0) return;
    const std::uint16_t limit =
        settings_.tcp_mss_clamp.mode == MssClamp::Mode::fixed
            ? settings_.tcp_mss_clamp.bytes
            : static_cast<std::uint16_t>(std::min(
                  {settings_.mtu6 - 60, settings_.mtu4 - 40, std::uint32_t{largest_packet}}));
    const std::size_t header = std::min(length, (tcp[12] >> 4) * std::size_t{4});
    for (std::size_t at = 20; at < header && tcp[at] != end;) {
        if (tcp[at] == no_operation) {
            ++at;
            continue;
        }
        if (at + 2 > header || tcp[at + 1] < 2 || at + tcp[at + 1] > header) return;
        if (tcp[at] == mss_option && tcp[at + 1] == 4) {
            const auto old = load<Be16>(tcp + at + 2);
            if (old.value() <= limit) return;
            trace(Rule::mss_lowered);
            store(tcp + at + 2, Be16(limit));
            if (is_partial) return; // whoever completes the checksum sees the new value
            // An option may start at an odd offset: then its bytes count swapped.
            const auto word = [&](Be16 v) {
                return at % 2 == 0 ? v.raw_native() : byte_swap(v.raw_native());
            };
            const ChecksumSum delta = ChecksumSum()
                                          .add_native(static_cast<std::uint16_t>(~word(old)))
                                          .add_native(word(Be16(limit)));
            store_native16(tcp + 16, updated_checksum(load_native16(tcp + 16), delta));
            return;
        }
        at += tcp[at + 1];
    }
}

} // namespace xlat646
