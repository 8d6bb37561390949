// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/packets.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"
#include "translator/wire/checksum.hpp"
#include "translator/wire/headers.hpp"

#include <cstring>

using namespace xlat646;
using test::Bytes;
using test::plain_sum;

namespace {

std::uint16_t host(std::uint16_t native) { return Be16::from_native(native).value(); }
std::uint16_t native(std::uint16_t host_order) { return Be16(host_order).raw_native(); }

} // namespace

TEST_CASE("checksum: the example of RFC 1071", "[CK-01][CK-t1]") {
    const Bytes bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    CHECK(host(ChecksumSum().add(bytes.data(), 8).fold()) == 0xddf2);
    CHECK(host(ChecksumSum().add(bytes.data(), 8).complement()) == 0x220d);
}

TEST_CASE("checksum: equation 3, not RFC 1141's formula", "[CK-02][CK-03][CK-t2]") {
    const ChecksumSum delta =
        ChecksumSum().subtract(ChecksumSum().add(Be16(0x5555))).add(Be16(0x3285));
    CHECK(host(updated_checksum(native(0xdd2f), delta)) == 0x0000);
}

TEST_CASE("checksum: UDP never sends 0", "[CK-08][L4-03][CK-t3]") {
    CHECK(never_zero(0) == 0xffff);
    CHECK(never_zero(0xffff) == 0xffff);
    CHECK(never_zero(1) == 1);
}

TEST_CASE("checksum: all lengths and alignments against a plain sum", "[CK-01][CK-11]") {
    test::Random random(11);
    alignas(64) std::uint8_t area[2048 + 16];
    for (auto& b : area)
        b = random.one_in(3) ? 0xff : random.byte();
    std::size_t wrong = 0;
    for (std::size_t alignment = 0; alignment < 16; ++alignment)
        for (std::size_t length = 0; length <= 2048; ++length)
            if (host(ChecksumSum().add(area + alignment, length).fold()) !=
                plain_sum(area + alignment, length))
                ++wrong;
    CHECK(wrong == 0);
}

TEST_CASE("checksum: long runs of ones lose no carry", "[CK-01]") {
    const Bytes ones(65535, 0xff);
    for (const std::size_t length : {65534u, 65535u, 4096u, 17u})
        CHECK(host(ChecksumSum().add(ones.data(), length).fold()) ==
              plain_sum(ones.data(), length));
    ChecksumSum sum;
    for (int i = 0; i < 100000; ++i)
        sum.add_native(0xffffffff);
    CHECK(sum.fold() == 0xffff);
}

TEST_CASE("checksum: parts may be added in any order", "[CK-01]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{12}, test::fresh_seed());
    INFO("seed " << seed);
    test::Random random(seed);
    for (int i = 0; i < 2000; ++i) {
        Bytes bytes(2 * random.below(200));
        for (auto& b : bytes)
            b = random.byte();
        const std::size_t cut = bytes.empty() ? 0 : random.below(bytes.size() / 2) * 2;
        const std::uint16_t whole = ChecksumSum().add(bytes.data(), bytes.size()).fold();
        REQUIRE(ChecksumSum()
                    .add(bytes.data() + cut, bytes.size() - cut)
                    .add(bytes.data(), cut)
                    .fold() == whole);
        REQUIRE(ChecksumSum()
                    .add(ChecksumSum().add(bytes.data(), cut))
                    .add(ChecksumSum().add(bytes.data() + cut, bytes.size() - cut))
                    .fold() == whole);
    }
}

TEST_CASE("checksum: a difference equals recomputation", "[CK-02][CK-03][CK-04]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{13}, test::fresh_seed());
    INFO("seed " << seed);
    test::Random random(seed);
    std::size_t wrong = 0;
    for (int i = 0; i < 300000; ++i) {
        // Few different words, so that sums of 0 and 0xffff do come up.
        std::uint16_t words[4];
        for (auto& w : words) {
            const std::size_t kind = random.below(4);
            w = kind == 0 ? std::uint16_t{0} : kind == 1 ? std::uint16_t{0xffff} : random.word();
        }
        words[3] |= 1; // an address is never all zeros: the sum is not zero
        const auto checksum_of = [&] {
            ChecksumSum sum;
            for (const auto w : words)
                sum.add_native(w);
            return sum.complement();
        };
        const std::uint16_t before = checksum_of();
        const std::uint16_t old = words[0];
        words[0] = random.one_in(3) ? std::uint16_t{0xffff} : random.word();
        const ChecksumSum delta =
            ChecksumSum().subtract(ChecksumSum().add_native(old)).add_native(words[0]);
        const std::uint16_t after = checksum_of();
        if (before == 0xffff || after == 0xffff || updated_checksum(before, delta) != after)
            ++wrong;
        // A partial checksum is the sum itself (GSO-01).
        const auto partial = static_cast<std::uint16_t>(~before);
        if (updated_partial(partial, delta) % 0xffff != (0xffffu - after) % 0xffff) ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("checksum: addresses and numbers as they lie in the packet", "[CK-05][CK-07]") {
    const Ipv4Address a4 = *Ipv4Address::parse("192.0.2.1");
    const Ipv6Address a6 = *Ipv6Address::parse("2001:db8:1::10");
    CHECK(host(ChecksumSum().add(a4).fold()) == 0xc201);
    CHECK(host(ChecksumSum().add(a6).fold()) == 0x2dca);
    CHECK(host(ChecksumSum().add(*Ipv6Address::parse("2001:db8:64::")).fold()) == 0x2e1d);
    const std::uint16_t k = ChecksumSum()
                                .add(a6)
                                .subtract(ChecksumSum().add(a4))
                                .add(*Ipv6Address::parse("2001:db8:64::"))
                                .fold();
    CHECK(host(k) == 0x99e5);
    CHECK(host(static_cast<std::uint16_t>(~k)) == 0x661a);
    // Appendix A: each changes by this one constant.
    const ChecksumSum delta = ChecksumSum().add_native(k);
    CHECK(host(updated_checksum(native(0x0aed), delta)) == 0x7107);
    CHECK(host(updated_checksum(native(0xcc7c), delta)) == 0x3297);
    CHECK(host(updated_checksum(native(0x3e50), ChecksumSum().subtract(delta))) == 0xd835);

    const auto b6 = a6.bytes();
    CHECK(host(ChecksumSum().add(a6).fold()) == plain_sum(b6.data(), b6.size()));
    CHECK(host(ChecksumSum().add(Be32(0x12345678)).fold()) == 0x68ac);
    CHECK(host(ChecksumSum().add(Be16(17)).fold()) == 17);
    CHECK(ChecksumSum().fold() == 0); // CK-04
    CHECK(ChecksumSum().complement() == 0xffff);
}

TEST_CASE("checksum: TCP and UDP pseudo-headers differ by the addresses only", "[CK-06][CK-07]") {
    const Ipv4Address s4 = *Ipv4Address::parse("192.0.2.1");
    const Ipv4Address c4 = *Ipv4Address::parse("198.51.100.7");
    const Ipv6Address s6 = *Ipv6Address::parse("2001:db8:1::10");
    const Ipv6Address c6 = *Ipv6Address::parse("2001:db8:64::c633:6407");
    for (const std::uint8_t proto : Bytes{6, 17, 33, 136}) {
        test::Parsed p4;
        p4.version = 4;
        p4.source4 = c4;
        p4.destination4 = s4;
        p4.protocol = proto;
        test::Parsed p6;
        p6.version = 6;
        p6.source6 = c6;
        p6.destination6 = s6;
        p6.protocol = proto;
        for (const std::size_t length : {8u, 1480u, 65515u}) {
            const std::uint32_t sum = test::pseudo_sum(p4, length) + 0x99e5u;
            CHECK((sum - test::pseudo_sum(p6, length)) % 0xffff == 0);
        }
    }
}

TEST_CASE("checksum: the IPv4 header's is computed afresh", "[CK-09]") {
    Ipv4Header h;
    h.total_length = std::uint16_t{60};
    h.identification = std::uint16_t{0x1c46};
    h.flags_and_offset = std::uint16_t{0x4000};
    h.ttl = 64;
    h.protocol = 6;
    h.set_source(*Ipv4Address::parse("198.51.100.7"));
    h.set_destination(*Ipv4Address::parse("192.0.2.1"));
    h.checksum = std::uint16_t{0x1234}; // what was there plays no part
    h.set_checksum();
    CHECK(h.checksum.value() == 0x323a);
    std::uint8_t wire[20];
    store(wire, h);
    CHECK(plain_sum(wire, 20) == 0xffff);
}
