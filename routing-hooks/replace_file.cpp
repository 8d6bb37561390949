// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/replace_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
    throw std::system_error(error, std::generic_category(), path);
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fsync(fd) == 0;
}

} // namespace

std::string write_beside(const std::string& path, std::string_view text) {
    constexpr mode_t for_all_to_read = 0644; // BIRD runs as another user
    constexpr mode_t directory_mode = 0755;
    const std::string directory = directory_of(path);
    if (::mkdir(directory.c_str(), directory_mode) != 0 && errno != EEXIST) fail(directory, errno);
    std::string fresh = path + ".XXXXXX";
    const int fd = ::mkostemp(fresh.data(), O_CLOEXEC);
    if (fd < 0) fail(path, errno);
    const bool is_good = write_all(fd, text) && ::fchmod(fd, for_all_to_read) == 0;
    const int error = errno;
    ::close(fd);
    if (is_good) return fresh;
    ::unlink(fresh.c_str());
    fail(path, error);
}

void move_into_place(const std::string& fresh, const std::string& path) {
    if (::rename(fresh.c_str(), path.c_str()) == 0) return;
    const int error = errno;
    ::unlink(fresh.c_str());
    fail(path, error);
}

void replace_file(const std::string& path, std::string_view text) {
    move_into_place(write_beside(path, text), path);
}

} // namespace xlat646
