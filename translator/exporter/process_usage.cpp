// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/process_usage.hpp"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

namespace xlat646 {
namespace {

double seconds(clockid_t clock) {
    timespec now{};
    (void)::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

} // namespace

std::optional<ProcessUsage> parse_process_usage(std::string_view stat, double boot_seconds,
                                                double ticks_per_second, std::uint64_t page_bytes) {
    // The name may hold anything, also brackets.
    const std::size_t opening = stat.find('(');
    const std::size_t closing = stat.rfind(')');
    if (opening == std::string_view::npos || closing == std::string_view::npos || closing < opening)
        return std::nullopt;
    ProcessUsage out;
    out.name = stat.substr(opening + 1, closing - opening - 1);

    // Numbered as in proc(5), where state is the third.
    constexpr std::size_t user_time = 14, system_time = 15, threads = 20, start = 22, size = 23,
                          resident = 24;
    std::array<std::uint64_t, resident + 1> fields{};
    std::string_view rest = stat.substr(closing + 1);
    for (std::size_t i = 3; i < fields.size(); ++i) {
        const std::size_t begin = rest.find_first_not_of(' ');
        if (begin == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(begin);
        const std::string_view word = rest.substr(0, rest.find(' '));
        (void)std::from_chars(word.data(), word.data() + word.size(), fields[i]); // 0: a letter
        rest.remove_prefix(word.size());
    }
    out.cpu_seconds =
        static_cast<double>(fields[user_time] + fields[system_time]) / ticks_per_second;
    out.start_seconds = boot_seconds + static_cast<double>(fields[start]) / ticks_per_second;
    out.virtual_bytes = fields[size];
    out.resident_bytes = fields[resident] * page_bytes;
    out.threads = fields[threads];
    return out;
}

std::optional<ProcessUsage> process_usage(std::uint32_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string stat;
    if (!std::getline(file, stat)) return std::nullopt;
    return parse_process_usage(stat, seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME),
                               static_cast<double>(::sysconf(_SC_CLK_TCK)),
                               static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
}

DescriptorUsage descriptor_usage() {
    DescriptorUsage out;
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        ++out.open;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.most = limit.rlim_cur;
    return out;
}

} // namespace xlat646
