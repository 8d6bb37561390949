// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/segment_reader.hpp"

#include <stdexcept>

namespace xlat646 {

SegmentReader::SegmentReader(std::string path)
    : path_(std::move(path)), memory_(SharedMemory::open(path_)) {
    check();
    view_ = SegmentView(memory_.data());
}

SegmentReader::SegmentReader(int fd, const std::string& name)
    : path_(name), memory_(SharedMemory::open(fd, name)) {
    check();
    view_ = SegmentView(memory_.data());
}

void SegmentReader::check() const {
    const std::string problem = SegmentView::check(memory_.data(), memory_.size());
    if (!problem.empty()) throw std::runtime_error(path_ + ": " + problem);
}

bool SegmentReader::follow() {
    if (memory_.is_at(path_)) return false;
    try {
        SegmentReader next(path_);
        std::swap(*this, next);
    } catch (const std::exception&) { // perhaps it is there at the next look
        return false;
    }
    return true;
}

} // namespace xlat646
