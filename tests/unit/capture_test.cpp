// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/temporary_directory.hpp"
#include "tests/unit/worker_bench.hpp"
#include "translator/cli/capture_filter.hpp"
#include "translator/cli/capture_text.hpp"
#include "translator/cli/pcapng.hpp"
#include "translator/daemon/capture_session.hpp"
#include "translator/daemon/control_request.hpp"

#include <nlohmann/json.hpp>
#include <pcap/pcap.h>
#include <stdexcept>

using namespace xlat646;
using namespace xlat646::test;

namespace {

/// A ring, and packets that a translator leaves in it.
class Rings {
  public:
    explicit Rings(CaptureWish wish = {}) : ring(wish, 0) {
        bench.settings().unmapped = UnmappedPolicy::drop;
    }
    void pass(Bytes packet) {
        Bytes room(packet_headroom + packet.size() + packet_tailroom);
        std::copy(packet.begin(), packet.end(), room.begin() + packet_headroom);
        Packet p{room.data() + packet_headroom, packet.size(), {}};
        ring.begin(p);
        const Outcome outcome = translator_.translate(p, bench.table());
        ring.end(translator_, outcome, p);
        while (outcome.is_forward() && translator_.next_piece(p))
            ring.add_piece(p);
    }
    /// The oldest record, which goes. Empty: there was none.
    std::string take() {
        const std::uint8_t *before = nullptr, *after = nullptr;
        const CaptureRecord* const r = ring.front(before, after);
        if (r == nullptr) return {};
        record = *r;
        std::string bytes(reinterpret_cast<const char*>(before), r->before_kept);
        bytes.append(reinterpret_cast<const char*>(after), r->after_kept);
        ring.pop();
        return bytes;
    }

    Bench bench{false};
    CaptureRing ring;
    CaptureRecord record;

  private:
    Translator translator_{bench.settings()};
};

CaptureWish unlimited(std::uint32_t snap_length = 256) {
    CaptureWish wish;
    wish.snap_length = snap_length;
    wish.rate = CaptureWish::most_rate;
    return wish;
}

const Bytes unmapped4 =
    ipv4_packet({client4, *Ipv4Address::parse("192.0.2.77"), 17}, udp(1, 2, {}));

std::string complaint(const std::string& rest) {
    const auto parsed = parse_request("{\"command\":\"capture\"," + rest + "}");
    const auto* const text = std::get_if<std::string>(&parsed);
    return text != nullptr ? *text : "none";
}

} // namespace

TEST_CASE("capture: a pair as it came and as it left", "[capture]") {
    Rings rings(unlimited(30));
    const Bytes packet = udp4(counting(9));
    rings.pass(packet);
    const std::string bytes = rings.take();
    REQUIRE(bytes.size() == 60);
    CHECK(std::equal(bytes.begin(), bytes.begin() + 30, packet.begin(),
                     [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
    CHECK(bytes[30] >> 4 == 6);
    CHECK(rings.record.before_length == packet.size());
    CHECK(rings.record.after_length == packet.size() + 20);
    CHECK(rings.record.slot == 0);
    CHECK(rings.record.direction == 0);
    CHECK(rings.record.verdict == static_cast<std::uint8_t>(Verdict::forward));
    CHECK(rings.record.time_ns > 1'600'000'000'000'000'000);

    rings.pass(unmapped4);
    CHECK(rings.take().size() == unmapped4.size());
    CHECK(rings.record.after_kept == 0);
    CHECK(rings.record.reason == static_cast<std::uint8_t>(DropReason::no_mapping));
    rings.pass({}); // no packet at all
    CHECK(rings.take().empty());
    CHECK(rings.ring.taken.get() == 3);
    CHECK(rings.take().empty());

    rings.pass(finish(ipv4_packet({client4, server4, 17}, udp(1, 2, Bytes(3000)))));
    CHECK(rings.take().size() == 60);
    CHECK(rings.record.kind == CaptureRecord::Kind::pair);
    CHECK(rings.take().size() == 30);
    CHECK(rings.record.kind == CaptureRecord::Kind::piece);
}

TEST_CASE("capture: a ring is bounded by room and by rate, and counts", "[capture]") {
    Rings room(unlimited(65535));
    for (int i = 0; i < 100; ++i)
        room.pass(udp4({1}));
    const std::uint64_t slots = room.ring.taken.get();
    CHECK(slots == CaptureRing::memory / (sizeof(CaptureRecord) + 2 * 65535 + 2));
    CHECK(room.ring.missed_by_room.get() == 100 - slots);
    CHECK(room.ring.matched.get() == 100);
    CHECK_FALSE(room.take().empty());
    // Room again, if its rate lets it.
    room.pass(udp4({2}));
    CHECK(room.ring.taken.get() + room.ring.missed_by_rate.get() == slots + 1);

    CaptureWish slow;
    slow.rate = 1;
    Rings rate(slow);
    for (int i = 0; i < 100; ++i)
        rate.pass(udp4({1}));
    CHECK(rate.ring.taken.get() >= 1);
    CHECK(rate.ring.taken.get() + rate.ring.missed_by_rate.get() == 100);
    CHECK(rate.ring.missed_by_rate.get() > 0);
}

TEST_CASE("capture: one side that the filter lets through is enough", "[capture]") {
    for (const char* const filter :
         {"ip6 dst host 2001:db8::1", "dst host 192.0.2.99", "udp port 99"}) {
        CaptureWish wish = unlimited();
        wish.filter = compile_filter(filter);
        Rings rings(wish);
        rings.pass(udp4({1}));
        CHECK(rings.ring.matched.get() == 0);
    }
    for (const std::string& filter : {"dst host " + server4.to_string(),
                                      "dst host " + server6.to_string(), std::string("udp")}) {
        CaptureWish wish = unlimited();
        wish.filter = compile_filter(filter);
        Rings rings(wish);
        rings.pass(udp4({1}));
        CHECK(rings.ring.matched.get() == 1);
    }
    CaptureWish drops = unlimited();
    drops.drops_only = true;
    CaptureWish reason = unlimited();
    reason.reason = DropReason::igmp;
    Rings only_drops(drops), only_reason(reason);
    for (Rings* r : {&only_drops, &only_reason})
        for (const Bytes& p : {udp4({1}), unmapped4, ipv4_packet({client4, server4, 2}, {})})
            r->pass(p);
    CHECK(only_drops.ring.matched.get() == 2);
    CHECK(only_reason.ring.matched.get() == 1);
    CHECK_THROWS_AS(compile_filter("host and"), std::invalid_argument);
}

TEST_CASE("capture: requests, there and back", "[capture][control]") {
    ControlRequest request{ControlRequest::Command::capture};
    request.capture = {
        compile_filter("tcp port 80 or ip6"), 100, 7, 9, true, DropReason::spoof, true};
    REQUIRE(request.capture.filter.size() > 8);
    const auto parsed = parse_request(request_line(request));
    REQUIRE(std::holds_alternative<ControlRequest>(parsed));
    CHECK(std::get<ControlRequest>(parsed) == request);

    const std::string good = "0006000000000001"; // ret #1
    CHECK(complaint("\"filter\":\"" + good + "\"") == "none");
    constexpr auto bad = "\"filter\" is no program of classic BPF";
    CHECK(complaint("\"filter\":\"0006\"") == bad);
    CHECK(complaint("\"filter\":\"0006000000000x01\"") == bad);
    CHECK(complaint("\"filter\":\"0015050500000000" + good + "\"") == bad); // jumps out
    CHECK(complaint("\"filter\":\"0030000000000000\"") == bad);             // no end
    CHECK(complaint("\"filter\":\"1015000000000040" + good + "\"") == bad); // libpcap would abort
    CHECK(complaint("\"filter\":\"0064000000000020" + good + "\"") == bad); // shifts all away
    CHECK(complaint("\"filter\":\"0002000000000010" + good + "\"") == bad); // no such memory
    std::string most;
    for (std::uint32_t i = 0; i < CaptureWish::most_instructions; ++i)
        most += good;
    CHECK(complaint("\"filter\":\"" + most + "\"") == "none");
    CHECK(complaint("\"filter\":\"" + most + good + "\"") ==
          "\"filter\" is longer than 512 instructions");
    CHECK(complaint("\"filter\":1") == "\"filter\" is not a string");
    for (const char* const value : {"0", "-1", "65536", "1.5", "\"9\"", "1e99"})
        CHECK(complaint(std::string("\"snap_length\":") + value) ==
              "\"snap_length\" is not a number from 1 to 65535");
    CHECK(complaint("\"drops\":1") == "\"drops\" is not true or false");
    CHECK(complaint("\"reason\":\"x\"") == "\"reason\" is none of those of xlat646 drops");
    CHECK(std::get<std::string>(parse_request("{\"command\":\"status\",\"rate\":1}")) ==
          "\"rate\" belongs to the command capture");
}

TEST_CASE("capture: the file is one that libpcap reads", "[capture]") {
    Rings rings(unlimited(50));
    const Bytes packet = udp4(counting(33));
    rings.pass(packet);
    MappingNames nobody(nullptr);
    CaptureText text(nobody, 50);
    std::string file = text.beginning();
    const std::string bytes = rings.take();
    file += text.blocks(rings.record, bytes);
    for (std::size_t kept = 0; kept < 9; ++kept)
        file += pcapng::packet({5, 9, true, std::string(kept, 'c')}, std::string(kept, 'k'));

    const TemporaryDirectory directory;
    const std::string path = directory.at("file.pcapng");
    FILE* const out = fopen(path.c_str(), "wb");
    REQUIRE(out != nullptr);
    REQUIRE(fwrite(file.data(), 1, file.size(), out) == file.size());
    fclose(out);
    char error[PCAP_ERRBUF_SIZE];
    pcap_t* const in =
        pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error);
    REQUIRE(in != nullptr);
    CHECK(pcap_datalink(in) == DLT_RAW);
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    REQUIRE(pcap_next_ex(in, &header, &data) == 1);
    CHECK(header->caplen == 50);
    CHECK(header->len == packet.size());
    CHECK(std::equal(data, data + 50, packet.begin()));
    CHECK(static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000 +
              static_cast<std::uint64_t>(header->ts.tv_usec) ==
          rings.record.time_ns);
    REQUIRE(pcap_next_ex(in, &header, &data) == 1);
    CHECK(header->len == packet.size() + 20);
    CHECK(data[0] >> 4 == 6);
    for (std::size_t kept = 0; kept < 9; ++kept) {
        REQUIRE(pcap_next_ex(in, &header, &data) == 1);
        CHECK(header->caplen == kept);
        CHECK(header->len == 9);
    }
    CHECK(pcap_next_ex(in, &header, &data) == PCAP_ERROR_BREAK);
    pcap_close(in);

    CHECK(file.find("pair 1, IPv4 to IPv6: translated; this is what came out") !=
          std::string::npos);
    CaptureRecord bad = rings.record;
    bad.reason = drop_reason_count;
    CHECK_THROWS_AS(text.blocks(bad, bytes), std::runtime_error);
    bad = rings.record;
    CHECK_THROWS_AS(text.blocks(bad, bytes.substr(1)), std::runtime_error);
    bad.error_kind = error_kind_count;
    CHECK_THROWS_AS(text.blocks(bad, bytes), std::runtime_error);
}

TEST_CASE("capture: a worker's packets reach a client that may stop or go", "[capture][worker]") {
    Bench bench(false);
    bench.start();
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    FileDescriptor client(ends[0]);
    const bool is_killed = GENERATE(false, true);
    {
        CaptureSession session(FileDescriptor(ends[1]), unlimited(), 1, bench.captures(), "{}\n");
        // Whatever becomes of the client, each packet goes its way.
        for (std::uint16_t i = 0; i < 20'000; ++i) {
            bench.send(ping4(i));
            REQUIRE(bench.receive().size() == 68);
            if (i == 500 && is_killed) client = {};
        }
        while (is_killed && !session.is_over())
            std::this_thread::yield();
    }
    CHECK(bench.captures().current() == nullptr);
    CHECK(bench.captures().reclaim() == 0);
    bench.stop();
    CHECK(bench.counters().direction[d46].forwarded.get() == 20'000);
}
