// SPDX-License-Identifier: BSD-2-Clause
//
// The status page: page.html with page.css and the scripts in it, one file without anything from
// elsewhere.
#pragma once

#include <string>

namespace xlat646 {

std::string page_html();
/// Content-Security-Policy: this style and this script, answers of this exporter, nothing else.
std::string page_policy();

} // namespace xlat646
