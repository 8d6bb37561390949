// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/segment_source.hpp"

#include "translator/daemon/log.hpp"
#include "translator/exporter/bus_errors.hpp"

#include <stdexcept>

namespace xlat646 {
namespace {

void watch(const SegmentView& view) {
    const SegmentOffsets& offsets = view.header().offsets;
    bus_errors::watch(reinterpret_cast<const std::uint8_t*>(&view.life()) - offsets.life,
                      offsets.size);
}

} // namespace

void SegmentSource::open() {
    std::string problem;
    try {
        bus_errors::watch(nullptr, 0);
        reader_.reset();
        reader_.emplace(path_);
        watch(reader_->view());
    } catch (const std::exception& e) {
        problem = e.what();
    }
    if (problem == problem_) return;
    problem_ = std::move(problem);
    if (problem_.empty())
        log_info("{}: reading it", path_);
    else
        log_warning("{}", problem_);
}

SegmentLook SegmentSource::look(std::uint64_t now_ms) {
    if (!reader_)
        open();
    else if (reader_->follow())
        watch(reader_->view());

    SegmentLook out;
    out.now_ms = now_ms;
    for (int i = 0; i < 2; ++i) {
        if (!reader_) break;
        out.summary = summarize(reader_->view());
        out.pulse = pulse(out.summary.life, now_ms);
        // A segment that has lost its name is kept for as long as its daemon lives.
        if (out.pulse == Pulse::running || i == 1) break;
        open();
    }
    if (was_cut() || !reader_) {
        out = SegmentLook{};
        out.now_ms = now_ms;
        out.problem = problem_;
        return out;
    }
    out.view = &reader_->view();
    return out;
}

bool SegmentSource::was_cut() {
    if (!bus_errors::have_happened()) return false;
    bus_errors::watch(nullptr, 0);
    reader_.reset();
    problem_ = path_ + ": somebody has shortened the statistics segment";
    log_error("{}; only its daemon may write to it", problem_);
    return true;
}

} // namespace xlat646
