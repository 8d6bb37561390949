// SPDX-License-Identifier: BSD-2-Clause
//
// Which rules the traced translator passes. Of one thread: a command's.
#pragma once

#include "translator/siit/rules.hpp"

#include <vector>

namespace xlat646 {

/// While it lives, the rules that are passed are noted in it. One at a time.
class TraceLog {
  public:
    TraceLog();
    ~TraceLog();
    TraceLog(const TraceLog&) = delete;
    TraceLog& operator=(const TraceLog&) = delete;

    const std::vector<Rule>& rules() const { return rules_; }
    void note(Rule rule) { rules_.push_back(rule); }

  private:
    std::vector<Rule> rules_;
};

} // namespace xlat646
