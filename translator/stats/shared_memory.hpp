// SPDX-License-Identifier: BSD-2-Clause
//
// A file in memory. Owns descriptor and mapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace xlat646 {

class SharedMemory {
  public:
    SharedMemory() = default;
    /// A new file of this size, zeros, all of it there from now on: whoever writes never has to
    /// wait for it, and cannot find out too late that there is no room. An empty path: a file
    /// without a name. Throws std::system_error.
    static SharedMemory create(const std::string& path, std::size_t size);
    /// To be read only; takes the descriptor. Throws std::system_error, also for what is no
    /// ordinary file or may be written by everybody.
    static SharedMemory open(int fd, const std::string& name);
    static SharedMemory open(const std::string& path);

    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&& other) noexcept;
    ~SharedMemory();

    int descriptor() const { return fd_; }
    std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }
    /// Whether `path` names this file.
    bool is_at(const std::string& path) const;

  private:
    void map(int protection);

    int fd_ = -1;
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace xlat646
