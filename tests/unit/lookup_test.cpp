// SPDX-License-Identifier: BSD-2-Clause
//
// What becomes of an address. That the answers are the translator's own is how look_up works.
#include "translator/cli/lookup_answer.hpp"

#include "tests/unit/catch.hpp"
#include "tests/unit/named_table.hpp"

using namespace xlat646;

namespace {

Settings settings_of(const char* prefix = "2001:db8:46::/96") {
    Settings s;
    s.prefix = *TranslationPrefix::from(*Ipv6Prefix::parse(prefix));
    s.own4 = *Ipv4Address::parse("203.0.113.254");
    s.own6 = *Ipv6Address::parse("2001:db8:46:ff::1");
    s.pool4 = {*Ipv4Address::parse("9.9.9.1"), *Ipv4Address::parse("9.9.9.2")};
    return s;
}

const std::vector<NamedPair> pairs = {{"203.0.113.1", "2001:db8:6::2"},
                                      {"203.0.113.16/28", "2001:db8:7::/124"},
                                      {"203.0.113.17", "2001:db8:8::17"}};

/// "rule becomes pair reason"
std::string answer_text(const std::string& address, const Settings& s, const MappingTable& table) {
    const auto four = Ipv4Address::parse(address);
    const LookupAnswer a =
        four ? look_up(*four, s, table) : look_up(*Ipv6Address::parse(address), s, table);
    std::string text = std::to_string(static_cast<int>(a.rule));
    if (a.becomes) text += " " + std::visit([](auto x) { return x.to_string(); }, *a.becomes);
    if (a.pair != nullptr) text += " " + a.pair->ipv4.to_string();
    if (a.reason) text += " " + std::string(name_of(*a.reason));
    REQUIRE(a.becomes.has_value() == is_mapped(a.rule));
    return text;
}

} // namespace

TEST_CASE("lookup by each rule", "[lookup]") {
    const auto table = named_table(pairs);
    const Settings s = settings_of();
    const auto answer = [&](const char* address) { return answer_text(address, s, *table); };
    CHECK(answer("203.0.113.1") == "0 2001:db8:6::2 203.0.113.1/32");
    CHECK(answer("203.0.113.17") == "0 2001:db8:8::17 203.0.113.17/32"); // the longest match
    CHECK(answer("203.0.113.18") == "0 2001:db8:7::2 203.0.113.16/28");
    CHECK(answer("2001:db8:6::2") == "0 203.0.113.1 203.0.113.1/32");
    CHECK(answer("2001:db8:7::f") == "0 203.0.113.31 203.0.113.16/28");
    CHECK(answer("8.8.8.8") == "1 2001:db8:46::808:808");
    CHECK(answer("1.7.7.7") == "1 2001:db8:46::107:707"); // an address that lookup itself uses
    CHECK(answer("2001:db8:46::808:808") == "1 8.8.8.8");
    CHECK(answer("2001:db8:46::107:707") == "1 1.7.7.7");
    CHECK(answer("2001:db8:46::cb00:7112") == "2 2001:db8:7::2 203.0.113.16/28");
    CHECK(answer("203.0.113.254") == "3");
    CHECK(answer("2001:db8:46:ff::1") == "3");
    CHECK(answer("2001:db8:46::cb00:71fe") == "3");
    CHECK(answer("9.9.9.2") == "4");
    CHECK(answer("2001:db8:46::909:902") == "4");
    CHECK(answer("2606:4700::1") == "5 no_mapping");
    CHECK(answer("10.0.0.1") == "6 policy4");
    CHECK(answer("2001:db8:46::a00:1") == "6 policy4");
    CHECK(answer("127.0.0.1") == "6 martian4");
    CHECK(answer("2001:db8:46::7f00:1") == "6 martian4");
    CHECK(answer("fe80::1") == "6 martian6");
    CHECK(answer("::1") == "6 martian6");
}

TEST_CASE("lookup with another policy", "[lookup]") {
    const auto table = named_table({});
    Settings s = settings_of();
    s.clients4 = Ipv4Classifier(Profile::any);
    CHECK(answer_text("10.0.0.1", s, *table) == "1 2001:db8:46::a00:1");
    s.clients4 = Ipv4Classifier(
        Profile::any, std::vector<Ipv4Override>{{*Ipv4Prefix::parse("8.0.0.0/8"), false}});
    CHECK(answer_text("8.8.8.8", s, *table) == "6 policy4");
    s.routers6 = Ipv6Classifier(
        Profile::any, std::vector<Ipv6Override>{{*Ipv6Prefix::parse("2606::/16"), false}});
    CHECK(answer_text("2606:4700::1", s, *table) == "6 no_mapping");
    // A52-06: the well-known prefix carries global addresses only, whatever the policy.
    s = settings_of("64:ff9b::/96");
    s.clients4 = Ipv4Classifier(Profile::any);
    CHECK(answer_text("10.0.0.1", s, *table) == "6 policy4");
    CHECK(answer_text("64:ff9b::a00:1", s, *table) == "6 policy4");
    CHECK(answer_text("9.9.9.9", s, *table) == "1 64:ff9b::9.9.9.9");
}

TEST_CASE("lookup of servers that may not reach each other", "[lookup]") {
    Settings s = settings_of();
    s.hairpin = false;
    CHECK(answer_text("2001:db8:46::cb00:7101", s, *named_table(pairs)) == "6 hairpin");
}

TEST_CASE("lookup where everybody is a server", "[lookup]") {
    const auto table = named_table({{"0.0.0.0/0", "2001:db8:9::/96"}});
    for (const bool hairpin : {true, false}) {
        Settings s = settings_of();
        s.hairpin = hairpin;
        CHECK(answer_text("7.7.7.7", s, *table) == "0 2001:db8:9::707:707 0.0.0.0/0");
        CHECK(answer_text("2001:db8:9::707:707", s, *table) == "0 7.7.7.7 0.0.0.0/0");
        CHECK(answer_text("2001:db8:9::808:808", s, *table) == "0 8.8.8.8 0.0.0.0/0");
    }
}
