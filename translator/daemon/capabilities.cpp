// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/capabilities.hpp"

#include <cerrno>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

static_assert(_LINUX_CAPABILITY_U32S_3 == 2);

/// The kernel's two halves, of which glibc declares nothing.
struct Sets {
    Sets() { call(SYS_capget, "capget"); }
    void store() { call(SYS_capset, "capset"); }

    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3] = {};

  private:
    void call(long number, const char* name) {
        if (::syscall(number, &header, half) != 0)
            throw std::system_error(errno, std::generic_category(), name);
    }
};

CapabilityMask joined(std::uint32_t low, std::uint32_t high) {
    return CapabilityMask{high} << 32 | low;
}

void control(int option, unsigned long value, unsigned long second, const char* what) {
    if (::prctl(option, value, second, 0UL, 0UL) != 0)
        throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

CapabilityMask effective_capabilities() {
    const Sets now;
    return joined(now.half[0].effective, now.half[1].effective);
}

CapabilityMask permitted_capabilities() {
    const Sets now;
    return joined(now.half[0].permitted, now.half[1].permitted);
}

void keep_capabilities_from_programs() {
    Sets sets;
    for (__user_cap_data_struct& half : sets.half)
        half.inheritable = 0; // the ambient ones, which cannot be without, go with them
    sets.store();
}

void limit_capabilities(CapabilityMask kept) {
    Sets sets;
    kept &= joined(sets.half[0].permitted, sets.half[1].permitted);
    for (int i = 0; i < 2; ++i) {
        __user_cap_data_struct& half = sets.half[i];
        half.permitted = half.effective = half.inheritable =
            static_cast<std::uint32_t>(kept >> (32 * i));
    }
    sets.store();
    control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, "ambient capabilities");
    for (int i = 0; i <= CAP_LAST_CAP; ++i)
        if ((kept & capability(i)) != 0)
            control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, static_cast<unsigned long>(i),
                    "ambient capabilities");
}

void close_ways_to_capabilities(CapabilityMask kept) {
    control(PR_SET_NO_NEW_PRIVS, 1, 0, "no_new_privs");
    if ((effective_capabilities() & capability(CAP_SETPCAP)) == 0) return;
    // Until the kernel knows no more of them: it may be newer than its header.
    for (int i = 0; ::prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; ++i)
        if ((kept & capability(i)) == 0)
            control(PR_CAPBSET_DROP, static_cast<unsigned long>(i), 0, "bounding set");
    control(PR_SET_SECUREBITS,
            SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED,
            0, "securebits");
}

} // namespace xlat646
