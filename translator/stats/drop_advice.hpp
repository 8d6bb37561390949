// SPDX-License-Identifier: BSD-2-Clause
//
// What to do about discarded packets. What a reason means says sentence_of().
#pragma once

#include "translator/siit/outcome.hpp"

#include <string_view>

namespace xlat646 {

/// One or two sentences for the person at 3 a.m.
std::string_view advice_for(DropReason reason);

} // namespace xlat646
