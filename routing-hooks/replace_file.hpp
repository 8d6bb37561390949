// SPDX-License-Identifier: BSD-2-Clause
//
// Writing a small file so that a reader, or a power cut, finds the old one or the new one whole.
#pragma once

#include <string>
#include <string_view>

namespace xlat646 {

/// Its directory is made if only that is missing. Throws std::system_error, and then `path` is as
/// it was.
void replace_file(const std::string& path, std::string_view text);

/// A new file in the directory of `path`, with a name that a pattern like *.conf does not find.
/// Throws std::system_error.
std::string write_beside(const std::string& path, std::string_view text);

/// Gives the file made by write_beside() the name `path`. Throws std::system_error, and removes it.
void move_into_place(const std::string& fresh, const std::string& path);

} // namespace xlat646
