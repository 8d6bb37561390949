// SPDX-License-Identifier: BSD-2-Clause
//
// Every golden row through the translator: outcome, drop reason, offload header and every byte that
// the row does not mask, with and without the short way of plain packets. Whatever is masked still
// has to be valid: header checksums are checked.
#include "tests/support/golden.hpp"
#include "tests/unit/catch.hpp"
#include "translator/siit/translator.hpp"
#include "translator/wire/headers.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

using namespace xlat646;
using namespace xlat646::test;

namespace {

std::string check_bytes(const Bytes& got, const Bytes& wanted, const Ranges& mask) {
    Bytes patched = got;
    for (const auto& [from, to] : mask)
        for (std::size_t i = from; i < to && i < patched.size() && i < wanted.size(); ++i)
            patched[i] = wanted[i];
    std::string wrong;
    if (patched != wanted) {
        const auto at = std::mismatch(patched.begin(), patched.end(), wanted.begin(), wanted.end());
        wrong += "\n  differs at byte " + std::to_string(at.first - patched.begin()) +
                 "\n  got    " + to_hex(got) + "\n  wanted " + to_hex(wanted);
    }
    const auto is_valid_header = [&](std::size_t at) {
        return got.size() >= at + 20 &&
               ChecksumSum().add(got.data() + at, (got[at] & 15u) * std::size_t{4}).fold() ==
                   0xffff;
    };
    if (got[0] >> 4 == 4 && !is_valid_header(0)) wrong += "\n  IPv4 header checksum";
    // The header of a quoted IPv4 packet that we have made is valid, too.
    for (const auto& [from, to] : mask)
        if (from == 38 && to == 40 && got[0] == 0x45 && got[9] == 1 && !is_valid_header(28))
            wrong += "\n  quoted IPv4 header checksum";
    return wrong;
}

std::string show(const OffloadHeader& o) {
    return std::to_string(o.flags) + "/" + std::to_string(o.gso_type) + " hdr " +
           std::to_string(o.header_length) + " size " + std::to_string(o.gso_size) + " start " +
           std::to_string(o.checksum_start) + "+" + std::to_string(o.checksum_offset);
}

/// What is wrong, or nothing.
std::string run(const GoldenRow& row,
                Outcome (Translator::*translate)(Packet&, const MappingTable&) noexcept) {
    Translator translator(row.config->settings);
    TestBuffer buffer(row.in, row.offload);
    const Outcome outcome = (translator.*translate)(buffer.packet, *row.config->table);
    const bool has_reason = !outcome.is_forward() && !outcome.is_echo_reply();
    const std::string reason(has_reason ? name_of(outcome.reason()) : "none");

    static constexpr const char* verdicts[] = {"forward", "reply", "drop"};
    const std::string verdict = verdicts[static_cast<int>(outcome.verdict())];
    std::string wrong;
    if (verdict != row.outcome)
        wrong += "\n  outcome " + verdict + " (" + reason + "), wanted " + row.outcome +
                 (row.reasons.empty() ? "" : " (" + row.reasons[0] + ")");
    else if (has_reason ? std::count(row.reasons.begin(), row.reasons.end(), reason) == 0
                        : !row.reasons.empty())
        wrong +=
            "\n  reason " + reason + ", wanted " + (row.reasons.empty() ? "none" : row.reasons[0]);
    if (translator.direction() != row.direction) wrong += "\n  direction";
    if (!wrong.empty() || outcome.verdict() == Verdict::drop) return wrong;

    std::size_t count = 0;
    do {
        if (!buffer.is_inside()) return "\n  outside of the buffer";
        if (count == row.out.size()) return "\n  more packets than wanted";
        const std::string differs = check_bytes(buffer.bytes(), row.out[count], row.masks[count]);
        if (!differs.empty()) wrong += "\n  packet " + std::to_string(count) + ":" + differs;
        OffloadHeader wanted = row.out_offloads[count];
        if (wanted.gso_type == 0) wanted.header_length = buffer.packet.offload.header_length;
        if (buffer.packet.offload != wanted)
            wrong += "\n  offload " + show(buffer.packet.offload) + ", wanted " + show(wanted);
        ++count;
    } while (translator.next_piece(buffer.packet));
    if (count != row.out.size()) wrong += "\n  fewer packets than wanted";
    return wrong;
}

} // namespace

TEST_CASE("golden rows") {
    std::set<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(XLAT646_GOLDEN_DIR))
        if (entry.path().extension() == ".json") paths.insert(entry.path());
    REQUIRE(paths.size() >= 10);
    std::size_t rows = 0;
    for (const auto& path : paths) {
        for (const GoldenRow& row : load_golden(path)) {
            ++rows;
            const std::string short_way = run(row, &Translator::translate);
            const std::string full_way = run(row, &Translator::translate_fully);
            if (short_way.empty() && full_way.empty()) continue;
            std::string requirements;
            for (const auto& r : row.requirements)
                requirements += r + " ";
            FAIL_CHECK(row.file << ": " << requirements << ": " << row.description << short_way
                                << (full_way.empty() ? "" : "\nin full:") << full_way);
        }
    }
    CHECK(rows > 500);
}
