// SPDX-License-Identifier: BSD-2-Clause
#include "translator/explain/packet_input.hpp"

#include "translator/wire/packet.hpp"

#include <memory>
#include <pcap/pcap.h>
#include <pcap/sll.h>

namespace xlat646 {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr unsigned vlan = 0x8100, service_vlan = 0x88a8, ipv4 = 0x0800, ipv6 = 0x86dd;

int value_of(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

/// Never a control character: what is wrong goes to a terminal.
std::string name_of(char c) {
    if (c > ' ' && c <= '~') return std::string("'") + c + "'";
    return "byte " + std::to_string(static_cast<unsigned char>(c));
}

/// "0x0010:" in front of each line of tcpdump, or "0x" in front of all.
std::string_view without_offset(std::string_view line) {
    const std::size_t start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos) return {};
    line.remove_prefix(start);
    if (!line.starts_with("0x") && !line.starts_with("0X")) return line;
    const std::size_t colon = line.find(':');
    line.remove_prefix(colon == 6 ? colon + 1 : 2);
    return line;
}

bool is_ip(Bytes bytes) { return !bytes.empty() && (bytes[0] >> 4 == 4 || bytes[0] >> 4 == 6); }

InputPacket checked(Bytes bytes, std::string note) {
    if (bytes.empty()) throw BadInput("there is no packet");
    if (bytes.size() > largest_packet) throw BadInput("more than 65535 bytes are no IP packet");
    if (!is_ip(bytes))
        throw BadInput("neither an IPv4 nor an IPv6 packet: it begins with version " +
                       std::to_string(bytes[0] >> 4));
    return {{bytes.begin(), bytes.end()}, std::move(note)};
}

Bytes behind(Bytes frame, std::size_t header) {
    if (frame.size() < header) throw BadInput("the frame is shorter than its link header");
    return frame.subspan(header);
}

Bytes ip_of_frame(Bytes frame, int link_type) {
    switch (link_type) {
    case DLT_EN10MB: return ip_of_ethernet(frame);
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6: return frame;
    case DLT_NULL:
    case DLT_LOOP: return behind(frame, 4);
    case DLT_LINUX_SLL: return behind(frame, SLL_HDR_LEN);
    case DLT_LINUX_SLL2: return behind(frame, SLL2_HDR_LEN);
    default: break;
    }
    const char* const name = pcap_datalink_val_to_name(link_type);
    throw BadInput("link type " + std::string(name != nullptr ? name : "") + " (" +
                   std::to_string(link_type) + ") is not known here");
}

/// An Ethernet address may begin as an IP header does: then the type decides, unless the length of
/// an IP packet is right.
bool is_frame(Bytes bytes) {
    if (!is_ip(bytes)) return true;
    if (bytes.size() < 15) return false;
    const auto word = [&](std::size_t at) { return bytes[at] * 256u + bytes[at + 1]; };
    const bool is_ipv4 = bytes[0] >> 4 == 4;
    if (is_ipv4 ? word(2) == bytes.size() : word(4) + 40 == bytes.size()) return false;
    return (word(12) == ipv4 && bytes[14] >> 4 == 4) || (word(12) == ipv6 && bytes[14] >> 4 == 6) ||
           word(12) == vlan || word(12) == service_vlan;
}

struct Close {
    void operator()(pcap_t* file) const { pcap_close(file); }
};

} // namespace

Bytes ip_of_ethernet(Bytes frame) {
    constexpr std::size_t addresses = 12;
    std::size_t at = addresses;
    for (;;) {
        if (frame.size() < at + 2) throw BadInput("the frame is shorter than its link header");
        const unsigned type = frame[at] * 256u + frame[at + 1];
        at += 2;
        if (type == ipv4 || type == ipv6) return frame.subspan(at);
        if (type != vlan && type != service_vlan)
            throw BadInput("an Ethernet frame of type " + std::to_string(type) +
                           " holds no IP packet");
        at += 2;
    }
}

InputPacket packet_from_hex(std::string_view text) {
    std::vector<std::uint8_t> bytes;
    int high = -1;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        for (const char c : without_offset(text.substr(0, end))) {
            if (c == ' ' || c == '\t' || c == '\r' || c == ':' || c == '-') {
                if (high >= 0) throw BadInput("a byte with one digit only");
                continue;
            }
            const int digit = value_of(c);
            if (digit < 0) throw BadInput("no hexadecimal digit: " + name_of(c));
            if (high >= 0) bytes.push_back(static_cast<std::uint8_t>(high * 16 + digit));
            high = high >= 0 ? -1 : digit;
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    if (high >= 0) throw BadInput("a byte with one digit only");
    if (!bytes.empty() && is_frame(bytes))
        return checked(ip_of_ethernet(bytes), "an Ethernet frame: its link header is left out");
    return checked(bytes, "");
}

InputPacket packet_from_capture(const std::string& path, std::uint32_t number) {
    char problem[PCAP_ERRBUF_SIZE] = "";
    const std::unique_ptr<pcap_t, Close> file(pcap_open_offline(path.c_str(), problem));
    if (!file) throw BadInput(problem);
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    for (std::uint32_t i = 1; i <= number; ++i) {
        const int result = pcap_next_ex(file.get(), &header, &data);
        if (result == PCAP_ERROR_BREAK)
            throw BadInput("there are " + std::to_string(i - 1) + " packets in it");
        if (result != 1)
            throw BadInput("packet " + std::to_string(i) + ": " + pcap_geterr(file.get()));
    }
    std::string note;
    if (header->caplen < header->len)
        note = "only " + std::to_string(header->caplen) + " of " + std::to_string(header->len) +
               " bytes were captured: what is missing counts as lost";
    return checked(ip_of_frame({data, header->caplen}, pcap_datalink(file.get())), std::move(note));
}

} // namespace xlat646
