// SPDX-License-Identifier: BSD-2-Clause
//
// The traced rules are the data path's: every golden row that can be on a wire comes out as the row
// says. And each rule that can be explained is passed by one of them.
#include "tests/support/golden.hpp"
#include "tests/unit/catch.hpp"
#include "translator/explain/explanation.hpp"
#include "translator/explain/packet_fields.hpp"
#include "translator/explain/packet_input.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <pcap/pcap.h>
#include <regex>
#include <set>
#include <sstream>
#include <unistd.h>

using namespace xlat646;
using namespace xlat646::test;

namespace {

std::vector<GoldenRow> all_rows() {
    std::vector<GoldenRow> rows;
    for (const auto& entry : std::filesystem::directory_iterator(XLAT646_GOLDEN_DIR))
        if (entry.path().extension() == ".json")
            for (GoldenRow& row : load_golden(entry.path()))
                if (row.offload == OffloadHeader{}) rows.push_back(std::move(row));
    return rows;
}

bool is_equal(const Bytes& got, Bytes wanted, const Ranges& mask) {
    if (got.size() != wanted.size()) return false;
    for (const auto& [from, to] : mask)
        for (std::size_t i = from; i < to && i < got.size(); ++i)
            wanted[i] = got[i];
    return got == wanted;
}

std::string wrong_with(const GoldenRow& row, const Explanation& e) {
    static constexpr const char* verdicts[] = {"forward", "reply", "drop"};
    if (row.outcome != verdicts[static_cast<int>(e.outcome.verdict())]) return "verdict";
    if (!e.outcome.is_forward() && !e.outcome.is_echo_reply() &&
        std::count(row.reasons.begin(), row.reasons.end(), name_of(e.outcome.reason())) == 0)
        return "reason";
    if (e.direction != row.direction) return "direction";
    if (row.outcome == "drop") return e.packets.empty() ? "" : "packets of a drop";
    if (e.packets.size() != row.out.size()) return "number of packets";
    for (std::size_t i = 0; i < row.out.size(); ++i)
        if (!is_equal(e.packets[i], row.out[i], row.masks[i])) return "bytes";
    if (e.rules.empty()) return "no rule";
    return "";
}

std::string value_of(const std::vector<PacketField>& fields, const std::string& name) {
    for (const PacketField& f : fields)
        if (f.name == name) return f.value;
    return "none";
}

std::string complaint(const std::string& hex) {
    try {
        (void)packet_from_hex(hex);
    } catch (const BadInput& e) {
        return e.what();
    }
    return "";
}

class File {
  public:
    File() { REQUIRE((fd_ = ::mkstemp(name_)) >= 0); }
    ~File() {
        ::close(fd_);
        ::unlink(name_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    const char* name() const { return name_; }

  private:
    char name_[32] = "/tmp/xlat646-explain-XXXXXX";
    int fd_ = -1;
};

/// Packets of one link type; `original` bytes each, or as many as there are.
void write_capture(const File& file, int link_type, const std::vector<Bytes>& frames,
                   std::uint32_t original = 0) {
    pcap_t* const handle = pcap_open_dead(link_type, 65535);
    pcap_dumper_t* const out = pcap_dump_open(handle, file.name());
    REQUIRE(out != nullptr);
    for (const Bytes& frame : frames) {
        pcap_pkthdr header{};
        header.caplen = static_cast<bpf_u_int32>(frame.size());
        header.len = std::max(header.caplen, original);
        pcap_dump(reinterpret_cast<u_char*>(out), &header, frame.data());
    }
    pcap_dump_close(out);
    pcap_close(handle);
}

const std::string ipv4_hex =
    "450000280001000040068e93c6336407c000020104d20050000000000000000050022000"
    "9e840000";

} // namespace

TEST_CASE("explain: golden rows, and each rule is passed by one") {
    std::set<Rule> passed;
    std::size_t rows = 0, plain = 0;
    for (const GoldenRow& row : all_rows()) {
        if (row.in.empty()) continue;
        ++rows;
        // Withheld errors are no matter of the rules: explain has no limits.
        const Explanation e = explain(row.in, row.config->settings, *row.config->table);
        passed.insert(e.rules.begin(), e.rules.end());
        plain += e.is_plain ? 1 : 0;
        const std::string wrong = wrong_with(row, e);
        if (!wrong.empty()) FAIL_CHECK(row.file << ": " << row.description << ": " << wrong);
    }
    CHECK(rows > 2500);
    CHECK(plain > 100);
    for (std::size_t i = 0; i < rule_texts.size(); ++i)
        if (passed.count(static_cast<Rule>(i)) == 0)
            FAIL_CHECK("no golden row passes rule " << rule_texts[i].name);
}

TEST_CASE("explain: the rules' rows are those of the matrix") {
    std::ifstream file(XLAT646_REQUIREMENTS);
    std::stringstream text;
    text << file.rdbuf();
    const std::string all = text.str();
    REQUIRE(all.size() > 1000);
    const std::regex number("[A-Z0-9]+-[0-9]{2}");
    std::size_t found = 0;
    for (const RuleText& rule : rule_texts) {
        const std::string rows(rule.rows);
        for (std::sregex_iterator i(rows.begin(), rows.end(), number), end; i != end; ++i, ++found)
            if (all.find(i->str()) == std::string::npos)
                FAIL_CHECK(rule.name << ": " << i->str() << " is no row of the matrix");
    }
    CHECK(found > rule_texts.size());
}

TEST_CASE("explain: header fields") {
    const auto fields = fields_of(packet_from_hex(ipv4_hex).bytes);
    CHECK(value_of(fields, "hop limit") == "64");
    CHECK(value_of(fields, "protocol") == "6 TCP");
    CHECK(value_of(fields, "source") == "198.51.100.7");
    CHECK(value_of(fields, "ports") == "1234 to 80");
    CHECK(value_of(fields, "checksum") == "0x9e84");
    CHECK(value_of(fields, "quoted source") == "none");
    // However they are cut off, and whatever is in them.
    for (const GoldenRow& row : all_rows())
        for (std::size_t size = 0; size < std::min<std::size_t>(row.in.size(), 120); ++size)
            (void)fields_of({row.in.data(), size});
}

TEST_CASE("explain: hexadecimal digits") {
    const Bytes wanted = from_hex(ipv4_hex);
    std::string spaced = "0x", dump;
    for (std::size_t i = 0; i < ipv4_hex.size(); i += 2)
        spaced += ipv4_hex.substr(i, 2) + (i % 8 == 0 ? ":" : i % 8 == 2 ? " " : "\n");
    CHECK(packet_from_hex(ipv4_hex).bytes == wanted);
    CHECK(packet_from_hex(spaced).bytes == wanted);
    for (std::size_t at = 0; at < 40; at += 16) {
        char offset[24];
        std::snprintf(offset, sizeof offset, "\t0x%04zx:  ", at);
        dump += offset + ipv4_hex.substr(at * 2, 32) + "\n";
    }
    CHECK(packet_from_hex(dump).bytes == wanted);
    CHECK(packet_from_hex("4500002800010203040506070800" + ipv4_hex).bytes == wanted);
    CHECK(packet_from_hex("4500002800010203040506078100000a0800" + ipv4_hex).bytes ==
          wanted); // a VLAN
    CHECK(!packet_from_hex("0000002800010203040506070800" + ipv4_hex).note.empty());

    CHECK(complaint("") == "there is no packet");
    CHECK(complaint("450") == "a byte with one digit only");
    CHECK(complaint("4 5") == "a byte with one digit only");
    CHECK(complaint("45 xy") == "no hexadecimal digit: 'x'");
    CHECK(complaint("45 \x1b]0;") == "no hexadecimal digit: byte 27");
    CHECK(complaint("45 \xc3\xa9") == "no hexadecimal digit: byte 195");
    CHECK(complaint("7500") == "the frame is shorter than its link header");
    CHECK(complaint("0000002800010203040506070806" + ipv4_hex) ==
          "an Ethernet frame of type 2054 holds no IP packet");
    CHECK(complaint(std::string(2 * 65536, '4')) == "more than 65535 bytes are no IP packet");
}

TEST_CASE("explain: capture files") {
    const Bytes packet = from_hex(ipv4_hex);
    const auto behind = [&](const std::string& header) {
        Bytes frame = from_hex(header);
        frame.insert(frame.end(), packet.begin(), packet.end());
        return frame;
    };
    const File file;
    const std::vector<std::pair<int, Bytes>> links = {
        {DLT_EN10MB, behind("0001020304050607080910110800")},
        {DLT_RAW, packet},
        {DLT_NULL, behind("02000000")},
        {DLT_LINUX_SLL, behind("00000001000600010203040500000800")},
        {DLT_LINUX_SLL2, behind("0800000000000001000100060001020304050000")}};
    for (const auto& [type, frame] : links) {
        write_capture(file, type, {{0x45}, frame});
        CHECK(packet_from_capture(file.name(), 2).bytes == packet);
        CHECK(packet_from_capture(file.name(), 2).note.empty());
    }
    write_capture(file, DLT_RAW, {packet}, 1500);
    CHECK(packet_from_capture(file.name(), 1).note.find("40 of 1500") != std::string::npos);
    CHECK_THROWS_WITH(packet_from_capture(file.name(), 2), "there are 1 packets in it");
    write_capture(file, DLT_IEEE802_11, {packet});
    CHECK_THROWS_AS(packet_from_capture(file.name(), 1), BadInput);
    std::ofstream(file.name()) << "no capture at all, but long enough for a header";
    CHECK_THROWS_AS(packet_from_capture(file.name(), 1), BadInput);
    CHECK_THROWS_AS(packet_from_capture("/nonexistent", 1), BadInput);
}
