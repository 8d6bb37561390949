// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/socket_file.hpp"

#include "tests/unit/temporary_directory.hpp"
#include "tests/unit/unix_client.hpp"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {

namespace {

namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
    struct stat s {};
    REQUIRE(::lstat(path.c_str(), &s) == 0);
    return s.st_mode & 07777;
}

bool exists(const std::string& path) { return fs::exists(fs::symlink_status(path)); }

std::size_t entries(const std::string& directory) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

/// The error of an attempt; 0: it went well.
int error_of(const std::string& path) {
    try {
        const SocketFile file(path);
    } catch (const std::system_error& e) {
        CHECK(std::string(e.what()).find(fs::path(path).parent_path()) != std::string::npos);
        return e.code().value();
    }
    return 0;
}

class Umask {
  public:
    explicit Umask(mode_t mask) : before_(::umask(mask)) {}
    Umask(const Umask&) = delete;
    Umask& operator=(const Umask&) = delete;
    ~Umask() { ::umask(before_); }

  private:
    mode_t before_;
};

} // namespace

TEST_CASE("socket file: what it makes, and that it leaves nothing behind", "[control]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("run/control.sock");
    for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{077}}) {
        const Umask umask(mask);
        {
            const SocketFile file(path);
            CHECK(mode_of(path) == 0660);
            CHECK(mode_of(directory.at("run")) == 0755);
            CHECK(mode_of(path + ".lock") == 0600);
            UnixClient client(path);
        }
        CHECK(entries(directory.at("")) == 0);
    }
    {
        const SocketFile file(path);
        std::ofstream(directory.at("run/other")) << "theirs";
    }
    CHECK(entries(directory.at("run")) == 1);
    { const SocketFile file(path); }
    CHECK(exists(directory.at("run/other")));
    CHECK(error_of(directory.at("no/such/control.sock")) == ENOENT);
}

TEST_CASE("socket file: a living one stays, a dead one is replaced", "[control]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("control.sock");
    {
        const SocketFile living(path);
        CHECK(error_of(path) == EADDRINUSE);
        UnixClient client(path);
        // Even when its socket is gone: the lock counts.
        REQUIRE(::unlink(path.c_str()) == 0);
        CHECK(error_of(path) == EADDRINUSE);
        CHECK_FALSE(exists(path));
    }
    // A crash leaves both files.
    { const FileDescriptor dead = bind_unix(path, true); }
    std::ofstream(path + ".lock") << "";
    {
        const SocketFile next(path);
        UnixClient client(path);
    }
    CHECK(entries(directory.at("")) == 0);
}

TEST_CASE("socket file: what belongs to others stays", "[control]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("control.sock");
    {
        const FileDescriptor theirs = bind_unix(path, true);
        CHECK(error_of(path) == EADDRINUSE);
        UnixClient client(path);
    }
    REQUIRE(::unlink(path.c_str()) == 0);
    std::ofstream(path) << "data";
    CHECK(error_of(path) == EEXIST);
    CHECK(fs::file_size(path) == 4);
    CHECK_FALSE(exists(path + ".lock"));
    fs::remove(path);
    // A link as lock could make us create a file elsewhere.
    fs::create_symlink(directory.at("elsewhere"), path + ".lock");
    CHECK(error_of(path) == ELOOP);
    CHECK_FALSE(exists(directory.at("elsewhere")));
    CHECK(exists(path + ".lock"));
    // A directory that is a link to nowhere.
    fs::create_symlink(directory.at("nowhere"), directory.at("link"));
    CHECK(error_of(directory.at("link/control.sock")) == EAGAIN);
}

TEST_CASE("socket file: another process's is left alone until it is ours", "[control][handover]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("run/control.sock");
    const auto copy = [](int fd) { return FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); };
    {
        SocketFile old(path);
        const auto adopt = [&] {
            return std::make_unique<SocketFile>(path, copy(old.descriptor()),
                                                copy(old.lock_descriptor()), old.made_directory());
        };
        adopt().reset(); // it has failed
        CHECK(entries(directory.at("run")) == 2);
        CHECK(error_of(path) == EADDRINUSE);
        const auto next = adopt();
        old.own(false);
        next->own(true);
        CHECK(entries(directory.at("run")) == 2);
    }
    CHECK(!exists(directory.at("run")));
    {
        const auto old = std::make_unique<SocketFile>(path);
        old->own(false);
    }
    CHECK(entries(directory.at("run")) == 2); // to whom it may belong
    CHECK(error_of(path) == 0);               // nobody: the lock has gone with it
}

} // namespace xlat646
