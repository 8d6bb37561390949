// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/pcapng.hpp"

#include <algorithm>

namespace xlat646::pcapng {
namespace {

constexpr std::uint32_t section_type = 0x0a0d0d0a, byte_order = 0x1a2b3c4d;
constexpr std::uint32_t interface_type = 1, packet_type = 6;
constexpr std::uint16_t link_raw = 101;
constexpr std::uint16_t option_comment = 1;
constexpr std::uint16_t section_application = 4;
constexpr std::uint16_t interface_name = 2, interface_description = 3, interface_resolution = 9;
constexpr std::uint16_t packet_flags = 2;
constexpr std::uint32_t inbound = 1, outbound = 2;
constexpr std::size_t longest_option = 65535;

template <class T> void put(std::string& out, T number) {
    out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void pad(std::string& out) { out.append((4 - out.size() % 4) % 4, '\0'); }

void option(std::string& out, std::uint16_t code, std::string_view value) {
    value = value.substr(0, longest_option);
    put(out, code);
    put(out, static_cast<std::uint16_t>(value.size()));
    out.append(value);
    pad(out);
}

void end_of_options(std::string& out) { put(out, std::uint32_t{0}); }

/// Every part of `body` has been padded.
std::string block(std::uint32_t type, const std::string& body) {
    const auto length = static_cast<std::uint32_t>(body.size() + 12);
    std::string out;
    put(out, type);
    put(out, length);
    out += body;
    put(out, length);
    return out;
}

} // namespace

std::string section(std::string_view application) {
    std::string body;
    put(body, byte_order);
    put(body, std::uint16_t{1}); // version 1.0
    put(body, std::uint16_t{0});
    put(body, ~std::uint64_t{0}); // of unknown length
    option(body, section_application, application);
    end_of_options(body);
    return block(section_type, body);
}

std::string interface(std::string_view name, std::string_view description,
                      std::uint32_t snap_length) {
    std::string body;
    put(body, link_raw);
    put(body, std::uint16_t{0});
    put(body, snap_length);
    option(body, interface_name, name);
    option(body, interface_description, description);
    option(body, interface_resolution, "\x09"); // 10^-9 s
    end_of_options(body);
    return block(interface_type, body);
}

std::string packet(const PacketInfo& info, std::string_view kept) {
    std::string body;
    put(body, std::uint32_t{0}); // of the interface
    put(body, static_cast<std::uint32_t>(info.time_ns >> 32));
    put(body, static_cast<std::uint32_t>(info.time_ns));
    put(body, static_cast<std::uint32_t>(kept.size()));
    put(body, std::max(info.length, static_cast<std::uint32_t>(kept.size())));
    body.append(kept);
    pad(body);
    std::string flags;
    put(flags, info.is_outbound ? outbound : inbound);
    option(body, packet_flags, flags);
    if (!info.comment.empty()) option(body, option_comment, info.comment);
    end_of_options(body);
    return block(packet_type, body);
}

} // namespace xlat646::pcapng
