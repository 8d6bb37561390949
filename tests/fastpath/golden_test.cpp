// SPDX-License-Identifier: BSD-2-Clause
//
// Every golden row through the kernel program: the row's bytes, or untouched. What can be taken is.
#include "tests/fastpath/harness.hpp"
#include "tests/unit/catch.hpp"

#include <filesystem>
#include <iostream>

using namespace xlat646;
using namespace xlat646::test;

namespace {

std::vector<GoldenRow> all_rows() {
    std::vector<GoldenRow> rows;
    for (const auto& entry : std::filesystem::directory_iterator(XLAT646_GOLDEN_DIR)) {
        if (entry.path().extension() != ".json") continue;
        for (GoldenRow& row : load_golden(entry.path().string()))
            rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace

TEST_CASE("fast path: golden rows come out as in user space, or untouched", "[fastpath]") {
    std::map<const GoldenConfig*, std::unique_ptr<Harness>> harnesses;
    Tally tally;
    Tally taken;
    std::vector<std::string> wrong;
    for (const GoldenRow& row : all_rows()) {
        std::string name = row.file + ": "; // as tests/mutate.py reads it
        for (const std::string& requirement : row.requirements)
            name += requirement + " ";
        name += ": " + row.description;
        if (row.offload != OffloadHeader{}) {
            ++tally["with an offload header (tested with real devices)"];
            continue;
        }
        auto& harness = harnesses[row.config.get()];
        if (!harness) harness = std::make_unique<Harness>(row.config);

        // The row is what reaches user space, which is one router later.
        const bool has_room = row.in.size() >= 20 && hops_of(row.in) < 255;
        const Bytes arrives = has_room ? with_hops(row.in, 1) : row.in;
        const bool is_single = row.outcome == "forward" && row.out.size() == 1;
        const Comparison c =
            compare(*harness, arrives, has_room && is_single ? &row.out[0] : nullptr);
        if (!c.wrong.empty()) wrong.push_back(name + c.wrong);
        ++tally[c.summary()];
        if (c.program.is_taken) ++taken[c.kind];
    }
    std::cout << "golden rows:\n" << to_string(tally);
    for (const std::string& w : wrong)
        UNSCOPED_INFO(w);
    CHECK(wrong.empty());
    for (const char* protocol : {"tcp", "udp", "echo"})
        for (const char* direction : {" v4_to_v6", " v6_to_v4"})
            CHECK(taken[std::string(protocol) + direction] > 0);
}
