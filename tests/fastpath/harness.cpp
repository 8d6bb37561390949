// SPDX-License-Identifier: BSD-2-Clause
#include "tests/fastpath/harness.hpp"

#include "tests/support/packets.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <linux/bpf.h>
#include <stdexcept>
#include <string_view>

namespace xlat646::test {
namespace {

constexpr std::size_t link_header = 14;
constexpr std::uint32_t let_the_next_look = 0xffffffff; // TC_ACT_UNSPEC

constexpr std::string_view pass_names[] = {
#define X(name, sentence) #name,
    XLAT646_PASS_REASONS(X)
#undef X
};

std::uint64_t taken_of(const xlat646_counters& c) {
    std::uint64_t sum = 0;
    for (const auto& direction : c.translated)
        for (const xlat646_traffic& traffic : direction)
            sum += traffic.packets;
    return sum;
}

std::size_t length_by_header(const Bytes& p) {
    return p[0] >> 4 == 4 ? get16(&p[2]) : 40u + get16(&p[4]);
}

} // namespace

Harness::Harness(std::shared_ptr<const GoldenConfig> config)
    : config_(std::move(config)), fastpath_(config_->settings), translator_(config_->settings) {
    fastpath_.prepare(*config_->table);
    fastpath_.flip();
}

ProgramRun Harness::run(const Bytes& packet, std::uint16_t gso_size) {
    ProgramRun result;
    const bool is_ipv4 = packet.empty() || packet[0] >> 4 != 6;
    Bytes frame(link_header);
    frame[12] = is_ipv4 ? 0x08 : 0x86;
    frame[13] = is_ipv4 ? 0x00 : 0xdd;
    frame.insert(frame.end(), packet.begin(), packet.end());
    Bytes out(frame.size() + 64);
    __sk_buff context{};
    context.gso_size = gso_size;

    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.data_out = out.data();
    options.data_size_out = static_cast<std::uint32_t>(out.size());
    options.ctx_in = &context;
    options.ctx_size_in = sizeof context;
    options.repeat = 1;
    const int error = bpf_prog_test_run_opts(fastpath_.program(), &options);
    if (error == -EINVAL || error == -EMSGSIZE) {
        result.is_possible = false;
        return result;
    }
    if (error != 0) throw std::runtime_error("BPF_PROG_TEST_RUN: " + std::to_string(error));
    out.resize(options.data_size_out);
    result.out.assign(out.begin() + link_header, out.end());

    const xlat646_counters before = seen_;
    seen_ = fastpath_.counters();
    result.is_taken = taken_of(seen_) != taken_of(before);
    for (int d = 0; d < xlat646_directions; ++d)
        for (std::size_t r = 0; r < xlat646_passes; ++r)
            if (seen_.passed[d][r] != before.passed[d][r]) result.reason = pass_names[r];

    if (options.retval != let_the_next_look)
        result.wrong += "\n  verdict " + std::to_string(options.retval);
    if (result.is_taken != result.reason.empty()) result.wrong += "\n  counted twice or not at all";
    if (!result.is_taken && out != frame) result.wrong += "\n  changed, but not counted";
    if (result.is_taken) {
        const bool should_be_ipv4 = !is_ipv4;
        if (out[12] != (should_be_ipv4 ? 0x08 : 0x86) || out[13] != (should_be_ipv4 ? 0x00 : 0xdd))
            result.wrong += "\n  ethertype";
    }
    return result;
}

std::uint8_t hops_of(const Bytes& packet) { return packet[packet[0] >> 4 == 4 ? 8 : 7]; }

Bytes with_hops(Bytes packet, int change) {
    if (packet[0] >> 4 == 6) {
        packet[7] = static_cast<std::uint8_t>(packet[7] + change);
        return packet;
    }
    // RFC 1624, so that a wrong checksum stays wrong.
    const std::uint32_t old_word = get16(&packet[8]);
    packet[8] = static_cast<std::uint8_t>(packet[8] + change);
    std::uint32_t sum = (0xffffu - get16(&packet[10])) + (0xffffu - old_word) + get16(&packet[8]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    put16(&packet[10], 0xffffu - sum);
    return packet;
}

Comparison compare(Harness& harness, const Bytes& packet, const Bytes* wanted,
                   std::uint16_t gso_size) {
    Comparison result;
    result.program = harness.run(packet, gso_size);
    const ProgramRun& program = result.program;
    result.wrong = program.wrong;
    const bool has_ip_header = packet.size() >= (packet.empty() || packet[0] >> 4 == 4 ? 20u : 40u);
    if (!has_ip_header) {
        if (program.is_taken) result.wrong += "\n  taken without a header";
        return result;
    }
    const bool is_ipv4 = packet[0] >> 4 == 4;

    // The other road.
    const GoldenConfig& config = harness.config();
    Translator& translator = harness.translator();
    OffloadHeader offload;
    if (gso_size != 0) {
        offload.gso_type = is_ipv4 ? OffloadHeader::gso_tcp4 : OffloadHeader::gso_tcp6;
        offload.gso_size = gso_size;
    }
    TestBuffer buffer(hops_of(packet) > 0 ? with_hops(packet, -1) : packet, offload);
    const Outcome outcome = translator.translate(buffer.packet, *config.table);
    static constexpr const char* verdicts[] = {"forward", "reply", "drop"};
    result.outcome = verdicts[static_cast<int>(outcome.verdict())];
    Bytes expected = buffer.bytes();
    // GSO-07: a smaller gso_size is beyond the program, too.
    const bool is_one_piece = outcome.is_forward() && !translator.next_piece(buffer.packet) &&
                              buffer.packet.offload.gso_size == gso_size;
    if (wanted != nullptr) expected = *wanted;

    const auto parsed = parse_packet(packet.data(), packet.size());
    if (parsed && is_one_piece && !parsed->is_fragment() && !parsed->has_fragment_header &&
        parsed->transport == (is_ipv4 ? 20u : 40u)) {
        const std::uint8_t* const transport = packet.data() + parsed->transport;
        const std::size_t length = parsed->transport_length;
        std::string protocol;
        if (parsed->protocol == 6 && length >= 20) protocol = "tcp";
        if (parsed->protocol == 17 && get16(transport + 6) != 0) protocol = "udp";
        if (parsed->protocol == (is_ipv4 ? 1 : 58) &&
            (transport[0] == (is_ipv4 ? 8 : 128) || transport[0] == (is_ipv4 ? 0 : 129)))
            protocol = "echo";
        const bool has_reserved_bit = is_ipv4 && (packet[6] & 0x80) != 0;
        const bool is_hairpin = (expected[0] >> 4) == (packet[0] >> 4);
        // Of prefix pairs only a part can be in the kernel.
        const auto& pairs = config.table->list().mappings;
        const bool is_host_pair = std::any_of(pairs.begin(), pairs.end(), [&](const Eam& m) {
            return m.slot == translator.slot() && m.is_host();
        });
        result.is_plain = !protocol.empty() && !has_reserved_bit && !is_hairpin && is_host_pair;
        result.kind = protocol + (is_ipv4 ? " v4_to_v6" : " v6_to_v4");
    }

    if (!program.is_possible || !program.is_taken) return result;
    if (!is_one_piece) {
        result.wrong += "\n  taken, but user space says " + result.outcome;
        return result;
    }
    // Behind the packet the padding of the frame is left to the kernel, which cuts it off.
    Bytes got = program.out;
    const std::size_t padding = packet.size() - std::min(packet.size(), length_by_header(packet));
    if (got.size() != expected.size() + padding)
        result.wrong += "\n  length " + std::to_string(got.size());
    got.resize(expected.size());
    if (!is_ipv4 && (expected[6] & 0x40) == 0) { // ID-02: two generators
        if (plain_sum(got.data(), 20) != 0xffff) result.wrong += "\n  IPv4 header checksum";
        for (const std::size_t i : {4u, 5u, 10u, 11u})
            expected[i] = got[i];
    }
    if (got != expected)
        result.wrong += "\n  in     " + to_hex(packet) + "\n  got    " + to_hex(got) +
                        "\n  wanted " + to_hex(expected);
    return result;
}

std::string to_string(const Tally& tally) {
    std::string text;
    for (const auto& [name, count] : tally)
        text += "  " + name + ": " + std::to_string(count) + "\n";
    return text;
}

} // namespace xlat646::test
