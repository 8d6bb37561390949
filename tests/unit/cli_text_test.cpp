// SPDX-License-Identifier: BSD-2-Clause
//
// What the commands show to people: numbers, columns, and no byte that a terminal would obey.
#include "translator/cli/text.hpp"

#include "tests/unit/catch.hpp"
#include "tests/unit/named_table.hpp"
#include "translator/cli/drops_text.hpp"
#include "translator/cli/segment_source.hpp"
#include "translator/cli/top_text.hpp"
#include "translator/cli/traffic_table.hpp"
#include "translator/stats/drop_advice.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

using namespace xlat646;
using nlohmann::ordered_json;

TEST_CASE("cli text: what a terminal would obey becomes a question mark", "[cli_text]") {
    CHECK(printable("plain ASCII ~!") == "plain ASCII ~!");
    CHECK(printable("\x1b[2J\r\n\x7f") == "?[2J???");
    CHECK(printable(std::string("a\0b", 3)) == "a?b");
    CHECK(printable("\xc2\x9b") == "?"); // CSI as one character
    CHECK(printable("caf\xc3\xa9 \xe6\x9d\xb1\xe4\xba\xac") ==
          "caf\xc3\xa9 \xe6\x9d\xb1\xe4\xba\xac");
    CHECK(printable("a\xe2\x80\xae"
                    "b") == "a?b"); // right to left
    CHECK(printable("a\xe2\x80\x8b"
                    "b") == "a?b"); // no width
    CHECK(printable("\xef\xbb\xbf") == "?");
    CHECK(printable("\xf3\xa0\x81\x81") == "?"); // a tag
    CHECK(printable("e\xcc\x81") == "e\xcc\x81");
    CHECK(printable("\xcc\x81"
                    "a") == "?a"); // a mark on nothing
    CHECK(printable("e\xcc\x81\xcc\x81\xcc\x81") == "e\xcc\x81??");
    // No UTF-8: alone, cut off, too long, a surrogate, beyond the end.
    CHECK(printable("\xff\x80") == "??");
    CHECK(printable("\xe6\x9d") == "??");
    CHECK(printable("\xc0\xaf") == "??");
    CHECK(printable("\xe0\x80\x80") == "???");
    CHECK(printable("\xed\xa0\x80") == "???");
    CHECK(printable("\xf4\x90\x80\x80") == "????");
    CHECK(printable("\xf0\x9f\x98\x80") == "\xf0\x9f\x98\x80");
}

TEST_CASE("cli text: columns", "[cli_text]") {
    const std::string tokyo = "\xe6\x9d\xb1\xe4\xba\xac"; // two characters, four columns
    CHECK(columns_of("abc") == 3);
    CHECK(columns_of(tokyo) == 4);
    CHECK(columns_of("e\xcc\x81") == 1);
    CHECK(cut("abc", 5) == "abc");
    CHECK(cut("abc", 2) == "ab");
    CHECK(cut(tokyo, 3) == tokyo.substr(0, 3));
    CHECK(cut("e\xcc\x81x", 1) == "e\xcc\x81");
    CHECK(cut("abc", 0).empty());
    CHECK(left(tokyo, 6) == tokyo + "  ");
    CHECK(left("abc", 2) == "abc");
    CHECK(right("7", 3) == "  7");
    CHECK(right("abcd", 3) == "abcd");
    CHECK(wrapped("one two three", 2, 9) == "  one two\n  three\n");
    CHECK(wrapped("one averyverylongword", 1, 8) == " one\n averyverylongword\n");
    CHECK(wrapped("", 4, 20).empty());
}

TEST_CASE("cli text: numbers", "[cli_text]") {
    CHECK(grouped(0) == "0");
    CHECK(grouped(1234567) == "1,234,567");
    CHECK(plural(1, "mapping") == "1 mapping");
    CHECK(plural(2000, "mapping") == "2,000 mappings");
    CHECK(duration(59) == "59 s");
    CHECK(duration(75) == "1 min 15 s");
    CHECK(duration(11530) == "3 h 12 min");
    CHECK(duration(90000) == "1 day 1 h");
    CHECK(scaled(0) == "0");
    CHECK(scaled(0.5) == "0.50");
    CHECK(scaled(9.99) == "9.99");
    CHECK(scaled(9.996) == "10.0");
    CHECK(scaled(99.96) == "100");
    CHECK(scaled(999.4) == "999");
    CHECK(scaled(999.5) == "1.00 k");
    CHECK(scaled(1500) == "1.50 k");
    CHECK(scaled(12345678) == "12.3 M");
    CHECK(scaled(1e30).size() < 64);
    CHECK(scaled(0, "bit/s") == "0 bit/s");
    CHECK(scaled(12345678, "bit/s") == "12.3 Mbit/s");
}

TEST_CASE("cli text: tables of mappings and tenants", "[cli_text]") {
    MappingRow row{{*Ipv4Prefix::parse("192.0.2.1"), *Ipv6Prefix::parse("2001:db8::1"), 0,
                    "w\x1b"
                    "ww",
                    "acme"},
                   {TrafficTotal{1234, 5}, TrafficTotal{6, 78901}},
                   {TrafficRate{1500, 2.5e6}, TrafficRate{0, 0}}};
    std::ostringstream out;
    write_table(out, std::vector{row}, Numbers::totals);
    CHECK(out.str() ==
          "IPV4       4>6 PACKETS  4>6 BYTES  6>4 PACKETS  6>4 BYTES  IPV6         NAME  TENANT\n"
          "192.0.2.1        1,234          5            6     78,901  2001:db8::1  w?ww  acme\n");
    out.str("");
    write_table(out, std::vector{row}, Numbers::rates, 60);
    CHECK(out.str() == "IPV4       4>6 PACKETS/s  4>6 BIT/s  6>4 PACKETS/s  6>4 BIT/\n"
                       "192.0.2.1         1.50 k     2.50 M              0          \n");
    out.str("");
    write_table(out, std::vector{TenantRow{"", 2000, row.total, row.rate}}, Numbers::totals);
    CHECK(out.str() == "TENANT  4>6 PACKETS  4>6 BYTES  6>4 PACKETS  6>4 BYTES  MAPPINGS\n"
                       "(none)        1,234          5            6     78,901  2,000\n");
    // One long name does not push all others away.
    const std::string long_name(300, 'x');
    row.mapping.name = long_name;
    out.str("");
    write_table(out, std::vector{row}, Numbers::totals);
    CHECK(out.str().find("NAME" + std::string(36, ' ') + "  TENANT\n") != std::string::npos);
    CHECK(out.str().find(long_name + "  acme\n") != std::string::npos);
}

TEST_CASE("cli text: discarded packets", "[cli_text]") {
    ordered_json drops = {{"counts", ordered_json::array()}, {"last", ordered_json::array()}};
    CHECK(drops_text(drops) == "no packet has been discarded\n");
    CHECK(last_drops_text(drops) == "no example of a discarded packet has been kept\n");
    drops["counts"].push_back({{"reason", "spoof"},
                               {"sentence", "It lies."},
                               {"advice", "Do something about it."},
                               {"v4_to_v6", {{"rejected", 0}, {"dropped", 1234}}},
                               {"v6_to_v4", {{"rejected", 5}, {"dropped", 6}}}});
    CHECK(drops_text(drops) ==
          "                                    IPv4 to IPv6                  IPv6 to IPv4\n"
          "reason                   rejected        dropped       rejected        dropped\n"
          "spoof                           0          1,234              5              6\n");
    CHECK(explained_drops_text(drops, 20) == "spoof: 1,234 of IPv4, 11 of IPv6\n    It lies.\n"
                                             "    -> Do something\n    about it.\n");
    drops["counts"][0]["v4_to_v6"]["dropped"] = 0;
    drops["counts"][0]["v6_to_v4"] = drops["counts"][0]["v4_to_v6"];
    CHECK(explained_drops_text(drops, 80) == "spoof: none\n    It lies.\n"
                                             "    -> Do something about it.\n");
    for (const std::uint64_t time : {0xffffffffffffffffull, 1700000000000ull}) // newest first
        drops["last"].push_back({{"time_ms", time}, {"reason", "spoof"}, {"packet", "A > B"}});
    CHECK(last_drops_text(drops) == "2023-11-14T22:13:20Z  spoof               A > B\n"
                                    "?                     spoof               A > B\n");
}

TEST_CASE("cli text: rates of all, and whether it runs", "[cli_text]") {
    Summary before, now;
    now.direction[0].received = 3000;
    now.direction[0].received_bytes = 300000;
    now.direction[1].dropped[3] = 4;
    now.direction[1].rejected[4] = 4;
    before.direction[0].received = 1000;
    before.direction[0].received_bytes = 100000;
    before.direction[1].received = 5; // another daemon's
    const TotalRates rates = total_rates(before, now, 2);
    CHECK(rates.received[0].packets == 1000);
    CHECK(rates.received[0].bits == 800000);
    CHECK(rates.received[1].packets == 0);
    CHECK(rates.discarded[1] == 4);
    CHECK(total_rates(before, now, 0).received[0].packets == 0);

    now.started = 100;
    now.mappings = 30;
    now.generation = 2;
    now.pid = 7;
    now.life.is_ready = true;
    now.life.state = SegmentState::current;
    now.life.beat_ms = 175000;
    CHECK(top_head(now, rates, 175000) ==
          "xlat646d ready, up 1 min 15 s, 30 mappings, generation 2\n"
          "IPv4 to IPv6    1.00 k packets/s    800 kbit/s  discarded 0/s\n"
          "IPv6 to IPv4         0 packets/s       0 bit/s  discarded 4.00/s\n");
    now.life.is_ready = false;
    now.life.is_last_reload_failed = true;
    now.started = -5;
    CHECK(top_head(now, rates, 1000)
              .find("xlat646d NOT READY, up 1 s, 30 mappings, generation 2, the last reload "
                    "FAILED\n") == 0);

    CHECK(why_not_running(now, 175000).empty());
    CHECK(why_not_running(now, 250000) ==
          "xlat646d (process 7) has written nothing for 1 min 15 s: it has crashed, hangs, or is "
          "busy with a long reload; these are its last values");
    now.life.state = SegmentState::stopped;
    CHECK(why_not_running(now, 175000) ==
          "xlat646d (process 7) has stopped; these are its last values");
}
