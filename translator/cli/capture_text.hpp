// SPDX-License-Identifier: BSD-2-Clause
//
// The records of a capture as blocks of pcapng: both sides of each pair, linked by their comments.
// Pure but for the statistics, which it reads for names. Believes nothing that a record says.
#pragma once

#include "translator/dataplane/capture_ring.hpp"
#include "translator/stats/segment_reader.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace xlat646 {

/// Names of mappings, by counter slot. Follows the daemon's reloads.
class MappingNames {
  public:
    /// nullptr: there are no statistics, and so no names.
    explicit MappingNames(SegmentReader* reader) : reader_(reader) {}

    /// "mapping www (tenant acme)" or "mapping 192.0.2.1 = 2001:db8:6::2"; empty: unknown, or no
    /// more the one that `packet`, which holds an address of the mapping, has gone through.
    std::string name_of(std::uint32_t slot, std::string_view packet);
    /// Looks whether there is a new table. Not for every packet.
    void follow();

  private:
    void index();

    SegmentReader* reader_;
    std::vector<std::uint32_t> by_slot_; ///< one more than the mapping's number; 0: none
};

class CaptureText {
  public:
    CaptureText(MappingNames& names, std::uint32_t snap_length)
        : names_(names), snap_length_(snap_length) {}

    /// What a file begins with.
    std::string beginning() const;
    /// `bytes`: all that follow the record. Throws std::runtime_error: the record is nonsense.
    std::string blocks(const CaptureRecord& record, std::string_view bytes);

    std::uint64_t pairs() const { return pairs_; }

  private:
    std::string comment(const CaptureRecord& record, std::uint64_t pair, std::string_view bytes);

    MappingNames& names_;
    std::uint32_t snap_length_;
    std::uint64_t pairs_ = 0;
    std::unordered_map<std::uint32_t, std::uint64_t> last_pair_; ///< of each worker
};

/// The last line: what was captured, what was missed. `totals`: of the record of kind `end`.
std::string capture_summary(std::uint64_t written, std::string_view totals);

} // namespace xlat646
