// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/capture_filter.hpp"

#include <memory>
#include <pcap/pcap.h>
#include <stdexcept>

namespace xlat646 {

std::vector<FilterInstruction> compile_filter(const std::string& expression) {
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> compiler(
        pcap_open_dead(DLT_RAW, static_cast<int>(CaptureWish::most_bytes)), pcap_close);
    if (!compiler) throw std::bad_alloc();
    bpf_program program{};
    if (pcap_compile(compiler.get(), &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
        throw std::invalid_argument(std::string("filter: ") + pcap_geterr(compiler.get()));
    const std::unique_ptr<bpf_program, decltype(&pcap_freecode)> owner(&program, pcap_freecode);
    if (program.bf_len > CaptureWish::most_instructions)
        throw std::invalid_argument("filter: it is too long");
    std::vector<FilterInstruction> out;
    for (u_int i = 0; i < program.bf_len; ++i) {
        const bpf_insn& raw = program.bf_insns[i];
        out.push_back({raw.code, raw.jt, raw.jf, raw.k});
    }
    return out;
}

} // namespace xlat646
