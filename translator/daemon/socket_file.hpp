// SPDX-License-Identifier: BSD-2-Clause
//
// A listening Unix stream socket at a path of the file system, for its owner and group.
//
// The lock PATH.lock says whether a daemon lives there: the kernel releases it however its process
// ends. So the socket of a dead one is replaced, and that of a living one, be it stopped or stuck,
// is not.
#pragma once

#include "translator/dataplane/tun.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

namespace xlat646 {

class SocketFile {
  public:
    /// Makes the directory, too, if only that is missing. `group`: who may use it beside the owner;
    /// nullopt: our own. Throws std::system_error; EADDRINUSE: somebody lives there; EEXIST:
    /// something that is no socket is in the way.
    explicit SocketFile(std::string path, std::optional<gid_t> group = std::nullopt);
    /// One that another process has made and is about to leave. It is not ours before own(true).
    SocketFile(std::string path, FileDescriptor socket, FileDescriptor lock, bool made_directory);
    /// Removes what was made, if it is ours.
    ~SocketFile() { close(); }
    SocketFile(const SocketFile&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;

    /// Non-blocking.
    int descriptor() const { return socket_.get(); }
    int lock_descriptor() const { return lock_.get(); }
    bool made_directory() const { return made_directory_; }
    void own(bool is_ours) { is_ours_ = is_ours; }

  private:
    void make_directory();
    /// False: lost a race against somebody who stops, to be tried again.
    bool lock();
    void remove_stale() const;
    void listen();
    void close() noexcept;

    std::string path_;
    std::string directory_;
    std::string lock_path_;
    std::optional<gid_t> group_;
    bool is_ours_ = true;
    bool made_directory_ = false;
    bool is_bound_ = false;
    FileDescriptor lock_;
    FileDescriptor socket_;
};

} // namespace xlat646
