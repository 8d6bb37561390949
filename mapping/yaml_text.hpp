// SPDX-License-Identifier: BSD-2-Clause
//
// Whether bytes are text that YAML allows (YAML 1.2 section 5.1), checked before any parser sees
// them: UTF-8 without control characters. yaml-cpp takes byte 4 for the end of its input.
#pragma once

#include "mapping/yaml_report.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace xlat646 {

struct TextProblem {
    TextPosition at;
    std::string message;
};

/// The first bad place, nullopt for good text.
std::optional<TextProblem> find_bad_text(std::string_view text);

/// The bytes of the character at `text[0]`, 0 when it is not UTF-8. Its number goes to `code`.
unsigned decode_utf8(std::string_view text, char32_t& code);

} // namespace xlat646
