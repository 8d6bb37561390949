// SPDX-License-Identifier: BSD-2-Clause
//
// A statistics segment as other programs read it. The daemon does not notice; who has opened one
// keeps its numbers, whatever becomes of the daemon and its file.
#pragma once

#include "translator/stats/segment_view.hpp"
#include "translator/stats/shared_memory.hpp"

namespace xlat646 {

class SegmentReader {
  public:
    /// Throws std::system_error or std::runtime_error: the path, and what is wrong with the file.
    explicit SegmentReader(std::string path);
    /// The segment of a process that has passed its descriptor. Takes it.
    SegmentReader(int fd, const std::string& name);

    const SegmentView& view() const { return view_; }

    /// Turns to the file that has the name now, if that is another one. False: it is the same, or
    /// there is none, or none that can be read; then everything stays. Views end with it.
    bool follow();

  private:
    void check() const;

    std::string path_;
    SharedMemory memory_;
    SegmentView view_;
};

} // namespace xlat646
