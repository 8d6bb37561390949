// SPDX-License-Identifier: BSD-2-Clause
#include "translator/explain/packet_fields.hpp"

#include "translator/siit/icmp_tables.hpp"
#include "translator/wire/headers.hpp"

#include <cstdio>

namespace xlat646 {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::string hex16(std::uint32_t value) {
    char text[8];
    std::snprintf(text, sizeof text, "0x%04x", value & 0xffffu);
    return text;
}

std::string protocol_text(std::uint8_t number) {
    const char* name = nullptr;
    switch (number) {
    case protocol::icmp4: name = "ICMP"; break;
    case protocol::tcp: name = "TCP"; break;
    case protocol::udp: name = "UDP"; break;
    case protocol::dccp: name = "DCCP"; break;
    case protocol::icmp6: name = "ICMPv6"; break;
    case protocol::udp_lite: name = "UDP-Lite"; break;
    case protocol::no_next_header: name = "none"; break;
    default: return std::to_string(number);
    }
    return std::to_string(number) + " " + name;
}

class Reader {
  public:
    std::vector<PacketField> read(Bytes packet) {
        ip(packet, "", 0);
        return std::move(fields_);
    }

  private:
    void add(const std::string& before, const char* name, std::string value) {
        fields_.push_back({before + name, std::move(value)});
    }

    void ip(Bytes packet, const std::string& before, unsigned depth) {
        if (packet.empty()) return;
        if (packet[0] >> 4 == 4)
            ipv4(packet, before, depth);
        else if (packet[0] >> 4 == 6)
            ipv6(packet, before, depth);
        else
            add(before, "version", std::to_string(packet[0] >> 4));
    }

    void ipv4(Bytes packet, const std::string& before, unsigned depth) {
        add(before, "version", "4");
        if (packet.size() < Ipv4Header::size) return add(before, "cut off", "in the IPv4 header");
        const auto h = load<Ipv4Header>(packet.data());
        add(before, "header bytes", std::to_string(h.header_length()));
        add(before, "traffic class", hex16(h.tos));
        add(before, "length field", std::to_string(h.total_length.value()));
        add(before, "identification", hex16(h.identification.value()));
        add(before, "DF", h.df() ? "1" : "0");
        if (h.is_fragment()) fragment(before, h.fragment_offset(), h.mf());
        add(before, "hop limit", std::to_string(h.ttl));
        add(before, "protocol", protocol_text(h.protocol));
        add(before, "header checksum", hex16(h.checksum.value()));
        add(before, "source", h.source().to_string());
        add(before, "destination", h.destination().to_string());
        if (h.header_length() < Ipv4Header::size || h.header_length() > packet.size()) return;
        if (h.fragment_offset() != 0) return;
        transport(packet.subspan(h.header_length()), h.protocol, before, depth);
    }

    void fragment(const std::string& before, unsigned units, bool more) {
        add(before, "fragment",
            std::to_string(units * 8) + (more ? ", more follow" : ", the last"));
    }

    void ipv6(Bytes packet, const std::string& before, unsigned depth) {
        add(before, "version", "6");
        if (packet.size() < Ipv6Header::size) return add(before, "cut off", "in the IPv6 header");
        const auto h = load<Ipv6Header>(packet.data());
        std::size_t at = Ipv6Header::size;
        std::uint8_t next = h.next_header;
        std::string extensions;
        bool is_later = false;
        add(before, "traffic class", hex16(h.traffic_class()));
        add(before, "flow label", std::to_string(h.version_class_label.value() & 0xfffffu));
        add(before, "length field", std::to_string(h.payload_length.value()));
        const std::size_t place = fields_.size();
        while (at + 8 <= packet.size() &&
               (next == protocol::hop_by_hop || next == protocol::routing ||
                next == protocol::fragment || next == protocol::destination_options)) {
            extensions += (extensions.empty() ? "" : ", ") + std::to_string(next);
            std::size_t size = (packet[at + 1] + std::size_t{1}) * 8;
            if (next == protocol::fragment) {
                const auto f = load<FragmentHeader>(packet.data() + at);
                add(before, "identification", hex16(f.identification.value()));
                fragment(before, f.offset(), f.more());
                is_later = f.offset() != 0;
                size = FragmentHeader::size;
            }
            next = packet[at];
            at += size;
            if (is_later) break;
        }
        if (!extensions.empty())
            fields_.insert(fields_.begin() + static_cast<std::ptrdiff_t>(place),
                           {before + "extension headers", extensions});
        add(before, "hop limit", std::to_string(h.hop_limit));
        add(before, "protocol", protocol_text(next));
        add(before, "source", h.source().to_string());
        add(before, "destination", h.destination().to_string());
        if (!is_later && at <= packet.size()) transport(packet.subspan(at), next, before, depth);
    }

    void transport(Bytes bytes, std::uint8_t proto, const std::string& before, unsigned depth) {
        const auto word = [&](std::size_t at) {
            return std::uint32_t{bytes[at]} << 8 | std::uint32_t{bytes[at + 1]};
        };
        if (proto == protocol::tcp || proto == protocol::udp || proto == protocol::udp_lite ||
            proto == protocol::dccp) {
            if (bytes.size() < 4) return;
            add(before, "ports", std::to_string(word(0)) + " to " + std::to_string(word(2)));
            const std::size_t field = checksum_offset(proto);
            if (bytes.size() >= field + 2) add(before, "checksum", hex16(word(field)));
        } else if (proto == protocol::icmp4 || proto == protocol::icmp6) {
            if (bytes.size() < IcmpHeader::size) return;
            add(before, "ICMP type/code",
                std::to_string(bytes[0]) + "/" + std::to_string(bytes[1]));
            add(before, "checksum", hex16(word(2)));
            const bool is_v4 = proto == protocol::icmp4;
            const bool is_error =
                is_v4 ? icmp::v4::is_error(bytes[0]) : icmp::v6::is_error(bytes[0]);
            add(before, "ICMP second word",
                std::to_string(word(4)) + ", " + std::to_string(word(6)));
            if (is_error && depth == 0) ip(bytes.subspan(IcmpHeader::size), "quoted ", depth + 1);
        }
    }

    std::vector<PacketField> fields_;
};

} // namespace

std::vector<PacketField> fields_of(Bytes packet) { return Reader().read(packet); }

} // namespace xlat646
