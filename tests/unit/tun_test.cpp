// SPDX-License-Identifier: BSD-2-Clause
//
// Creating devices needs root and is tested in tests/integration; here is what does not.
#include "tests/unit/catch.hpp"
#include "translator/dataplane/tun.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

using namespace xlat646;

namespace {

bool is_open(int fd) { return fcntl(fd, F_GETFD) != -1 || errno != EBADF; }

} // namespace

TEST_CASE("tun: a descriptor closes itself exactly once", "[tun]") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    {
        FileDescriptor a(ends[0]);
        FileDescriptor b(std::move(a));
        CHECK(b.get() == ends[0]);
        CHECK(a.get() == -1); // NOLINT(bugprone-use-after-move)
        FileDescriptor c;
        CHECK(c.get() == -1);
        c = std::move(b);
        CHECK(c.get() == ends[0]);
        CHECK(is_open(ends[0]));
        {
            FileDescriptor d(ends[1]);
            c = std::move(d); // the old one goes with the temporary
        }
        CHECK_FALSE(is_open(ends[0]));
        CHECK(is_open(ends[1]));
    }
    CHECK_FALSE(is_open(ends[1]));
}

TEST_CASE("tun: what the kernel has granted, in words", "[tun]") {
    CHECK(TunOffloads{}.to_string() == "off");
    CHECK(TunOffloads{true, false, false}.to_string() == "checksum");
    CHECK(TunOffloads{true, true, false}.to_string() == "checksum, TSO");
    CHECK(TunOffloads{true, true, true}.to_string() == "checksum, TSO, USO");
}
