// SPDX-License-Identifier: BSD-2-Clause
//
// The second data path: the kernel program of fastpath.bpf.c, its tables and where it is attached.
// Translates nothing before the first flip() and nothing after the object has gone; should the
// process hang or die without a word, nothing after `permission` has run out.
//
// One thread calls it. The kernel translates meanwhile.
#pragma once

#include "mapping/table.hpp"
#include "translator/fastpath/shared.h"
#include "translator/siit/settings.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace xlat646 {

/// What one pair has carried by the fast path, by direction.
struct PairTraffic {
    Ipv4Prefix ipv4;
    xlat646_traffic traffic[xlat646_directions];
};

/// Where in the kernel's ingress path the program is hooked in.
enum class FastpathHook : std::uint8_t {
    best,   ///< tcx where the kernel has it, else clsact
    tcx,    ///< Linux 6.6: vanishes with this process
    clsact, ///< a tc filter: stays behind after a crash, idle, until the next start replaces it
};

class Fastpath {
  public:
    static constexpr std::chrono::seconds permission{3};

    /// Loads the program. Throws std::system_error with a sentence that says what is missing.
    explicit Fastpath(const Settings& settings);
    ~Fastpath();
    Fastpath(const Fastpath&) = delete;
    Fastpath& operator=(const Fastpath&) = delete;

    /// Packets that arrive at this interface. Throws std::system_error: no such interface, not of
    /// a kind that can be served, another filter is in its place (EEXIST), another daemon's program
    /// is at work there, or was until a moment ago (EBUSY), no right. Returns how.
    FastpathHook attach(const std::string& interface, FastpathHook hook = FastpathHook::best);
    /// False also when the interface has gone, has another name now, or somebody has removed the
    /// program. To be asked now and then.
    bool is_attached(const std::string& interface) const;
    void detach(const std::string& interface) noexcept;
    void detach_all() noexcept;

    /// A new table in three steps. prepare() fills it beside the one in use and may throw, then
    /// nothing has changed. flip(): from now on every packet sees the new one, none sees both.
    /// retire() waits until nobody sees the old one and keeps what it has counted.
    void prepare(const MappingTable& table);
    void flip() noexcept;
    void retire();
    /// Nothing is translated from now on, until the next flip().
    void pause() noexcept;
    /// True: nothing is translated, whatever flip() says, until false.
    void stand_aside(bool aside) noexcept;

    /// Summed over all CPUs, never going back.
    xlat646_counters counters() const;
    /// Pairs that have carried something. Not for every second: asks the kernel for all pairs.
    std::vector<PairTraffic> pair_traffic() const;

    /// Of the program for Ethernet, for tests.
    int program() const;

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace xlat646
