// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/bus_errors.hpp"

#include <atomic>
#include <csignal>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace xlat646::bus_errors {
namespace {

std::atomic<std::uintptr_t> range_begin{0};
std::atomic<std::uintptr_t> range_end{0};
std::atomic<bool> has_happened{false};
std::uintptr_t page_size = 4096;

/// Only what a signal handler may do: atomics without locks and system calls.
void on_bus_error(int number, siginfo_t* info, void*) {
    const auto where = reinterpret_cast<std::uintptr_t>(info->si_addr);
    const std::uintptr_t end = range_end.load();
    if (where >= range_begin.load() && where < end) {
        const std::uintptr_t into_page = where % page_size;
        char* const page = static_cast<char*>(info->si_addr) - into_page;
        has_happened.store(true);
        if (::mmap(page, end - where + into_page, PROT_READ,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
            return;
    }
    constexpr std::string_view last_words =
        "xlat646-exporter: SIGBUS: a file was shortened while it was being opened\n";
    (void)!::write(STDERR_FILENO, last_words.data(), last_words.size());
    (void)std::signal(number, SIG_DFL); // and again, at once
}

static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);

} // namespace

void survive() {
    page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    (void)::sigaction(SIGBUS, &action, nullptr);
}

void watch(const std::uint8_t* begin, std::size_t size) {
    range_end.store(0);
    range_begin.store(reinterpret_cast<std::uintptr_t>(begin));
    range_end.store(reinterpret_cast<std::uintptr_t>(begin) + size);
    has_happened.store(false);
}

bool have_happened() { return has_happened.load(); }

} // namespace xlat646::bus_errors
