// SPDX-License-Identifier: BSD-2-Clause
//
// The TUN device: creation, offloads, and one descriptor per queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace xlat646 {

/// A descriptor that closes itself.
class FileDescriptor {
  public:
    FileDescriptor() = default;
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;
    ~FileDescriptor();
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }

  private:
    int fd_ = -1;
};

/// What the kernel has granted.
struct TunOffloads {
    bool vnet_header = false; ///< every packet has an OffloadHeader in front
    bool tcp_segmentation = false;
    bool udp_segmentation = false; ///< Linux 6.2 and newer
    std::string to_string() const;
};

class Tun {
  public:
    /// Creates the device with `queues` queues; it vanishes with this object. Throws
    /// std::system_error with a sentence that says what is missing; EBUSY: the name is taken.
    static Tun create(const std::string& name, std::size_t queues, bool offload);
    /// The same in two steps, of which the first may need more rights.
    static std::vector<FileDescriptor> open_devices(std::size_t queues);
    static Tun create(const std::string& name, std::vector<FileDescriptor> devices, bool offload);

    /// A device that another process has made, which may still read it, too. It lives as long as
    /// either does. Throws std::system_error when these are not its queues.
    static Tun adopt(const std::string& name, std::vector<FileDescriptor> queues, bool offload);

    /// Whether the link counts as connected. Without carrier the kernel delivers nothing to the
    /// device, but takes what is written to it. Throws std::system_error.
    void set_carrier(bool on) const;

    const std::string& name() const { return name_; }
    unsigned ifindex() const { return ifindex_; }
    std::size_t queue_count() const { return queues_.size(); }
    int queue(std::size_t i) const { return queues_[i].get(); }
    const TunOffloads& offloads() const { return offloads_; }

  private:
    Tun() = default;
    std::string name_;
    unsigned ifindex_ = 0;
    std::vector<FileDescriptor> queues_;
    TunOffloads offloads_;
};

} // namespace xlat646
