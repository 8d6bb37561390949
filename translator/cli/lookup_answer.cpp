// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/lookup_answer.hpp"

#include "translator/siit/translator.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace xlat646 {
namespace {

constexpr std::size_t udp_size = 8;

/// A UDP datagram without data, its checksum anything but 0: it is updated, not judged.
class Probe {
  public:
    Probe(Ipv4Address from, Ipv4Address to) {
        Ipv4Header header;
        header.total_length = static_cast<std::uint16_t>(Ipv4Header::size + udp_size);
        header.ttl = 64;
        header.protocol = protocol::udp;
        header.set_source(from);
        header.set_destination(to);
        header.set_checksum();
        store(start(), header);
        finish(Ipv4Header::size);
    }
    Probe(const Ipv6Address& from, const Ipv6Address& to) {
        Ipv6Header header;
        header.set_traffic_class(0);
        header.payload_length = static_cast<std::uint16_t>(udp_size);
        header.next_header = protocol::udp;
        header.hop_limit = 64;
        header.set_source(from);
        header.set_destination(to);
        store(start(), header);
        finish(Ipv6Header::size);
    }
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    Outcome send(Translator& translator, const MappingTable& table) {
        return translator.translate(packet_, table);
    }
    /// Of what came out.
    AnyAddress source() const {
        if (is_ipv4()) return load<Ipv4Header>(packet_.data).source();
        return load<Ipv6Header>(packet_.data).source();
    }
    AnyAddress destination() const {
        if (is_ipv4()) return load<Ipv4Header>(packet_.data).destination();
        return load<Ipv6Header>(packet_.data).destination();
    }

  private:
    std::uint8_t* start() { return buffer_.data() + packet_headroom; }
    bool is_ipv4() const { return packet_.data[0] >> 4 == 4; }
    void finish(std::size_t header_size) {
        std::uint8_t* const udp = start() + header_size;
        udp[5] = udp_size;
        udp[6] = 0x64;
        udp[7] = 0x66;
        packet_.data = start();
        packet_.length = header_size + udp_size;
    }

    // An ICMP error quotes up to 1232 bytes, never more than there are.
    std::array<std::uint8_t, packet_headroom + 256 + packet_tailroom> buffer_{};
    Packet packet_;
};

std::uint64_t no_time() { return 0; }

bool is_of_pool(const Settings& s, Ipv4Address a) {
    return std::find(s.pool4.begin(), s.pool4.end(), a) != s.pool4.end();
}

/// So that only one side of a packet is judged: whatever the other is, it may pass.
Settings without_policy(const Settings& settings) {
    Settings s = settings;
    s.clients4 = Ipv4Classifier(Profile::any);
    s.drop_spoofed_pairs = false;
    s.hairpin = true;
    return s;
}

/// An ordinary address on the Internet that nothing else is known of. One for each /8: a table that
/// maps all of them leaves none.
Ipv4Address free_client(const Settings& s, const MappingTable& table, Ipv4Address not_this = {}) {
    const Ipv4Classifier internet(Profile::internet);
    for (std::uint32_t first = 1; first < 224; ++first) {
        const Ipv4Address a((first << 24) | 0x00070707);
        if (a != not_this && internet.classify(a) == AddressClass::allowed && a != s.own4 &&
            !is_of_pool(s, a) && !table.contains(a))
            return a;
    }
    const Ipv4Address last(0x08080808);
    return last != not_this ? last : Ipv4Address(0x09090909);
}

/// A server that always exists, and `more`.
struct Servers {
    Ipv6Address ipv6;
    Ipv4Address ipv4;
    std::unique_ptr<const MappingTable> table;
};
Servers made_up_servers(const Settings& s, const MappingTable& known, Ipv4Address not_this,
                        const Eam* more) {
    Servers servers;
    servers.ipv4 = free_client(s, known, not_this);
    servers.ipv6 = Ipv6Address(0x20010db800000646, 0x646);
    while (s.prefix.contains(servers.ipv6) || s.own6 == servers.ipv6 ||
           known.contains(servers.ipv6))
        servers.ipv6 = Ipv6Address(servers.ipv6.high() + 0x10000, 0x646);
    MappingList list;
    Eam pair;
    pair.ipv4 = Ipv4Prefix(servers.ipv4, 32);
    pair.ipv6 = Ipv6Prefix(servers.ipv6, 128);
    list.mappings.push_back(pair);
    if (more != nullptr) {
        list.mappings.push_back(*more);
        list.mappings.back().name = list.mappings.back().tenant = 0;
    }
    servers.table = MappingTable::build(std::move(list), nullptr, 1);
    return servers;
}

LookupAnswer refused(DropReason reason, LookupRule rule = LookupRule::none) {
    return {rule, std::nullopt, nullptr, reason};
}

struct WithClock {
    Settings settings;
    explicit WithClock(const Settings& s) : settings(s) { settings.now_ms = no_time; }
};

/// The IPv4 address as that of a client of some server.
LookupAnswer look_up_client(Ipv4Address address, const Settings& settings,
                            const MappingTable& table) {
    const Servers servers = made_up_servers(settings, table, address, nullptr);
    Translator translator(settings);
    Probe probe(address, servers.ipv4);
    const Outcome outcome = probe.send(translator, *servers.table);
    if (!outcome.is_forward()) return refused(outcome.reason());
    return {LookupRule::translation_prefix, probe.source(), nullptr, std::nullopt};
}

/// The IPv6 address as the destination of some server's packet.
LookupAnswer look_up_destination(const Ipv6Address& address, const Settings& settings,
                                 const MappingTable& table) {
    Ipv4Address client;
    const Eam* turned = nullptr;
    MatchedIpv6 found;
    if (settings.prefix.contains(address)) {
        client = settings.prefix.extract(address);
        if (table.find(client, found)) turned = table.list().with_slot(found.slot);
    }
    const Servers servers = made_up_servers(settings, table, client, turned);
    Translator translator(settings);
    Probe probe(servers.ipv6, address);
    const Outcome outcome = probe.send(translator, *servers.table);
    if (outcome.is_forward())
        return {turned != nullptr ? LookupRule::hairpin : LookupRule::translation_prefix,
                probe.destination(), turned, std::nullopt};
    // What the translator does with packets to itself, and to a pool where nobody is.
    if (outcome.reason() == DropReason::own_address)
        return {LookupRule::own_address, std::nullopt, nullptr, std::nullopt};
    if (outcome.reason() == DropReason::no_mapping)
        return {LookupRule::source_pool, std::nullopt, nullptr, std::nullopt};
    return refused(outcome.reason());
}

} // namespace

LookupAnswer look_up(Ipv4Address address, const Settings& settings, const MappingTable& table) {
    const WithClock real(settings);
    const WithClock open(without_policy(settings));
    Translator translator(open.settings);
    Probe probe(free_client(settings, table, address), address);
    const Outcome outcome = probe.send(translator, table);
    if (outcome.is_forward())
        return {LookupRule::pair, probe.destination(), table.list().with_slot(translator.slot()),
                std::nullopt};
    if (outcome.reason() == DropReason::own_address)
        return {LookupRule::own_address, std::nullopt, nullptr, std::nullopt};
    if (outcome.reason() != DropReason::no_mapping) return refused(outcome.reason());
    if (is_of_pool(settings, address))
        return {LookupRule::source_pool, std::nullopt, nullptr, std::nullopt};
    return look_up_client(address, real.settings, table);
}

LookupAnswer look_up(const Ipv6Address& address, const Settings& settings,
                     const MappingTable& table) {
    const WithClock real(settings);
    const LookupAnswer as_destination = look_up_destination(address, real.settings, table);
    if (as_destination.reason != DropReason::not_for_us) return as_destination;

    const WithClock open(without_policy(settings));
    Translator translator(open.settings);
    MatchedIpv4 found{};
    (void)table.find(address, found);
    Probe probe(address, settings.prefix.embed(free_client(settings, table, found.address)));
    const Outcome outcome = probe.send(translator, table);
    if (outcome.is_forward()) {
        AnyAddress becomes = probe.source();
        // Turned around, where every client is a server: then it shows its IPv4 address like this.
        if (const auto* const turned = std::get_if<Ipv6Address>(&becomes))
            becomes = settings.prefix.extract(*turned);
        return {LookupRule::pair, becomes, table.list().with_slot(translator.slot()), std::nullopt};
    }
    if (outcome.reason() != DropReason::no_mapping) return refused(outcome.reason());
    // S91-01; only the classifier is asked, since nothing else depends on the address.
    if (settings.routers6.classify(address) != AddressClass::allowed)
        return refused(outcome.reason());
    return refused(outcome.reason(), LookupRule::router);
}

} // namespace xlat646
