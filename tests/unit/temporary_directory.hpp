// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "tests/unit/catch.hpp"

#include <filesystem>
#include <stdlib.h>
#include <string>

namespace xlat646 {

/// A directory of its own for each test, gone at its end.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "xlat646-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern + "/";
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

    std::string at(const std::string& name) const { return path_ + name; }

  private:
    std::string path_;
};

} // namespace xlat646
