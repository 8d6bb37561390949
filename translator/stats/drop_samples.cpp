// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/drop_samples.hpp"

#include "translator/wire/headers.hpp"

#include <cstring>

namespace xlat646 {
namespace {

bool has_ports(std::uint8_t proto) {
    return proto == protocol::tcp || proto == protocol::udp || proto == protocol::udp_lite ||
           proto == protocol::dccp;
}

} // namespace

DropSample describe_packet(const std::uint8_t* packet, std::size_t length) noexcept {
    DropSample s;
    s.length = static_cast<std::uint32_t>(length);
    std::size_t transport = 0;
    if (length >= Ipv4Header::size && packet[0] >> 4 == 4) {
        const auto ip = load<Ipv4Header>(packet);
        s.ip_version = 4;
        s.protocol = ip.protocol;
        std::memcpy(s.source.data(), packet + 12, 4);
        std::memcpy(s.destination.data(), packet + 16, 4);
        if (ip.fragment_offset() == 0) transport = ip.header_length();
    } else if (length >= Ipv6Header::size && packet[0] >> 4 == 6) {
        const auto ip = load<Ipv6Header>(packet);
        s.ip_version = 6;
        s.protocol = ip.next_header;
        std::memcpy(s.source.data(), packet + 8, 16);
        std::memcpy(s.destination.data(), packet + 24, 16);
        transport = Ipv6Header::size;
    }
    if (transport != 0 && has_ports(s.protocol) && transport + 4 <= length) {
        s.has_ports = true;
        s.source_port = load<Be16>(packet + transport).value();
        s.destination_port = load<Be16>(packet + transport + 2).value();
    }
    return s;
}

std::string DropSample::to_string() const {
    if (ip_version == 0) return "no IP header, " + std::to_string(length) + " bytes";
    const auto address = [this](const std::array<std::uint8_t, 16>& a, std::uint16_t port) {
        std::string text;
        if (ip_version == 4) {
            text = Ipv4Address::from_bytes({a[0], a[1], a[2], a[3]}).to_string();
            if (has_ports) text += ":" + std::to_string(port);
        } else {
            text = Ipv6Address::from_bytes(a).to_string();
            if (has_ports) text = "[" + text + "]:" + std::to_string(port);
        }
        return text;
    };
    return address(source, source_port) + " > " + address(destination, destination_port) +
           ", protocol " + std::to_string(protocol) + ", " + std::to_string(length) + " bytes";
}

} // namespace xlat646
