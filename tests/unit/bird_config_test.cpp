// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/bird_config.hpp"

#include "tests/unit/catch.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace xlat646 {

namespace {

Ipv4Prefix p4(const std::string& text) { return Ipv4Prefix::parse(text).value(); }
Ipv6Prefix p6(const std::string& text) { return Ipv6Prefix::parse(text).value(); }

Eam pair(const Ipv4Prefix& ipv4, const Ipv6Prefix& ipv6) {
    Eam m;
    m.ipv4 = ipv4;
    m.ipv6 = ipv6;
    return m;
}

RoutingSettings settings() {
    RoutingSettings s;
    s.router_id = Ipv4Address::parse("10.255.0.2").value();
    s.interfaces = {{"eth0"}};
    return s;
}

NodeRoutes routes() { return {{p4("192.0.2.0/24")}, {p6("2001:db8:46::/96")}}; }

std::string made(const RoutingSettings& s) { return bird_config(s, "xlat646", routes()); }

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t i = text.find(part); i != text.npos; i = text.find(part, i + 1))
        ++n;
    return n;
}

/// The destinations of its static routes, in their order.
std::vector<std::string> static_routes(const std::string& text) {
    std::vector<std::string> found;
    const std::string start = "\n  route ";
    for (std::size_t i = text.find(start); i != text.npos; i = text.find(start, i + 1)) {
        const std::size_t begin = i + start.size();
        found.push_back(text.substr(begin, text.find(' ', begin) - begin));
    }
    return found;
}

} // namespace

TEST_CASE("bird-config: the whole text (RT-01, RT-02, RT-03, RT-05, RT-10, RT-13, RT-25)",
          "[bird]") {
    RoutingSettings s = settings();
    s.interfaces = {{"eth0", 5, true, true, false}, {"eth1.100", 10, false, false, true}};
    s.password_file = "/etc/xlat646/ospf-password.conf";
    s.hello = 5;
    s.dead = 20;
    CHECK(
        made(s) ==
        R"(# BIRD 2 for an xlat646 node. Made by "xlat646 bird-config": change xlat646.yaml, not this.
#
# bird.conf includes this file, and has a "protocol device" and a "router id" of its own. The other
# routers need the same type, hello, dead and password on these links, bfd where it is used here,
# and, if they are BIRD and are to use several nodes at once, "ecmp yes; merge external yes;".

# One line, "define XLAT646_DRAIN = 0;" or 1: see xlat646 drain.
include "/var/lib/xlat646/drain.conf";
# One line, "define XLAT646_PASSWORD = ...;", for BIRD's eyes only.
include "/etc/xlat646/ospf-password.conf";
define XLAT646_METRIC = 20;
define XLAT646_TAG = 64646;

# IPv4 addresses of this node.
define XLAT646_OWN4 = [
  192.0.2.0/24+
];
# Only while the translator is ready (check link) and not drained.
protocol static xlat646_v4 {
  disabled XLAT646_DRAIN;
  ipv4;
  check link yes;
  route 192.0.2.0/24 via "xlat646";
}
filter xlat646_export4 {
  if proto != "xlat646_v4" || net !~ XLAT646_OWN4 then reject;
  ospf_metric1 = XLAT646_METRIC; # external type 1: the nearest node wins
  ospf_tag = XLAT646_TAG;
  accept;
}
# The other nodes announce the same.
filter xlat646_import4 {
  if defined(ospf_tag) && ospf_tag = XLAT646_TAG then reject;
  if net ~ XLAT646_OWN4 then reject;
  accept;
}

# Translation prefix, the Internet as servers see it.
define XLAT646_OWN6 = [
  2001:db8:46::/96+
];
# Only while the translator is ready (check link) and not drained.
protocol static xlat646_v6 {
  disabled XLAT646_DRAIN;
  ipv6;
  check link yes;
  route 2001:db8:46::/96 via "xlat646";
}
filter xlat646_export6 {
  if proto != "xlat646_v6" || net !~ XLAT646_OWN6 then reject;
  ospf_metric1 = XLAT646_METRIC; # external type 1: the nearest node wins
  ospf_tag = XLAT646_TAG;
  accept;
}
# The other nodes announce the same.
filter xlat646_import6 {
  if defined(ospf_tag) && ospf_tag = XLAT646_TAG then reject;
  if net ~ XLAT646_OWN6 then reject;
  accept;
}

protocol bfd xlat646_bfd {
  interface "eth0", "eth1.100" {
    interval 100 ms;
    multiplier 3;
    idle tx interval 300 ms;
  };
}

protocol ospf v2 xlat646_ospf4 {
  router id 10.255.0.2;
  ecmp yes;
  stub router yes; # no transit through this node
  ipv4 {
    import filter xlat646_import4;
    export filter xlat646_export4;
    export limit 64 action block;
  };
  area 0.0.0.0 {
    interface "eth0" {
      type ptp;
      cost 5;
      hello 5;
      dead 20;
      check link yes;
      ttl security tx only;
      bfd yes;
      authentication cryptographic;
      password XLAT646_PASSWORD {
        id 1;
        algorithm hmac sha256;
      };
    };
  };
}

protocol ospf v3 xlat646_ospf6 {
  router id 10.255.0.2;
  ecmp yes;
  ipv6 {
    import filter xlat646_import6;
    export filter xlat646_export6;
    export limit 64 action block;
  };
  area 0.0.0.0 {
    interface "eth1.100" {
      type broadcast;
      cost 10;
      hello 5;
      dead 20;
      check link yes;
      ttl security tx only;
      bfd yes;
      authentication cryptographic;
      password XLAT646_PASSWORD {
        id 1;
        algorithm hmac sha256;
      };
    };
  };
}
)");
}

TEST_CASE("bird-config: what is off leaves no trace (RT-17, RT-26)", "[bird]") {
    RoutingSettings s = settings();
    s.bfd.enabled = false;
    s.ttl_security = true;
    s.area = Ipv4Address(7);
    std::string text = made(s);
    CHECK(count(text, "bfd") == 1); // the advice at the head
    CHECK(count(text, "PASSWORD") == 0);
    CHECK(count(text, "authentication") == 0);
    CHECK(count(text, "ttl security yes;") == 2);
    CHECK(count(text, "area 0.0.0.7 {") == 2);
    CHECK(count(text, "include \"") == 1);
    s.interfaces[0].ipv6 = false;
    text = made(s);
    CHECK(count(text, "protocol ospf v2") == 1);
    CHECK(count(text, "protocol ospf v3") == 0);
}

TEST_CASE("bird-config: a family without a route announces none (RT-14)", "[bird]") {
    const std::string text = bird_config(settings(), "xlat646", {{}, {p6("64:ff9b::/96")}});
    CHECK(count(text, "protocol static xlat646_v4") == 0);
    CHECK(count(text, "XLAT646_OWN4") == 0);
    CHECK(count(text, "filter xlat646_export4 { reject; }") == 1);
    // No more-specific of the well-known prefix.
    CHECK(static_routes(text) == std::vector<std::string>{"64:ff9b::0.0.0.0/96"});
}

TEST_CASE("bird-config: 100,000 scattered pairs, in any order (RT-11)", "[bird]") {
    std::mt19937 random(646);
    std::vector<Eam> mappings;
    for (std::uint32_t i = 0; i < 100'000; ++i)
        mappings.push_back(pair(Ipv4Prefix(Ipv4Address(0x0b000000u + (random() & 0x3ffff)), 32),
                                Ipv6Prefix(Ipv6Address(0x20010db8'00060000u, i), 128)));
    const TranslationPrefix prefix = TranslationPrefix::from(p6("2001:db8:46::/96")).value();
    const Ipv4Address own4 = Ipv4Address::parse("192.0.0.8").value();
    const auto text_of = [&] {
        return bird_config(
            settings(), "xlat646",
            announced_routes(node_routes(mappings, prefix, own4, prefix.embed(own4), {}, {})));
    };
    const std::string text = text_of();
    std::shuffle(mappings.begin(), mappings.end(), random);
    CHECK(text_of() == text);
    std::vector<std::string> found = static_routes(text);
    CHECK(found.back() == "2001:db8:46::/96");
    found.pop_back();
    // Exactly the mapped addresses, once each, in fewer lines than there are addresses.
    std::set<std::uint32_t> wanted, covered;
    for (const Eam& m : mappings)
        wanted.insert(m.ipv4.address().value());
    std::size_t sum = 0;
    for (const std::string& route : found) {
        const Ipv4Prefix p = p4(route);
        sum += std::size_t{1} << p.suffix_length();
        for (std::uint32_t i = 0; i < (1u << p.suffix_length()); ++i)
            covered.insert(p.address().value() + i);
    }
    CHECK(sum == wanted.size());
    CHECK((covered == wanted));
    CHECK(found.size() < wanted.size() * 9 / 10);
    CHECK(count(text, "export limit 262144 action block;") == 1);
}

TEST_CASE("bird-config: what is owned counts whole, and what is everybody's not at all (RT-11)",
          "[bird]") {
    const std::vector<Eam> mappings = {pair(p4("192.0.2.7/32"), p6("2001:db8::7/128")),
                                       pair(p4("198.51.100.1/32"), p6("2001:db8::8/128"))};
    const std::vector<Ipv4Prefix> owned = {p4("192.0.2.0/25"), p4("192.0.2.128/25")};
    const TranslationPrefix prefix = TranslationPrefix::from(p6("2001:db8:46::/96")).value();
    const Ipv4Address dummy = Ipv4Address::parse("192.0.0.8").value();
    const NodeRoutes all = node_routes(mappings, prefix, dummy, prefix.embed(dummy), {}, owned);
    CHECK(all.ipv4 == std::vector{p4("192.0.0.8/32"), p4("192.0.2.0/24"), p4("198.51.100.1/32")});
    CHECK(announced_routes(all).ipv4 == std::vector{p4("192.0.2.0/24"), p4("198.51.100.1/32")});
    CHECK(announced_routes(all).ipv6 == std::vector{p6("2001:db8:46::/96")});
}

TEST_CASE("bird-config: what may stand between BIRD's quotes", "[bird]") {
    for (const char* const good : {"/var/lib/xlat646/drain.conf", "eth0.100", "a@b", "~x"})
        CHECK(is_bird_word(good));
    for (const std::string bad :
         {"", "a\"b", "a b", "a\nb", "*.conf", "a?", "[a]", "a\\b", "a;b", "{a}", "\xc3\xa4"})
        CHECK_FALSE(is_bird_word(bad));
    CHECK_FALSE(is_bird_word(std::string("a\0b", 3)));
}

} // namespace xlat646
