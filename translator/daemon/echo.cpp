// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/echo.hpp"

#include "translator/wire/checksum.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/random.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr std::uint8_t hop_limit = 64;

EchoMessage make_echo(std::uint8_t type, const EchoContent& content, const ChecksumSum& pseudo) {
    EchoMessage message;
    IcmpHeader header;
    header.type = type;
    header.rest = static_cast<std::uint32_t>(getpid()) << 16; // the identifier
    std::copy(content.token.begin(), content.token.end(), message.begin() + IcmpHeader::size);
    std::copy(content.nonce.begin(), content.nonce.end(), message.end() - sizeof(Nonce));
    store(message.data(), header);
    header.checksum =
        Be16::from_native(ChecksumSum(pseudo).add(message.data(), echo_length).complement());
    store(message.data(), header);
    return message;
}

ChecksumSum pseudo_header(const Ipv6Address& source, const Ipv6Address& destination) {
    return ChecksumSum()
        .add(source)
        .add(destination)
        .add(Be16(std::uint16_t{echo_length}))
        .add(Be16(protocol::icmp6));
}

} // namespace

EchoMessage make_echo4(std::uint8_t type, const EchoContent& content) {
    return make_echo(type, content, {});
}

EchoMessage make_echo6(std::uint8_t type, const EchoContent& content, const Ipv6Address& source,
                       const Ipv6Address& destination) {
    return make_echo(type, content, pseudo_header(source, destination));
}

std::vector<std::uint8_t> make_packet(Ipv4Address source, Ipv4Address destination,
                                      const EchoMessage& message) {
    std::vector<std::uint8_t> bytes(Ipv4Header::size + echo_length);
    Ipv4Header header;
    header.total_length = static_cast<std::uint16_t>(bytes.size());
    header.flags_and_offset = Ipv4Header::dont_fragment;
    header.ttl = hop_limit;
    header.protocol = protocol::icmp4;
    header.set_source(source);
    header.set_destination(destination);
    header.set_checksum();
    store(bytes.data(), header);
    std::copy(message.begin(), message.end(), bytes.begin() + Ipv4Header::size);
    return bytes;
}

std::vector<std::uint8_t> make_packet(const Ipv6Address& source, const Ipv6Address& destination,
                                      const EchoMessage& message) {
    std::vector<std::uint8_t> bytes(Ipv6Header::size + echo_length);
    Ipv6Header header;
    header.set_traffic_class(0);
    header.payload_length = std::uint16_t{echo_length};
    header.next_header = protocol::icmp6;
    header.hop_limit = hop_limit;
    header.set_source(source);
    header.set_destination(destination);
    store(bytes.data(), header);
    std::copy(message.begin(), message.end(), bytes.begin() + Ipv6Header::size);
    return bytes;
}

bool is_packet(std::span<const std::uint8_t> bytes, Ipv4Address source, Ipv4Address destination,
               const EchoMessage& message) {
    if (bytes.size() != Ipv4Header::size + echo_length) return false;
    const auto header = load<Ipv4Header>(bytes.data());
    return header.version_ihl == 0x45 && header.sum().fold() == 0xffff &&
           header.total_length.value() == bytes.size() && !header.is_fragment() &&
           header.protocol == protocol::icmp4 && header.source() == source &&
           header.destination() == destination &&
           std::equal(message.begin(), message.end(), bytes.begin() + Ipv4Header::size);
}

bool is_packet(std::span<const std::uint8_t> bytes, const Ipv6Address& source,
               const Ipv6Address& destination, const EchoMessage& message) {
    if (bytes.size() != Ipv6Header::size + echo_length) return false;
    const auto header = load<Ipv6Header>(bytes.data());
    return header.version() == 6 && header.payload_length.value() == echo_length &&
           header.next_header == protocol::icmp6 && header.source() == source &&
           header.destination() == destination &&
           std::equal(message.begin(), message.end(), bytes.begin() + Ipv6Header::size);
}

EchoContent content_of(std::span<const std::uint8_t> message) {
    EchoContent content;
    if (message.size() != echo_length) return content;
    const auto begin = message.begin() + IcmpHeader::size;
    std::copy(begin, begin + sizeof content.token, content.token.begin());
    std::copy(begin + sizeof content.token, message.end(), content.nonce.begin());
    return content;
}

const Nonce& RecentNonces::renew() {
    Nonce nonce;
    if (getrandom(nonce.data(), nonce.size(), 0) != ssize_t{sizeof nonce})
        throw std::system_error(errno, std::generic_category(), "getrandom");
    if (nonces_.size() == most_) nonces_.pop_front();
    return nonces_.emplace_back(nonce);
}

bool RecentNonces::contains(const Nonce& nonce) const {
    return std::find(nonces_.begin(), nonces_.end(), nonce) != nonces_.end();
}

} // namespace xlat646
