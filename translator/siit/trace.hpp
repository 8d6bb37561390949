// SPDX-License-Identifier: BSD-2-Clause
//
// Where a rule has been passed. `xlat646 explain` has the sources of this room in a library of its
// own (translator/explain), compiled with XLAT646_TRACE, which is told. In the data path these are
// macros, so that not even the conditions are there: an empty function, or an `if` without effect,
// lets the compiler order the code differently. Only for the .cpp files of this room: an inline
// function would be two different ones.
#pragma once

#include "translator/siit/rules.hpp"

#ifdef XLAT646_TRACE

namespace xlat646 {

void trace(Rule rule) noexcept;
inline void trace_if(bool is_passed, Rule rule) noexcept {
    if (is_passed) trace(rule);
}

} // namespace xlat646

#else
#define trace(rule) static_cast<void>(0)
#define trace_if(is_passed, rule) static_cast<void>(0)
#endif
