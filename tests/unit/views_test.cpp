// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"
#include "translator/siit/quote.hpp"
#include "translator/siit/views.hpp"

using namespace xlat646;
using namespace xlat646::test;

namespace {

const Ipv4Fields v4{*Ipv4Address::parse("198.51.100.7"), *Ipv4Address::parse("192.0.2.1"), 17};
const Ipv6Fields v6{*Ipv6Address::parse("2001:db8::1"), *Ipv6Address::parse("2001:db8::2"), 17};

bool parses4(Bytes bytes, Ipv4View* view = nullptr) {
    Ipv4View own;
    return parse(bytes.data(), bytes.size(), view ? *view : own);
}

Bytes with_options(const Bytes& options) {
    Ipv4Fields f = v4;
    f.options = options;
    return ipv4_packet(f, udp(1, 2, {}));
}

/// Walks a chain that starts with `next`.
ExtensionWalk walk(std::uint8_t next, Bytes chain, Ipv6View& view, std::uint32_t& pointer) {
    Ipv6Fields f = v6;
    f.next_header = next;
    Bytes packet = ipv6_packet(f, chain);
    Bytes exact(packet);
    if (!parse(exact.data(), exact.size(), view)) return ExtensionWalk::malformed;
    const ExtensionWalk result = walk_extensions(view, view.transport_length, pointer);
    view.transport = nullptr; // the bytes go away
    return result;
}
ExtensionWalk walk(std::uint8_t next, const Bytes& chain) {
    Ipv6View view;
    std::uint32_t pointer = 0;
    return walk(next, chain, view, pointer);
}

Bytes extension(std::uint8_t next, std::uint8_t units = 0, std::uint8_t third = 0,
                std::uint8_t fourth = 0) {
    Bytes b(8u * (units + 1u));
    b[0] = next;
    b[1] = units;
    b[2] = third;
    b[3] = fourth;
    return b;
}
Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

} // namespace

TEST_CASE("views: IPv4 headers that are refused", "[T46-16][T46-17][SEC-06]") {
    const Bytes good = ipv4_packet(v4, udp(1, 2, counting(4)));
    CHECK(parses4(good));
    for (std::size_t length = 0; length < good.size(); ++length)
        CHECK_FALSE(
            parses4(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))));
    // One wrong bit anywhere in the header breaks its checksum.
    for (std::size_t bit = 0; bit < 160; ++bit) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        CHECK_FALSE(parses4(bad));
    }
    const auto repaired = [&](std::size_t at, std::uint8_t value) {
        Bytes b = good;
        b[at] = value;
        put16(&b[10], 0);
        put16(&b[10], 0xffffu - plain_sum(b.data(), 20));
        return b;
    };
    CHECK(parses4(repaired(8, 1)));
    CHECK_FALSE(parses4(repaired(0, 0x55)));
    CHECK_FALSE(parses4(repaired(0, 0x65)));
    CHECK_FALSE(parses4(repaired(0, 0x44)));
    CHECK_FALSE(parses4(repaired(0, 0x40)));
    CHECK_FALSE(parses4(repaired(3, 19))); // Total Length below the header
    CHECK_FALSE(parses4(repaired(3, static_cast<std::uint8_t>(good.size() + 1))));
    CHECK_FALSE(parses4(repaired(2, 0xff)));
    Ipv4View view;
    REQUIRE(parses4(repaired(3, 20), &view)); // nothing behind it is fine
    CHECK(view.transport_length == 0);
    REQUIRE(parses4(good + Bytes(6), &view)); // padding
    CHECK(view.transport_length == 12);
    CHECK(parses4(repaired(6, 0x80))); // the reserved bit (T46-18)
}

TEST_CASE("views: IPv4 options", "[T46-14][T46-15][SEC-06]") {
    CHECK(parses4(with_options(Bytes(40, 1))));
    CHECK(parses4(with_options({0, 0xff, 0xff, 0xff}))); // nothing counts behind the end
    CHECK(parses4(with_options({1, 1, 0, 131})));
    CHECK(parses4(with_options({148, 4, 0, 0})));           // router alert
    CHECK(parses4(with_options({7, 7, 4, 0, 0, 0, 0, 0}))); // record route
    CHECK_FALSE(parses4(with_options({7, 0, 4, 0})));       // length 0
    CHECK_FALSE(parses4(with_options({7, 1, 4, 0})));       // length 1
    CHECK_FALSE(parses4(with_options({7, 5, 4, 0})));       // beyond the header
    CHECK_FALSE(parses4(with_options({1, 1, 1, 7})));       // no length octet
    CHECK_FALSE(parses4(with_options({7, 255, 4, 0})));
    CHECK_FALSE(parses4(with_options({1, 1, 131, 2}))); // a source route without pointer
    Ipv4View view;
    for (const std::uint8_t type : Bytes{131, 137}) {
        REQUIRE(parses4(with_options({type, 7, 4, 1, 2, 3, 4, 0}), &view));
        CHECK(view.has_source_route);
        REQUIRE(parses4(with_options({type, 7, 7, 1, 2, 3, 4, 0}), &view));
        CHECK(view.has_source_route);
        REQUIRE(parses4(with_options({type, 7, 8, 1, 2, 3, 4, 0}), &view));
        CHECK_FALSE(view.has_source_route); // expired
    }
    REQUIRE(parses4(with_options({0, 131, 7, 4, 1, 2, 3, 4}), &view));
    CHECK_FALSE(view.has_source_route);
}

TEST_CASE("views: IPv6 headers that are refused", "[T64-14][SEC-06]") {
    Bytes good = ipv6_packet(v6, udp(1, 2, counting(4)));
    Ipv6View view;
    CHECK(parse(good.data(), good.size(), view));
    for (std::size_t length = 0; length < good.size(); ++length) {
        Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
        CHECK_FALSE(parse(cut.data(), cut.size(), view));
    }
    Bytes padded = good + Bytes(6);
    REQUIRE(parse(padded.data(), padded.size(), view));
    CHECK(view.transport_length == 12);
    for (const std::uint8_t version : Bytes{0x40, 0x50, 0x70, 0x00, 0xf0}) {
        good[0] = version;
        CHECK_FALSE(parse(good.data(), good.size(), view));
    }
}

TEST_CASE("views: extension headers", "[T64-10][T64-11][T64-12][F64-02][F64-09]") {
    Ipv6View view;
    std::uint32_t pointer = 0;
    const Bytes payload = udp(1, 2, {});
    CHECK(walk(0, extension(43) + extension(60) + extension(17) + payload, view, pointer) ==
          ExtensionWalk::ok);
    CHECK(view.protocol == 17);
    CHECK(view.transport_length == 8);
    CHECK(walk(60, extension(60, 2) + extension(17, 1) + payload, view, pointer) ==
          ExtensionWalk::ok);
    CHECK(view.transport_length == 8);

    CHECK(walk(60, extension(0) + extension(17) + payload) == ExtensionWalk::malformed); // 0 second
    CHECK(walk(60, {}) == ExtensionWalk::malformed);
    CHECK(walk(60, Bytes(7)) == ExtensionWalk::malformed);
    CHECK(walk(60, extension(17, 255)) == ExtensionWalk::ok);
    Bytes lies = extension(17);
    lies[1] = 1;
    CHECK(walk(60, lies) == ExtensionWalk::malformed);
    lies[1] = 255;
    CHECK(walk(60, lies + payload) == ExtensionWalk::malformed);
    CHECK(walk(44, Bytes(7)) == ExtensionWalk::malformed);

    Bytes chain;
    for (int i = 0; i < 7; ++i)
        chain = chain + extension(60);
    CHECK(walk(60, chain + extension(17) + payload) == ExtensionWalk::ok); // eight
    CHECK(walk(60, chain + extension(60) + extension(17) + payload) == ExtensionWalk::malformed);

    CHECK(walk(0, extension(43, 1) + extension(17, 0, 0, 3) + payload, view, pointer) ==
          ExtensionWalk::segments_left);
    CHECK(pointer == 40 + 16 + 3);
    CHECK(view.protocol == 17); // walked on

    const auto fragment = [](std::uint8_t next, std::uint16_t offset_and_more) {
        Bytes b = {next, 0, 0, 0, 1, 2, 3, 4};
        put16(&b[2], offset_and_more);
        return b;
    };
    CHECK(walk(44, fragment(17, 0x00b9) + payload, view, pointer) == ExtensionWalk::ok);
    CHECK(view.is_real_fragment());
    CHECK(view.fragment.offset() == 23);
    CHECK(walk(44, fragment(17, 0) + payload, view, pointer) == ExtensionWalk::ok);
    CHECK_FALSE(view.is_real_fragment());
    CHECK(view.is_first_or_whole());
    CHECK(walk(60, extension(44) + fragment(6, 1) + payload, view, pointer) == ExtensionWalk::ok);
    CHECK(walk(44, fragment(44, 0) + payload) == ExtensionWalk::second_fragment);
    for (const std::uint8_t next : Bytes{0, 43, 60, 51, 135, 139, 140})
        CHECK(walk(44, fragment(next, 0) + payload) == ExtensionWalk::behind_fragment);
}

TEST_CASE("views: a quoted packet may be cut anywhere", "[INN-06][INN-13][SEC-06]") {
    const Bytes chain = extension(44) + Bytes{17, 0, 0, 1, 0, 0, 0, 9} + udp(1, 2, counting(8));
    Ipv6Fields f = v6;
    f.next_header = 60;
    const Bytes whole = ipv6_packet(f, chain);
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        QuotedIpv6 quote;
        const QuoteParse result = parse_quote(cut.data(), cut.size(), quote);
        CAPTURE(length);
        CHECK(result == (length < 40   ? QuoteParse::too_short
                         : length < 56 ? QuoteParse::broken
                                       : QuoteParse::ok));
        if (result != QuoteParse::ok) continue;
        CHECK(quote.available == length - 56);
        CHECK(quote.claimed_length() == 16);
    }
    const Bytes options = with_options(Bytes(12, 1));
    for (std::size_t length = 0; length <= options.size(); ++length) {
        Bytes cut(options.begin(), options.begin() + static_cast<std::ptrdiff_t>(length));
        QuotedIpv4 quote;
        const QuoteParse result = parse_quote(cut.data(), cut.size(), quote);
        CHECK((result == QuoteParse::ok) == (length >= 32));
        if (result == QuoteParse::ok) CHECK(quote.available == length - 32);
    }
}

TEST_CASE("views: random bytes are read inside their length only", "[SEC-06]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{41}, fresh_seed());
    INFO("seed " << seed);
    Random random(seed);
    for (int i = 0; i < 50000; ++i) {
        Bytes bytes(random.below(120));
        for (auto& b : bytes)
            b = random.byte();
        if (!bytes.empty()) bytes[0] = static_cast<std::uint8_t>(random.one_in(2) ? 0x60 : 0x47);
        if (bytes.size() > 6) bytes[6] = Bytes{0, 43, 44, 60, 17}[random.below(5)];
        if (bytes.size() > 5) put16(&bytes[4], random.below(90));
        QuotedIpv6 quote6;
        QuotedIpv4 quote4;
        const std::uint8_t* const end = bytes.data() + bytes.size();
        if (parse_quote(bytes.data(), bytes.size(), quote6) == QuoteParse::ok)
            REQUIRE(quote6.transport + quote6.available == end);
        if (parse_quote(bytes.data(), bytes.size(), quote4) == QuoteParse::ok)
            REQUIRE(quote4.transport + quote4.available == end);
        Ipv6View view;
        if (!parse(bytes.data(), bytes.size(), view)) continue;
        std::uint32_t pointer = 0;
        if (walk_extensions(view, view.transport_length, pointer) == ExtensionWalk::ok)
            REQUIRE(view.transport + view.transport_length <= end);
    }
}
