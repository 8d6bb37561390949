// SPDX-License-Identifier: BSD-2-Clause
//
// Super-packets and partial checksums, which only a device can hand to the program: golden rows
// written into a TUN that has the fast path (so the program for layer 3 devices is tested, too),
// forwarded by the kernel, read from another TUN. What is left alone comes out of a third one.
#include "tests/fastpath/harness.hpp"
#include "tests/fastpath/private_net.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"
#include "translator/dataplane/tun.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <poll.h>
#include <unistd.h>

using namespace xlat646;
using namespace xlat646::test;

namespace {

constexpr std::size_t header_size = sizeof(OffloadHeader);

struct Received {
    OffloadHeader offload;
    Bytes bytes;
};

/// The gateway: clients behind `client`, servers behind `server`, the translator behind `rest`.
class Gateway {
  public:
    Gateway() {
        for (const char* dev : {"client", "server", "rest"})
            shell(std::string("ip link set ") + dev +
                  " mtu 65535 addrgenmode none && ip link set " + dev + " up");
        shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
              "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.client.rp_filter=0 "
              "net.ipv4.conf.server.rp_filter=0");
        shell("ip route add default dev client && ip -6 route add default dev server && "
              "ip route add 192.0.2.0/24 dev rest && ip -6 route add 2001:db8:64::/96 dev rest");
    }

    bool has_udp_segmentation() const { return client_.offloads().udp_segmentation; }

    /// False: the kernel refuses the offload header.
    bool write(Direction direction, const OffloadHeader& offload, const Bytes& packet) const {
        Bytes buffer(header_size + packet.size());
        std::memcpy(buffer.data(), &offload, header_size);
        std::copy(packet.begin(), packet.end(), buffer.begin() + header_size);
        const Tun& tun = direction == Direction::v4_to_v6 ? client_ : server_;
        return ::write(tun.queue(0), buffer.data(), buffer.size()) > 0;
    }

    std::optional<Received> read_translated(Direction direction) const {
        return read(direction == Direction::v4_to_v6 ? server_ : client_, 2000);
    }
    /// What nobody has asked for.
    void drain() const {
        for (const Tun* tun : {&client_, &server_, &rest_})
            while (read(*tun, 0)) {
            }
    }

  private:
    static std::optional<Received> read(const Tun& tun, int milliseconds) {
        pollfd event{tun.queue(0), POLLIN, 0};
        if (::poll(&event, 1, milliseconds) <= 0) return std::nullopt;
        Bytes buffer(header_size + largest_packet);
        const ssize_t got = ::read(tun.queue(0), buffer.data(), buffer.size());
        if (got <= ssize_t{header_size}) return std::nullopt;
        Received r;
        std::memcpy(&r.offload, buffer.data(), header_size);
        r.bytes.assign(buffer.begin() + header_size, buffer.begin() + got);
        return r;
    }

    Tun client_ = Tun::create("client", 1, true);
    Tun server_ = Tun::create("server", 1, true);
    Tun rest_ = Tun::create("rest", 1, true);
};

std::uint64_t taken_by(const Fastpath& fastpath) {
    const xlat646_counters counters = fastpath.counters();
    std::uint64_t sum = 0;
    for (const auto& direction : counters.translated)
        for (const xlat646_traffic& t : direction)
            sum += t.packets;
    return sum;
}

/// Whether the offload header is true. Once a device has handed over a packet the program cannot
/// see it: like the rest of the kernel it believes what devices say.
bool is_true(const GoldenRow& row) {
    const auto p = parse_packet(row.in.data(), row.in.size());
    if (!p) return false;
    const OffloadHeader& o = row.offload;
    const bool is_tcp = p->protocol == 6 && p->transport_length >= 20;
    if (!is_tcp && p->protocol != 17) return false;
    if ((o.flags & OffloadHeader::needs_checksum) != 0 &&
        (o.checksum_start != p->transport || o.checksum_offset != (is_tcp ? 16 : 6)))
        return false;
    const auto type = o.gso_type & ~OffloadHeader::gso_ecn;
    if (type == OffloadHeader::gso_none) return true;
    if (type == OffloadHeader::gso_udp) return !is_tcp && p->transport_length > 8;
    return is_tcp && (row.in[p->transport + 12] >> 4) * 4u < p->transport_length &&
           type == (p->version == 4 ? OffloadHeader::gso_tcp4 : OffloadHeader::gso_tcp6);
}

std::string kind_of(const GoldenRow& row) {
    const auto type = row.offload.gso_type & ~OffloadHeader::gso_ecn;
    std::string kind = type == OffloadHeader::gso_none  ? "partial checksum"
                       : type == OffloadHeader::gso_udp ? "UDP super-packet"
                       : (row.offload.flags & 1) == 0   ? "TCP, whole checksum"
                                                        : "TCP super-packet";
    return kind + (row.direction == Direction::v4_to_v6 ? " v4_to_v6" : " v6_to_v4");
}

/// The golden row's output one router later, against what was read.
std::string differs(const GoldenRow& row, const Received& got) {
    const OffloadHeader& wanted = row.out_offloads[0];
    const OffloadHeader& o = got.offload;
    std::string wrong;
    const bool is_partial = (wanted.flags & OffloadHeader::needs_checksum) != 0;
    // The whole checksum of a super-packet serves nobody: the kernel starts anew.
    const bool is_restarted =
        !is_partial && wanted.gso_type != 0 && (o.flags & OffloadHeader::needs_checksum) != 0;
    const bool got_partial = (o.flags & OffloadHeader::needs_checksum) != 0;
    if (!is_restarted && (got_partial != is_partial ||
                          (is_partial && (o.checksum_start != wanted.checksum_start ||
                                          o.checksum_offset != wanted.checksum_offset))))
        wrong += "\n  checksum offload " + std::to_string(o.flags) + " at " +
                 std::to_string(o.checksum_start) + "+" + std::to_string(o.checksum_offset);
    if (o.gso_type != wanted.gso_type || (o.gso_type != 0 && o.gso_size != wanted.gso_size))
        wrong += "\n  super-packet of type " + std::to_string(o.gso_type) + " and size " +
                 std::to_string(o.gso_size);
    Bytes expected = with_hops(row.out[0], -1);
    Bytes bytes = got.bytes;
    if (expected[0] >> 4 == 4) {
        if (plain_sum(bytes.data(), 20) != 0xffff) wrong += "\n  IPv4 header checksum";
        if ((expected[6] & 0x40) == 0)
            for (const std::size_t i : {4u, 5u, 10u, 11u}) // ID-02
                bytes[i] = expected[i] = 0;
    }
    if (is_restarted) {
        const auto parsed = parse_packet(got.bytes.data(), got.bytes.size());
        const std::size_t field = parsed ? parsed->transport + 16 : 0;
        if (!parsed || get16(&bytes[field]) != pseudo_sum(*parsed, parsed->transport_length))
            wrong += "\n  the checksum's new start";
        else
            put16(&bytes[field], get16(&expected[field]));
    }
    if (bytes != expected)
        wrong += "\n  got    " + to_hex(bytes).substr(0, 400) + "\n  wanted " +
                 to_hex(expected).substr(0, 400);
    return wrong;
}

} // namespace

TEST_CASE("fast path: offloaded golden rows through devices", "[fastpath]") {
    const PrivateNet net;
    const Gateway gateway;
    std::vector<GoldenRow> rows;
    for (const auto& entry : std::filesystem::directory_iterator(XLAT646_GOLDEN_DIR)) {
        if (entry.path().extension() != ".json") continue;
        for (GoldenRow& row : load_golden(entry.path().string()))
            if (row.offload != OffloadHeader{}) rows.push_back(std::move(row));
    }
    std::map<const GoldenConfig*, std::vector<const GoldenRow*>> by_config;
    for (const GoldenRow& row : rows)
        by_config[row.config.get()].push_back(&row);

    Tally tally;
    Tally taken;
    std::vector<std::string> wrong;
    for (const auto& [config, of_config] : by_config) {
        Fastpath fastpath(config->settings);
        fastpath.prepare(*config->table);
        fastpath.flip();
        fastpath.attach("client");
        fastpath.attach("server");
        for (const GoldenRow* row : of_config) {
            gateway.drain();
            const std::uint64_t before = taken_by(fastpath);
            // One more hop is lost on this way than in the program.
            if (row->in.size() < 40 || hops_of(row->in) == 255 || hops_of(row->in) < 4) {
                ++tally["too few hops or bytes for this way"];
                continue;
            }
            if (!gateway.write(row->direction, row->offload, with_hops(row->in, 1))) {
                ++tally["refused by the kernel"];
                continue;
            }
            if (taken_by(fastpath) == before) {
                ++tally["left alone, user space: " + row->outcome];
                continue;
            }
            if (!is_true(*row)) {
                ++tally["taken with a false offload header"];
                continue;
            }
            if (row->out.size() == 1 && row->out[0].size() > largest_packet) {
                ++tally["taken, too long for a TUN"];
                continue;
            }
            ++taken[kind_of(*row)];
            const std::string name = row->file + ": " + row->description;
            const auto got = gateway.read_translated(row->direction);
            if (row->outcome != "forward" || row->out.size() != 1)
                wrong.push_back(name + "\n  taken, but user space says " + row->outcome);
            else if (!got)
                wrong.push_back(name + "\n  taken, but it did not arrive");
            else if (const std::string d = differs(*row, *got); !d.empty())
                wrong.push_back(name + d);
        }
    }
    std::cout << "offloaded golden rows:\n" << to_string(tally) << "taken:\n" << to_string(taken);
    for (const std::string& w : wrong)
        UNSCOPED_INFO(w);
    CHECK(wrong.empty());
    for (const char* kind : {"partial checksum", "TCP super-packet", "UDP super-packet"})
        for (const char* direction : {" v4_to_v6", " v6_to_v4"}) {
            // Linux before 6.2.
            if (kind[0] == 'U' && !gateway.has_udp_segmentation()) continue;
            INFO(kind << direction);
            CHECK(taken[std::string(kind) + direction] > 0);
        }
}
