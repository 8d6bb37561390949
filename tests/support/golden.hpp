// SPDX-License-Identifier: BSD-2-Clause
//
// Golden rows: packets as data (tests/golden/README.md). The same rows serve the unit tests, the
// fuzzers' corpora and the benchmarks.
#pragma once

#include "mapping/table.hpp"
#include "translator/siit/outcome.hpp"
#include "translator/siit/settings.hpp"
#include "translator/wire/packet.hpp"

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace xlat646::test {

using Bytes = std::vector<std::uint8_t>;
using Ranges = std::vector<std::pair<std::size_t, std::size_t>>;

struct GoldenConfig {
    Settings settings;
    std::unique_ptr<const MappingTable> table;
};

struct GoldenRow {
    std::string file;
    std::vector<std::string> requirements;
    std::string description;
    std::shared_ptr<const GoldenConfig> config;
    Direction direction;
    Bytes in;
    OffloadHeader offload;
    std::string outcome;
    std::vector<std::string> reasons; ///< any of them; empty: none
    std::vector<Bytes> out;
    std::vector<Ranges> masks;
    std::vector<OffloadHeader> out_offloads;
};

/// Throws std::runtime_error that names file and row.
std::vector<GoldenRow> load_golden(const std::string& path);
GoldenConfig make_config(const nlohmann::json& config);
Bytes from_hex(const std::string& text);
std::string to_hex(const Bytes& bytes);

/// A packet in a buffer with exactly the promised room on both sides, so that sanitizers see every
/// step beyond it.
class TestBuffer {
  public:
    TestBuffer(const Bytes& bytes, const OffloadHeader& offload);
    Packet packet;
    Bytes bytes() const { return {packet.data, packet.data + packet.length}; }
    bool is_inside() const;

  private:
    std::vector<std::uint8_t> storage_;
};

} // namespace xlat646::test
