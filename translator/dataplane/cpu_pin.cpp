// SPDX-License-Identifier: BSD-2-Clause
#include "translator/dataplane/cpu_pin.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace xlat646 {

CpuPin::CpuPin(unsigned cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    if (sched_getaffinity(0, sizeof before_, &before_) != 0)
        throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
    // The kernel would be content with any CPU that exists; a cpuset has its say only later.
    if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &before_) ||
        sched_setaffinity(0, sizeof only, &only) != 0)
        throw std::system_error(ENODEV, std::generic_category(),
                                "CPU " + std::to_string(cpu) +
                                    " does not exist or is not allowed for this process");
}

CpuPin::~CpuPin() { sched_setaffinity(0, sizeof before_, &before_); }

} // namespace xlat646
