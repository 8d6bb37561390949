// SPDX-License-Identifier: BSD-2-Clause
//
// What of the readiness needs no kernel: verdicts, echo messages, the pair of the probes, lanes.
// The rest is in tests/integration/readiness_test.py.
#include "tests/support/cast.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/worker_bench.hpp"
#include "translator/daemon/hysteresis.hpp"
#include "translator/daemon/lane_probe.hpp"

#include <poll.h>
#include <sys/socket.h>

using namespace xlat646;
using namespace xlat646::test;

namespace {

using Action = Hysteresis::Action;
using State = Hysteresis::State;

const ProbePair::Token token = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
const ProbePath path = {*Ipv4Address::parse("198.51.100.77"), *Ipv4Address::parse("203.0.113.1"),
                        *Ipv6Address::parse("2001:db8:a::2"),
                        *Ipv6Address::parse("2001:db8:64::198.51.100.77")};

void make_ready(Hysteresis& h) {
    REQUIRE(h.good() == Action::carrier_on);
    REQUIRE(h.good() == Action::announce);
}

struct Fixture {
    Fixture() : pair(token), table(make_table()) {
        settings.prefix = *TranslationPrefix::from(*Ipv6Prefix::parse("2001:db8:64::/96"));
        settings.own4 = path.own4;
        settings.own6 = *Ipv6Address::parse("2001:db8:ffff::1");
        settings.clients4 = Ipv4Classifier(Profile::internet); // which denies path.here4
        settings.probe = &pair;
        pair.set_server(path.here6);
    }
    Outcome run(const Bytes& in, Bytes& out) {
        TestBuffer buffer(in, {});
        const Outcome outcome = translator.translate(buffer.packet, *table);
        out = buffer.bytes();
        return outcome;
    }
    Settings settings;
    ProbePair pair;
    std::unique_ptr<const MappingTable> table;
    Translator translator{settings};
};

} // namespace

TEST_CASE("hysteresis: the first time one round and a trial do", "[readiness]") {
    Hysteresis h(3, 5);
    for (int i = 0; i < 10; ++i)
        CHECK(h.bad() == Action::none);
    make_ready(h);
    CHECK(h.state() == State::on);
    CHECK(h.good() == Action::none);
}

TEST_CASE("hysteresis: off after so many failures in a row, on after so many successes",
          "[readiness][RT-28]") {
    Hysteresis h(3, 5);
    make_ready(h);
    for (const Action expected : {Action::none, Action::none})
        CHECK(h.bad() == expected);
    CHECK(h.good() == Action::none); // the row is broken
    CHECK(h.bad() == Action::none);
    CHECK(h.bad() == Action::none);
    CHECK(h.bad() == Action::carrier_off);
    CHECK(h.state() == State::off);
    for (int i = 0; i < 4; ++i)
        CHECK(h.good() == Action::none);
    CHECK(h.bad() == Action::none);
    for (int i = 0; i < 4; ++i)
        CHECK(h.good() == Action::none);
    make_ready(h);
}

TEST_CASE("hysteresis: after a trial that failed the next one waits twice as long", "[readiness]") {
    Hysteresis h(3, 5);
    REQUIRE(h.good() == Action::carrier_on);
    std::uint32_t wait = 5;
    for (int trial = 0; trial < 9; ++trial) {
        CHECK(h.bad() == Action::carrier_off); // at once
        wait = std::min(wait * 2, 5u * 64);
        for (std::uint32_t i = 1; i < wait; ++i)
            REQUIRE(h.good() == Action::none);
        CHECK(h.good() == Action::carrier_on);
    }
    CHECK(h.good() == Action::announce);
    for (const Action expected : {Action::none, Action::none, Action::carrier_off})
        CHECK(h.bad() == expected);
    for (int i = 0; i < 4; ++i)
        CHECK(h.good() == Action::none);
    CHECK(h.good() == Action::carrier_on); // no longer punished
}

TEST_CASE("probe pair: a marked ping is translated there and back", "[readiness][RT-28]") {
    Fixture f;
    const EchoContent content{token, {42}};
    Bytes out;
    const Bytes ping = make_packet(path.here4, path.own4, make_echo4(8, content));
    REQUIRE(f.run(ping, out).is_forward());
    CHECK(f.translator.slot() == probe_slot);
    const Parsed six = whole(out); // and its checksum is right
    CHECK(six.source6 == path.there6);
    CHECK(six.destination6 == path.here6);
    CHECK(out[40] == 128);
    CHECK(
        is_packet(out, path.there6, path.here6, make_echo6(128, content, path.there6, path.here6)));

    const Bytes answer =
        make_packet(path.here6, path.there6, make_echo6(129, content, path.here6, path.there6));
    REQUIRE(f.run(answer, out).is_forward());
    CHECK(f.translator.slot() == probe_slot);
    const Parsed four = whole(out);
    CHECK(four.source4 == path.own4);
    CHECK(four.destination4 == path.here4);
    CHECK(out[20] == 0);
    CHECK(is_packet(out, path.own4, path.here4, make_echo4(0, content)));
}

TEST_CASE("probe pair: this node's address may be a pair as well", "[readiness]") {
    Fixture f; // no hairpinning for probes
    const EchoContent content{token, {}};
    const Ipv6Address there = *Ipv6Address::parse("2001:db8:64::192.0.2.1");
    Bytes out;
    REQUIRE(f.run(make_packet(server4, path.own4, make_echo4(8, content)), out).is_forward());
    CHECK(is_packet(out, there, path.here6, make_echo6(128, content, there, path.here6)));
    REQUIRE(f.run(make_packet(path.here6, there, make_echo6(129, content, path.here6, there)), out)
                .is_forward());
    CHECK(is_packet(out, path.own4, server4, make_echo4(0, content)));
}

TEST_CASE("probe pair: nobody else sees it", "[readiness][T46-24]") {
    Fixture f;
    EchoContent wrong{token, {}};
    wrong.token[15] ^= 1;
    Bytes out;
    // Without the token own4 is what it always is: it answers, and the policy holds.
    f.settings.clients4 = Ipv4Classifier(Profile::any);
    CHECK(f.run(make_packet(client4, path.own4, make_echo4(8, wrong)), out).is_echo_reply());
    f.settings.clients4 = Ipv4Classifier(Profile::internet);
    CHECK(f.run(make_packet(client4, path.own4, make_echo4(8, wrong)), out).reason() ==
          DropReason::policy4);
    // No other address is translated to what the token stands for, nor another type.
    const EchoContent right{token, {}};
    CHECK(f.run(make_packet(path.here4, Ipv4Address(path.own4.value() + 1), make_echo4(8, right)),
                out)
              .reason() == DropReason::no_mapping);
    CHECK_FALSE(f.run(make_packet(path.here4, path.own4, make_echo4(3, right)), out).is_forward());
    // Towards IPv4: the right token from the wrong address, and the other way round.
    const Ipv6Address other = *Ipv6Address::parse("2001:db8:a::3");
    CHECK_FALSE(
        f.run(make_packet(other, path.there6, make_echo6(129, right, other, path.there6)), out)
            .is_forward());
    CHECK_FALSE(
        f.run(make_packet(path.here6, path.there6, make_echo6(129, wrong, path.here6, path.there6)),
              out)
            .is_forward());
    CHECK(f.translator.slot() != probe_slot);
}

TEST_CASE("lane probe: a worker that runs answers, one that does not is named",
          "[readiness][RT-28]") {
    const bool vnet_header = GENERATE(false, true);
    Bench bench(vnet_header);
    ProbePair pair(token);
    pair.set_server(path.here6);
    LaneProbe probe(2, vnet_header);
    bench.settings().probe = &pair;
    bench.options().lanes.push_back(probe.lane(0));
    bench.start();
    RecentNonces nonces(3);
    std::vector<Bytes> answers;
    const auto collect = [&] {
        probe.collect(nonces, [&](std::span<const std::uint8_t> bytes) {
            answers.emplace_back(bytes.begin(), bytes.end());
        });
    };
    probe.begin(path, {token, nonces.renew()});
    CHECK(probe.why_not() == "worker 1, 2 of 2 does not translate a probe");
    while (answers.size() < 2) {
        pollfd event = {probe.descriptor(0), POLLIN, 0};
        REQUIRE(poll(&event, 1, -1) == 1);
        collect();
    }
    CHECK(probe.why_not() == "worker 2 of 2 does not translate a probe");
    for (const Bytes& answer : answers)
        CHECK(answer.size() ==
              (vnet_header ? 10 : 0) +
                  (answer[vnet_header ? 10 : 0] >> 4 == 4 ? 20 + echo_length : 40 + echo_length));
    bench.stop();
    // Probes are no traffic.
    const Sums s = sums(bench.counters());
    CHECK(s.received == 0);
    CHECK(bench.counters().probes.received.get() == 2);
    CHECK(bench.counters().probes.forwarded.get() == 2);
}

TEST_CASE("lane probe: only right answers to recent probes count", "[readiness][RT-28]") {
    LaneProbe probe(1, false);
    RecentNonces nonces(2);
    const auto answer = [&](const Bytes& bytes) {
        REQUIRE(send(probe.lane(0), bytes.data(), bytes.size(), 0) ==
                static_cast<ssize_t>(bytes.size()));
        probe.collect(nonces, [](std::span<const std::uint8_t>) {});
        return probe.why_not().empty();
    };
    const auto answer6 = [&](const EchoContent& c) {
        return make_packet(path.there6, path.here6, make_echo6(128, c, path.there6, path.here6));
    };
    const auto answer4 = [&](const EchoContent& c) {
        return make_packet(path.own4, path.here4, make_echo4(0, c));
    };
    const EchoContent content{token, nonces.renew()};
    probe.begin(path, content);
    CHECK_FALSE(answer(answer6(content)));
    Bytes damaged = answer4(content);
    damaged.back() ^= 1;
    CHECK_FALSE(answer(damaged));
    CHECK_FALSE(answer(make_packet(path.here4, path.own4, make_echo4(8, content)))); // unchanged
    CHECK_FALSE(answer(make_packet(path.own4, path.own4, make_echo4(0, content))));
    CHECK_FALSE(answer({}));
    CHECK_FALSE(answer(answer4({token, {}})));
    CHECK_FALSE(answer(answer4({{}, content.nonce})));
    CHECK(answer(answer4(content)));

    probe.begin(path, {token, nonces.renew()}); // an answer may take two rounds here
    CHECK_FALSE(answer(answer6(content)));
    CHECK(answer(answer4(content)));
    probe.begin(path, {token, nonces.renew()});
    CHECK_FALSE(answer(answer6(content)));
    CHECK_FALSE(answer(answer4(content)));
}
