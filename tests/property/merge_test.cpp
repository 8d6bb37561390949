// SPDX-License-Identifier: BSD-2-Clause
//
// Whatever packets come in whatever order: what leaves a Merger, taken apart by a Segmenter, is
// what went in, in order, byte by byte (but Identifications under DF, which mean nothing).
#include "tests/property/generator.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/catch.hpp"
#include "translator/wire/merge.hpp"
#include "translator/wire/segment.hpp"

using namespace xlat646;
using namespace xlat646::test;

namespace {

Bytes in_storage(const Bytes& bytes) {
    Bytes storage(packet_headroom + largest_packet);
    std::copy(bytes.begin(), bytes.end(), storage.begin() + packet_headroom);
    return storage;
}

/// Packets as bursts of a few flows make them, with losses, damage and everything else among them.
class Traffic {
  public:
    explicit Traffic(Random& random) : random_(random) {
        for (Flow& f : flows_) {
            f.is_ipv6 = random.one_in(2);
            f.is_tcp = random.one_in(2);
            f.has_df = random.one_in(2);
            f.size = 1 + random.below(random.one_in(2) ? 60 : 1400);
            f.sequence = static_cast<std::uint32_t>(random.word()) << 16;
            f.identification = random.word();
            f.port = static_cast<std::uint16_t>(random.below(3));
        }
    }
    Bytes next() {
        if (!random_.one_in(4)) current_ = random_.below(std::size(flows_));
        if (random_.one_in(30))
            return random_.one_in(2) ? random_ipv4(random_, {}, 1500)
                                     : random_ipv6(random_, {}, 1500);
        Flow& f = flows_[random_.one_in(2) ? last_ : current_];
        last_ = static_cast<std::size_t>(&f - flows_);
        const std::size_t size = random_.one_in(12) ? random_.below(f.size + 2) : f.size;
        Bytes data(size);
        for (auto& b : data)
            b = random_.byte();
        const std::uint8_t push = random_.one_in(10) ? 8 : 0;
        const std::uint8_t odd = random_.one_in(20) ? random_.byte() : 0;
        const std::uint8_t flags = static_cast<std::uint8_t>(0x10 | push | odd);
        const Bytes transport =
            f.is_tcp ? tcp(f.sequence, flags, f.options, data) : udp(f.port, 9, data);
        f.sequence += static_cast<std::uint32_t>(size);
        Ipv4Fields four{peers_.server4, peers_.client4, 17, 60, 0, f.identification++, 0};
        if (f.has_df) four.flags_and_offset = 0x4000;
        Ipv6Fields six{peers_.client6, peers_.server6, 17, 60};
        four.protocol = six.next_header = f.is_tcp ? 6 : 17;
        Bytes packet =
            finish(f.is_ipv6 ? ipv6_packet(six, transport) : ipv4_packet(four, transport));
        if (random_.one_in(25)) packet[random_.below(packet.size())] ^= random_.byte();
        if (random_.one_in(25)) ++f.identification;
        if (random_.one_in(25)) f.sequence += 1;
        return packet;
    }

  private:
    struct Flow {
        bool is_ipv6, is_tcp, has_df;
        std::size_t size;
        std::uint32_t sequence;
        std::uint16_t identification, port;
        Bytes options = Bytes(12, 1);
    };
    Random& random_;
    Peers peers_;
    Flow flows_[3];
    std::size_t current_ = 0, last_ = 0;
};

bool has_df(const Bytes& p) { return p.size() >= 20 && p[0] >> 4 == 4 && (p[6] & 0x40) != 0; }

bool is_same(Bytes a, Bytes b) {
    if (has_df(a) && has_df(b) && a.size() == b.size())
        for (Bytes* p : {&a, &b})
            for (const std::size_t at : {4u, 5u, 10u, 11u}) // with the header checksum
                (*p)[at] = 0;
    return a == b;
}

} // namespace

TEST_CASE("property: merged and cut again is what it was", "[merge][GSO-06][GSO-08][L4-12]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{646}, fresh_seed());
    INFO("seed " << seed);
    Random random(seed);
    std::size_t merged = 0;
    for (int round = 0; round < 200; ++round) {
        Traffic traffic(random);
        Merger merger;
        Bytes storage;
        std::vector<Bytes> waiting;
        const auto flush = [&] {
            if (waiting.empty()) return;
            REQUIRE(merger.count() == waiting.size());
            const Packet out = merger.finish();
            REQUIRE(out.is_gso() == (waiting.size() > 1));
            if (waiting.size() == 1) {
                REQUIRE(Bytes(out.data, out.data + out.length) == waiting[0]);
            } else {
                merged += waiting.size();
                Segmenter segmenter;
                REQUIRE(segmenter.start(out));
                for (const Bytes& expected : waiting) {
                    Packet segment;
                    REQUIRE(segmenter.next(segment));
                    REQUIRE(is_same(Bytes(segment.data, segment.data + segment.length), expected));
                }
                Packet none;
                REQUIRE_FALSE(segmenter.next(none));
            }
            waiting.clear();
        };
        for (int i = 0; i < 300; ++i) {
            const Bytes packet = traffic.next();
            TestBuffer buffer(packet, {});
            if (!waiting.empty() && merger.append(buffer.packet)) {
                waiting.push_back(packet);
                continue;
            }
            flush();
            storage = in_storage(packet);
            Packet first;
            first.data = storage.data() + packet_headroom;
            first.length = packet.size();
            if (merger.start(first, true, true)) waiting.push_back(packet);
        }
        flush();
    }
    CHECK(merged > 5000); // the generator gives the merger something to do
}
