// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "mapping/diagnostic.hpp"

#include <string>
#include <vector>

namespace xlat646 {

using Lines = std::vector<std::string>;

inline Lines lines_of(const Diagnostics& diagnostics) {
    Lines lines;
    for (const Diagnostic& d : diagnostics)
        lines.push_back(d.to_string());
    return lines;
}

} // namespace xlat646
