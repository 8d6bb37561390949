// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/shared_memory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace xlat646 {
namespace {

constexpr mode_t file_mode = 0640; // names of customers are in it

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

} // namespace

SharedMemory SharedMemory::create(const std::string& path, std::size_t size) {
    SharedMemory out;
    if (path.empty()) {
        out.fd_ = ::memfd_create("xlat646-stats", MFD_CLOEXEC);
    } else {
        (void)::unlink(path.c_str()); // left by a crash
        out.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    const std::string name = path.empty() ? "memory" : path;
    if (out.fd_ < 0) fail(errno, "cannot make " + name);
    try {
        if (const int error = ::posix_fallocate(out.fd_, 0, static_cast<off_t>(size)); error != 0)
            fail(error, "no room for " + std::to_string(size) + " bytes in " + name);
        if (::fchmod(out.fd_, file_mode) != 0) fail(errno, "cannot change the mode of " + name);
        out.size_ = size;
        out.map(PROT_READ | PROT_WRITE);
    } catch (...) {
        if (!path.empty()) (void)::unlink(path.c_str());
        throw;
    }
    return out;
}

SharedMemory SharedMemory::open(const std::string& path) {
    // Not blocked by a pipe of that name.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) fail(errno, path);
    return open(fd, path);
}

SharedMemory SharedMemory::open(int fd, const std::string& name) {
    SharedMemory out;
    out.fd_ = fd;
    struct stat found {};
    if (::fstat(fd, &found) != 0) fail(errno, name);
    if (!S_ISREG(found.st_mode)) fail(EINVAL, name + " is not an ordinary file");
    // Who can shorten it can end whoever reads it.
    if ((found.st_mode & S_IWOTH) != 0) fail(EPERM, name + " may be written by everybody");
    out.size_ = static_cast<std::size_t>(found.st_size);
    if (out.size_ != 0) out.map(PROT_READ);
    return out;
}

void SharedMemory::map(int protection) {
    // What the workers write is there before they come, as far as the kernel likes.
    const int populate = (protection & PROT_WRITE) != 0 ? MAP_POPULATE : 0;
    void* const where = ::mmap(nullptr, size_, protection, MAP_SHARED | populate, fd_, 0);
    if (where == MAP_FAILED) fail(errno, "cannot map a statistics segment");
    data_ = static_cast<std::uint8_t*>(where);
}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept { *this = std::move(other); }

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

SharedMemory::~SharedMemory() {
    if (data_ != nullptr) (void)::munmap(data_, size_);
    if (fd_ >= 0) (void)::close(fd_);
}

bool SharedMemory::is_at(const std::string& path) const {
    struct stat ours {};
    struct stat there {};
    return ::fstat(fd_, &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

} // namespace xlat646
