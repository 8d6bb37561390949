// SPDX-License-Identifier: BSD-2-Clause
//
// Which packets a capture wants, and how many of them it may get.
#pragma once

#include "translator/siit/outcome.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace xlat646 {

/// One instruction of a classic BPF program: the members of libpcap's bpf_insn.
struct FilterInstruction {
    std::uint16_t code = 0;
    std::uint8_t jump_true = 0;
    std::uint8_t jump_false = 0;
    std::uint32_t operand = 0;

    bool operator==(const FilterInstruction&) const = default;
};

struct CaptureWish {
    static constexpr std::uint32_t most_instructions = 512;
    static constexpr std::uint32_t most_bytes = 65535;
    static constexpr std::uint32_t most_rate = 100'000;
    static constexpr std::uint32_t most_seconds = 3600;

    /// Checked by bpf_validate(); empty: every packet. One side of a pair that it lets through is
    /// enough.
    std::vector<FilterInstruction> filter;
    std::uint32_t snap_length = 256;  ///< bytes of each packet
    std::uint32_t rate = 1000;        ///< pairs per second of each worker
    std::uint32_t seconds = 300;      ///< how long at most
    bool drops_only = false;          ///< discarded packets, answered or not
    std::optional<DropReason> reason; ///< only these drops
    bool without_fastpath = false;    ///< which stands aside meanwhile, so that all is seen

    bool operator==(const CaptureWish&) const = default;
};

} // namespace xlat646
