// SPDX-License-Identifier: BSD-2-Clause
//
// The daemon's segment, whatever becomes of it: not there yet, another generation, deleted, broken,
// shortened, left by a crash, and there again.
#pragma once

#include "translator/stats/segment_reader.hpp"
#include "translator/stats/summary.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace xlat646 {

/// One look at the segment. Ends with the next one.
struct SegmentLook {
    const SegmentView* view = nullptr; ///< nullptr: there is none, see `problem`
    Summary summary;                   ///< empty without a view
    Pulse pulse = Pulse::stopped;
    std::uint64_t now_ms = 0; ///< Unix time
    std::string problem;      ///< why there is none

    bool is_alive() const { return view != nullptr && pulse == Pulse::running; }
    bool is_ready() const { return is_alive() && summary.life.is_ready; }
};

class SegmentSource {
  public:
    explicit SegmentSource(std::string path) : path_(std::move(path)) {}

    SegmentLook look(std::uint64_t now_ms = unix_now_ms());
    /// To be asked after everything that reads the view. True: what was read is nonsense, the
    /// segment is given up, and the next look() opens it again.
    bool was_cut();

    const std::string& path() const { return path_; }

  private:
    void open();

    std::string path_;
    std::optional<SegmentReader> reader_;
    std::string problem_ = "not looked for yet";
};

} // namespace xlat646
