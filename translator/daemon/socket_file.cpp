// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/socket_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr mode_t socket_mode = 0660;
constexpr mode_t directory_mode = 0755;
constexpr int backlog = 64;

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), "control_socket: " + what);
}

FileDescriptor make_socket() {
    FileDescriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (made.get() < 0) fail(errno, "no socket");
    return made;
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) fail(ENAMETOOLONG, path);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

} // namespace

SocketFile::SocketFile(std::string path, std::optional<gid_t> group)
    : path_(std::move(path)), directory_(path_.substr(0, path_.rfind('/'))),
      lock_path_(path_ + ".lock"), group_(group) {
    constexpr int most_tries = 10;
    try {
        int tries = 0;
        do {
            if (++tries > most_tries) fail(EAGAIN, "cannot lock " + lock_path_);
            make_directory();
        } while (!lock());
        remove_stale();
        listen();
    } catch (...) {
        close();
        throw;
    }
}

SocketFile::SocketFile(std::string path, FileDescriptor socket, FileDescriptor lock,
                       bool made_directory)
    : path_(std::move(path)), directory_(path_.substr(0, path_.rfind('/'))),
      lock_path_(path_ + ".lock"), is_ours_(false), made_directory_(made_directory),
      is_bound_(true), lock_(std::move(lock)), socket_(std::move(socket)) {}

void SocketFile::make_directory() {
    if (directory_.empty()) return; // a socket in the root directory
    if (::mkdir(directory_.c_str(), directory_mode) == 0) {
        made_directory_ = true;
        if (::chmod(directory_.c_str(), directory_mode) != 0) // whatever the umask is
            fail(errno, "cannot change the mode of " + directory_);
    } else if (errno != EEXIST) {
        fail(errno, "cannot make the directory " + directory_);
    }
}

bool SocketFile::lock() {
    FileDescriptor file(
        ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
    if (file.get() < 0 && errno == ENOENT) return false;
    if (file.get() < 0) fail(errno, "cannot make " + lock_path_);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) fail(errno, "cannot lock " + lock_path_);
        fail(EADDRINUSE, "another xlat646d serves " + path_ + "; each needs a path of its own");
    }
    // Somebody may have removed the file between our two steps: then this is the lock of nothing.
    struct stat ours {};
    struct stat there {};
    if (::fstat(file.get(), &ours) != 0 || ::lstat(lock_path_.c_str(), &there) != 0 ||
        ours.st_dev != there.st_dev || ours.st_ino != there.st_ino)
        return false;
    lock_ = std::move(file);
    return true;
}

void SocketFile::remove_stale() const {
    struct stat found {};
    if (::lstat(path_.c_str(), &found) != 0) {
        if (errno == ENOENT) return;
        fail(errno, "cannot examine " + path_);
    }
    if (!S_ISSOCK(found.st_mode)) fail(EEXIST, path_ + " is there and is no socket");
    // No xlat646d serves it, or we had no lock; but some other program may.
    const FileDescriptor probe = make_socket();
    const sockaddr_un address = address_of(path_);
    if (::connect(probe.get(), generic(address), sizeof address) == 0 || errno != ECONNREFUSED)
        fail(EADDRINUSE, "another program serves " + path_);
    if (::unlink(path_.c_str()) != 0) fail(errno, "cannot remove the old " + path_);
}

void SocketFile::listen() {
    socket_ = make_socket();
    const sockaddr_un address = address_of(path_);
    // Before bind(), so that the file never has a wider mode, and after it, so that the umask does
    // not make it narrower.
    if (::fchmod(socket_.get(), socket_mode) != 0) fail(errno, "cannot change a socket's mode");
    if (::bind(socket_.get(), generic(address), sizeof address) != 0)
        fail(errno, "cannot make " + path_);
    is_bound_ = true;
    if (group_ && ::chown(path_.c_str(), static_cast<uid_t>(-1), *group_) != 0)
        fail(errno,
             "cannot give " + path_ + " to group " + std::to_string(*group_) + " (control_group)");
    if (::chmod(path_.c_str(), socket_mode) != 0) fail(errno, "cannot change the mode of " + path_);
    if (::listen(socket_.get(), backlog) != 0) fail(errno, "cannot listen on " + path_);
}

void SocketFile::close() noexcept {
    if (is_bound_ && is_ours_) (void)::unlink(path_.c_str());
    socket_ = FileDescriptor();
    // While it is still locked: who has it open already finds out that it is the wrong one.
    if (lock_.get() >= 0 && is_ours_) (void)::unlink(lock_path_.c_str());
    lock_ = FileDescriptor();
    if (made_directory_ && is_ours_)
        (void)::rmdir(directory_.c_str()); // stays if others put something there
}

} // namespace xlat646
