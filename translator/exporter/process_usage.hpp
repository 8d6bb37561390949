// SPDX-License-Identifier: BSD-2-Clause
//
// What a process takes of the machine, from /proc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xlat646 {

struct ProcessUsage {
    std::string name; ///< at most 15 characters
    double cpu_seconds = 0;
    double start_seconds = 0; ///< Unix time
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t threads = 0;
};

/// nullopt: there is none, or it may not be seen.
std::optional<ProcessUsage> process_usage(std::uint32_t pid);
/// From the text of /proc/PID/stat (proc(5)).
std::optional<ProcessUsage> parse_process_usage(std::string_view stat, double boot_seconds,
                                                double ticks_per_second, std::uint64_t page_bytes);

struct DescriptorUsage {
    std::uint64_t open = 0;
    std::uint64_t most = 0;
};
/// Of this process.
DescriptorUsage descriptor_usage();

} // namespace xlat646
