// SPDX-License-Identifier: BSD-2-Clause
//
// Creating devices needs root and is tested in tests/integration; here is what does not.
#include "tests/unit/catch.hpp"
#include "translator/dataplane/cpu_pin.hpp"
#include "translator/dataplane/packet_buffer.hpp"
#include "translator/dataplane/tun.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

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

TEST_CASE("tun: all pages of a packet buffer are there before the first packet", "[tun]") {
    const PacketBuffer buffer;
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::uint8_t* const begin = buffer.packet() - PacketBuffer::packet_at;
    std::vector<unsigned char> there((PacketBuffer::size + page - 1) / page);
    REQUIRE(mincore(begin, PacketBuffer::size, there.data()) == 0);
    CHECK(std::all_of(there.begin(), there.end(), [](unsigned char p) { return (p & 1) != 0; }));
}

TEST_CASE("tun: a pinned thread's children stay on its CPU", "[tun]") {
    const auto allowed = [] {
        cpu_set_t set;
        REQUIRE(sched_getaffinity(0, sizeof set, &set) == 0);
        return set;
    };
    const cpu_set_t before = allowed();
    unsigned last = 0; // a CPU that there is
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &before)) last = cpu;
    {
        const CpuPin pin(last);
        cpu_set_t inherited{};
        std::thread([&] { inherited = allowed(); }).join();
        CHECK(CPU_COUNT(&inherited) == 1);
        CHECK(CPU_ISSET(last, &inherited));
    }
    const cpu_set_t after = allowed();
    CHECK(CPU_EQUAL(&before, &after));

    unsigned none = 0;
    while (none < CPU_SETSIZE && CPU_ISSET(none, &before))
        ++none;
    for (const unsigned cpu : {none, unsigned{CPU_SETSIZE}, 1u << 20})
        CHECK_THROWS_AS(CpuPin(cpu), std::system_error);
    const cpu_set_t still = allowed();
    CHECK(CPU_EQUAL(&before, &still));
}
