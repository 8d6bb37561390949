// SPDX-License-Identifier: BSD-2-Clause
//
// Words of a user's file in our messages.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace xlat646 {

/// `text` in double quotes, shortened, and safe to print: nothing in it can move a cursor.
std::string quote(std::string_view text);

/// "; did you mean 'x'?" with the candidate nearest to `word` or beginning with it;
/// "" when there is none.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

} // namespace xlat646
