// SPDX-License-Identifier: BSD-2-Clause
#define XLAT646_TRACE // declares trace() as the traced sources see it
#include "translator/explain/trace_log.hpp"

#include "translator/siit/trace.hpp"

namespace xlat646 {
namespace {

constexpr std::size_t most_rules = 64; // both passes of a hairpin need some 40
TraceLog* log = nullptr;

} // namespace

TraceLog::TraceLog() {
    rules_.reserve(most_rules); // trace() is noexcept
    log = this;
}
TraceLog::~TraceLog() { log = nullptr; }

void trace(Rule rule) noexcept {
    if (log != nullptr && log->rules().size() < most_rules) log->note(rule);
}

} // namespace xlat646
