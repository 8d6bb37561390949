// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_trust.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace xlat646 {
namespace {

constexpr int most_links = 40; // as the kernel

class Directory {
  public:
    explicit Directory(int fd) : fd_(fd) {}
    Directory(Directory&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Directory& operator=(Directory&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Directory() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

Directory open_directory(int base, const std::string& path) {
    return Directory(
        ::openat(base, path.empty() ? "." : path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/// "" for a name without a directory, "/" and all else with the slash.
std::pair<std::string, std::string> split(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {"", path};
    return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

bool is_trusted_owner(const struct stat& s, const Trust& trust) {
    return s.st_uid == 0 || s.st_uid == trust.user;
}

/// The one who can write and should not, and what ends that; empty: nobody.
std::string foreign_writer(const struct stat& s, const Trust& trust) {
    if ((s.st_mode & S_IWOTH) != 0) return "can be written to by everybody; run chmod o-w on it";
    if ((s.st_mode & S_IWGRP) != 0 && s.st_gid != 0 && s.st_gid != trust.group)
        return "can be written to by group " + std::to_string(s.st_gid) + "; run chmod g-w on it";
    return {};
}

std::string fault_of(const struct stat& s, const std::string& path, const Trust& trust) {
    const std::string name = "its directory " + (path.empty() ? "." : path) + " ";
    if (!is_trusted_owner(s, trust))
        return name + "belongs to user " + std::to_string(s.st_uid) +
               ", who can put other files there; run chown root on it";
    // In a sticky one only the owner of a file can replace it.
    const std::string writer = (s.st_mode & S_ISVTX) != 0 ? "" : foreign_writer(s, trust);
    return writer.empty() ? "" : name + writer;
}

std::string fault_of_file(const struct stat& s, const Trust& trust) {
    if (S_ISDIR(s.st_mode)) return "is a directory, not a file";
    if (!S_ISREG(s.st_mode)) return "is not a regular file";
    if (!is_trusted_owner(s, trust))
        return "is owned by user " + std::to_string(s.st_uid) +
               "; it must be owned by root or by the user that runs this program";
    return foreign_writer(s, trust);
}

std::string cannot_be_opened(int error) {
    std::string text = std::string("cannot be opened: ") + std::strerror(error);
    if (error == EACCES)
        text += " (for user " + std::to_string(::geteuid()) +
                ": the file must be readable and its directories searchable for it)";
    return text;
}

} // namespace

Trust Trust::of_this_process() { return {::geteuid(), ::getegid()}; }

std::string fault_of_directory(const std::string& path, const Trust& trust) {
    struct stat s {};
    const Directory directory = open_directory(AT_FDCWD, path);
    if (directory.get() < 0 || ::fstat(directory.get(), &s) != 0) return {};
    return fault_of(s, path, trust);
}

TrustedFile open_trusted(const std::string& path, const Trust& trust) {
    TrustedFile out;
    const auto fail = [&out](std::string fault) -> TrustedFile {
        if (out.descriptor >= 0) ::close(std::exchange(out.descriptor, -1));
        out.fault = std::move(fault);
        return std::move(out);
    };
    Directory directory(AT_FDCWD);
    std::string rest = path;
    for (int links = 0;; ++links) {
        if (links > most_links) return fail(cannot_be_opened(ELOOP));
        const auto [parent, name] = split(rest);
        Directory next = open_directory(directory.get(), parent);
        struct stat there {};
        if (next.get() < 0 || ::fstat(next.get(), &there) != 0)
            return fail(cannot_be_opened(errno));
        directory = std::move(next);
        if (out.directory_fault.empty()) out.directory_fault = fault_of(there, parent, trust);
        // O_NONBLOCK: a FIFO without a writer would make open() wait.
        out.descriptor = ::openat(directory.get(), name.empty() ? "." : name.c_str(),
                                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (out.descriptor >= 0) break;
        if (errno != ELOOP) return fail(cannot_be_opened(errno));
        std::array<char, PATH_MAX> target;
        struct stat link {};
        const ssize_t length =
            ::readlinkat(directory.get(), name.c_str(), target.data(), target.size());
        if (length <= 0 ||
            ::fstatat(directory.get(), name.c_str(), &link, AT_SYMLINK_NOFOLLOW) != 0)
            return fail(cannot_be_opened(errno));
        // In a sticky directory of everybody: anybody's link. (That the two calls may see two links
        // does not help: the one that others can exchange is their own.)
        if (out.directory_fault.empty() && !is_trusted_owner(link, trust))
            out.directory_fault = "the symbolic link " + rest + " belongs to user " +
                                  std::to_string(link.st_uid) + "; run chown -h root on it";
        rest.assign(target.data(), static_cast<std::size_t>(length));
    }
    if (::fstat(out.descriptor, &out.state) != 0)
        return fail(std::string("cannot be examined: ") + std::strerror(errno));
    if (std::string fault = fault_of_file(out.state, trust); !fault.empty())
        return fail(std::move(fault));
    return out;
}

} // namespace xlat646
