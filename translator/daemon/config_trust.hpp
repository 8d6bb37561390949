// SPDX-License-Identifier: BSD-2-Clause
//
// Opens files of configuration that nobody can write to but root and the daemon's own user
// (SEC-02). What is judged is what is read: the descriptors of the file, of the directory in which
// it lies and of those in which the symbolic links to it lie, not their names.
#pragma once

#include <cstddef>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>

namespace xlat646 {

/// Who may write, beside root and the group of root.
struct Trust {
    uid_t user;
    gid_t group;
    static Trust of_this_process();
};

struct TrustedFile {
    int descriptor = -1; ///< not negative: open, and now the caller's
    struct stat state {};
    std::string fault;           ///< why it cannot be used; empty: it can
    std::string directory_fault; ///< others can put another file in its place
};

/// Never waits, and never takes what is no regular file. A fault closes the descriptor, one of a
/// directory does not.
TrustedFile open_trusted(const std::string& path, const Trust& trust);

/// As `directory_fault`, for a directory in which files are looked for; "" if there is none.
std::string fault_of_directory(const std::string& path, const Trust& trust);

} // namespace xlat646
