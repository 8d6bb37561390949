// SPDX-License-Identifier: BSD-2-Clause
//
// A worker whose queue is one end of a socket pair that keeps message borders, as a TUN does.
#pragma once

#include "tests/support/cast.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"
#include "translator/dataplane/tun.hpp"
#include "translator/dataplane/worker.hpp"

#include <cstring>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace xlat646::test {

inline constexpr auto d46 = static_cast<std::size_t>(Direction::v4_to_v6);
inline constexpr auto d64 = static_cast<std::size_t>(Direction::v6_to_v4);

inline std::unique_ptr<const MappingTable> make_table(const MappingTable* previous = nullptr,
                                                      std::uint32_t extra = 0) {
    MappingList list;
    const auto add = [&](Ipv4Address a4, const Ipv6Address& a6) {
        Eam m;
        m.ipv4 = Ipv4Prefix(a4, 32);
        m.ipv6 = Ipv6Prefix(a6, 128);
        list.mappings.push_back(m);
    };
    add(server4, server6);
    for (std::uint32_t i = 0; i < extra; ++i)
        add(Ipv4Address(0xcb007100 + i), Ipv6Address(0x20010db800050000, i));
    return MappingTable::build(std::move(list), previous, 3);
}

struct Sums {
    std::uint64_t received = 0, forwarded = 0, answered = 0, rejected = 0, dropped = 0;
};
inline Sums sums(const WorkerCounters& counters) {
    Sums s;
    for (const DirectionCounters& c : counters.direction) {
        s.received += c.received.get();
        s.forwarded += c.forwarded.get();
        s.answered += c.answered.get();
        for (const Counter& r : c.rejected)
            s.rejected += r.get();
        for (const Counter& d : c.dropped)
            s.dropped += d.get();
    }
    return s;
}

class Bench {
  public:
    explicit Bench(bool vnet_header, std::uint32_t busy_poll_us = 0, bool merge = false)
        : vnet_header_(vnet_header), snapshot_(1) {
        int ends[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
        ours_ = FileDescriptor(ends[0]);
        theirs_ = FileDescriptor(ends[1]);
        REQUIRE(fcntl(theirs_.get(), F_SETFL, O_NONBLOCK) == 0);
        wake_ = FileDescriptor(eventfd(0, EFD_CLOEXEC));
        settings_.prefix = *TranslationPrefix::from(*Ipv6Prefix::parse("2001:db8:64::/96"));
        settings_.own4 = *Ipv4Address::parse("203.0.113.1");
        settings_.own6 = *Ipv6Address::parse("2001:db8:ffff::1");
        settings_.clients4 = Ipv4Classifier(Profile::any);
        settings_.routers6 = Ipv6Classifier(Profile::any);
        settings_.icmp_rate.per_second = 0;
        publish(make_table());
        options_ = {0, {theirs_.get()}, wake_.get(), vnet_header, busy_poll_us, merge, merge};
    }
    ~Bench() {
        if (thread_.joinable()) stop();
    }

    Settings& settings() { return settings_; }
    /// For start().
    WorkerOptions& options() { return options_; }
    Snapshot<ServedTable>& snapshot() { return snapshot_; }
    Snapshot<CaptureRings>& captures() { return captures_; }
    const MappingTable& table() const { return *snapshot_.current()->table; }
    /// All tables have the same counters.
    void publish(std::unique_ptr<const MappingTable> table) {
        REQUIRE(table->slot_count() <= pairs_.size());
        snapshot_.publish(std::make_unique<const ServedTable>(
            ServedTable{std::move(table), {{&counters_, pairs_.data()}}}));
    }
    Worker& worker() { return *worker_; }
    const WorkerCounters& counters() const { return counters_; }
    const PairCounters& pair(std::uint32_t slot) const { return pairs_[slot]; }

    void start() {
        worker_ =
            std::make_unique<Worker>(options_, settings_, snapshot_.reader(0), captures_.reader(0));
        thread_ = std::thread([this] { worker_->run(); });
    }
    void stop() {
        const std::uint64_t one = 1;
        if (write(wake_.get(), &one, sizeof one) != sizeof one) std::abort();
        thread_.join();
    }
    void send(const Bytes& packet, const OffloadHeader& offload = {}) {
        Bytes message(vnet_header_ ? sizeof offload : 0);
        if (vnet_header_) std::memcpy(message.data(), &offload, sizeof offload);
        message.insert(message.end(), packet.begin(), packet.end());
        send_raw(message);
    }
    void send_raw(const Bytes& message) {
        REQUIRE(write(ours_.get(), message.data(), message.size()) ==
                static_cast<ssize_t>(message.size()));
    }
    /// The next packet, however long it takes.
    Bytes receive(OffloadHeader* offload = nullptr) {
        Bytes message(70000);
        const ssize_t got = read(ours_.get(), message.data(), message.size());
        REQUIRE(got >= 0);
        message.resize(static_cast<std::size_t>(got));
        if (!vnet_header_) return message;
        REQUIRE(message.size() >= sizeof(OffloadHeader));
        if (offload) std::memcpy(offload, message.data(), sizeof *offload);
        message.erase(message.begin(), message.begin() + sizeof(OffloadHeader));
        return message;
    }
    int fd() const { return ours_.get(); }

  private:
    bool vnet_header_;
    FileDescriptor ours_, theirs_, wake_;
    Settings settings_;
    WorkerCounters counters_;
    std::vector<PairCounters> pairs_ = std::vector<PairCounters>(64);
    Snapshot<ServedTable> snapshot_;
    Snapshot<CaptureRings> captures_{1};
    WorkerOptions options_;
    std::unique_ptr<Worker> worker_;
    std::thread thread_;
};

inline Bytes ping4(std::uint16_t sequence, std::uint8_t ttl = 64) {
    return finish(ipv4_packet({client4, server4, 1, ttl}, icmp(8, 0, sequence, counting(20))));
}
inline Bytes udp4(const Bytes& data) {
    return finish(ipv4_packet({client4, server4, 17}, udp(1000, 2000, data)));
}
inline Bytes udp6(const Bytes& data) {
    return finish(ipv6_packet({server6, client6, 17}, udp(2000, 1000, data)));
}
/// What must have come out is a whole packet with a valid checksum.
inline Parsed whole(const Bytes& packet) {
    const auto parsed = parse_packet(packet.data(), packet.size());
    REQUIRE(parsed);
    CHECK(parsed->length == packet.size());
    return *parsed;
}

} // namespace xlat646::test
