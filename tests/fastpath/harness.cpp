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

namespace {

bool has_ip_header(const Bytes& p) { return p.size() >= (p.empty() || p[0] >> 4 == 4 ? 20u : 40u); }

/// What user space makes of a packet.
struct UserSpace {
    std::string outcome;
    bool is_one_piece = false; ///< forwarded whole
    Bytes out;
};

/// Where the UDP checksum lies in a packet without options or extension headers.
std::size_t udp_checksum_at(const Bytes& p) { return (p[0] >> 4 == 4 ? 20 : 40) + 6; }

void complement(Bytes& p, std::size_t at) {
    if (p.size() >= at + 2) put16(&p[at], 0xffffu - get16(&p[at]));
}

UserSpace by_user_space(Harness& harness, Bytes packet, std::uint16_t gso_size) {
    const bool is_ipv4 = packet[0] >> 4 == 4;
    const bool is_udp = packet[is_ipv4 ? 9 : 6] == 17;
    OffloadHeader offload;
    if (gso_size != 0) {
        offload.gso_type = is_ipv4 ? OffloadHeader::gso_tcp4 : OffloadHeader::gso_tcp6;
        offload.gso_size = gso_size;
    }
    if (gso_size != 0 && is_udp) {
        offload.flags = OffloadHeader::needs_checksum;
        offload.gso_type = OffloadHeader::gso_udp;
        offload.checksum_start = is_ipv4 ? 20 : 40;
        offload.checksum_offset = 6;
        complement(packet, udp_checksum_at(packet));
    }
    TestBuffer buffer(packet, offload);
    Translator& translator = harness.translator();
    UserSpace result;
    if (translator.must_segment(buffer.packet)) {
        result.outcome = "segments";
        return result;
    }
    const Outcome outcome = translator.translate(buffer.packet, *harness.config().table);
    static constexpr const char* verdicts[] = {"forward", "reply", "drop"};
    result.outcome = verdicts[static_cast<int>(outcome.verdict())];
    result.out = buffer.bytes();
    // GSO-07: a smaller gso_size is beyond the program, too.
    result.is_one_piece = outcome.is_forward() && !translator.next_piece(buffer.packet) &&
                          buffer.packet.offload.gso_size == gso_size;
    if (gso_size != 0 && is_udp && result.is_one_piece) {
        const std::size_t at = udp_checksum_at(result.out);
        complement(result.out, at);
        if (get16(&result.out[at]) == 0) put16(&result.out[at], 0xffff);
    }
    return result;
}

/// Whether the program should take the packet that user space made this of, as far as it knows the
/// rules.
void judge(Harness& harness, const Bytes& packet, const UserSpace& user, Comparison& result) {
    const bool is_ipv4 = packet[0] >> 4 == 4;
    const std::size_t header = is_ipv4 ? 20 : 40;
    const auto parsed = parse_packet(packet.data(), packet.size());
    if (!parsed || !user.is_one_piece || parsed->is_fragment() || parsed->has_fragment_header ||
        parsed->transport != header)
        return;
    const std::uint8_t* const transport = packet.data() + header;
    const std::size_t length = parsed->transport_length;
    const std::uint8_t* const out = user.out.data() + 60 - header;
    std::string protocol;
    if (parsed->protocol == 6 && length >= 20) {
        protocol = "tcp";
        result.may_be_zero = get16(transport + 16) == 0xffff;
    }
    if (parsed->protocol == 17 && get16(transport + 6) != 0) {
        protocol = "udp";
        result.may_be_zero = get16(transport + 6) == 0xffff;
    }
    if (parsed->protocol == (is_ipv4 ? 1 : 58) &&
        (transport[0] == (is_ipv4 ? 8 : 128) || transport[0] == (is_ipv4 ? 0 : 129))) {
        protocol = "echo";
        result.may_be_zero = get16(out + 2) == 0;
    }
    const bool has_reserved_bit = is_ipv4 && (packet[6] & 0x80) != 0;
    const bool is_hairpin = user.out[0] >> 4 == packet[0] >> 4;
    // Of prefix pairs only a part can be in the kernel.
    const auto& pairs = harness.config().table->list().mappings;
    const bool is_host_pair = std::any_of(pairs.begin(), pairs.end(), [&](const Eam& m) {
        return m.slot == harness.translator().slot() && m.is_host();
    });
    result.is_plain = !protocol.empty() && !has_reserved_bit && !is_hairpin && is_host_pair;
    result.kind = protocol + (is_ipv4 ? " v4_to_v6" : " v6_to_v4");
}

} // namespace

bool Comparison::is_missed() const {
    if (!is_plain || !program.is_possible || program.is_taken) return false;
    const std::string& reason = program.reason;
    // Padding behind a super-packet, and rules that only user space knows.
    return reason != "client" && reason != "mss" && reason != "gso" &&
           (reason != "checksum" || !may_be_zero);
}

std::string Comparison::summary() const {
    if (!program.is_possible) return "too long or too short for BPF_PROG_TEST_RUN";
    if (program.is_taken) return "taken, " + kind;
    return "left alone, " + program.reason + ", user space: " + outcome;
}

Comparison compare(Harness& harness, const Bytes& packet, const Bytes* wanted,
                   std::uint16_t gso_size) {
    Comparison result;
    result.program = harness.run(packet, gso_size);
    const ProgramRun& program = result.program;
    result.wrong = program.wrong;
    if (!has_ip_header(packet)) {
        if (program.is_taken) result.wrong += "\n  taken without a header";
        return result;
    }
    // The other road.
    const bool is_ipv4 = packet[0] >> 4 == 4;
    UserSpace user =
        by_user_space(harness, hops_of(packet) > 0 ? with_hops(packet, -1) : packet, gso_size);
    result.outcome = user.outcome;
    judge(harness, packet, user, result);
    if (result.is_missed())
        result.wrong += "\n  plain, but left alone: " + program.reason + "\n  " + to_hex(packet);
    if (!program.is_possible || !program.is_taken) return result;
    if (!user.is_one_piece) {
        result.wrong += "\n  taken, but user space says " + user.outcome;
        return result;
    }
    Bytes& expected = user.out;
    if (wanted != nullptr) expected = *wanted;
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

bool may_be_super_packet(const Bytes& packet) {
    if (packet.size() <= 60 || (packet[0] != 0x45 && packet[0] >> 4 != 6)) return false;
    const std::uint8_t proto = packet[packet[0] >> 4 == 4 ? 9 : 6];
    return proto == 6 || proto == 17;
}

std::string to_string(const Tally& tally) {
    std::string text;
    for (const auto& [name, count] : tally)
        text += "  " + name + ": " + std::to_string(count) + "\n";
    return text;
}

} // namespace xlat646::test
