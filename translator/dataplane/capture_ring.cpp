// SPDX-License-Identifier: BSD-2-Clause
#include "translator/dataplane/capture_ring.hpp"

#include <algorithm>
#include <cstring>
#include <pcap/pcap.h>
#include <time.h>

namespace xlat646 {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

std::uint64_t clock_ns(clockid_t clock) noexcept {
    timespec now;
    clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * second_ns +
           static_cast<std::uint64_t>(now.tv_nsec);
}

constexpr std::uint8_t flag(bool is_set, std::uint8_t bit) { return is_set ? bit : 0; }

} // namespace

CaptureRing::CaptureRing(const CaptureWish& wish, std::uint32_t worker)
    : wish_(wish),
      slot_size_((sizeof(CaptureRecord) + 2 * std::size_t{wish.snap_length} + 7) / 8 * 8),
      slots_(memory / slot_size_), bytes_(std::make_unique<std::uint8_t[]>(slots_ * slot_size_)) {
    record_.worker = worker;
}

bool CaptureRing::is_match(const Packet& packet) const noexcept {
    if (wish_.filter.empty()) return true;
    const auto length = static_cast<u_int>(packet.length);
    static_assert(sizeof(FilterInstruction) == sizeof(bpf_insn));
    return bpf_filter(reinterpret_cast<const bpf_insn*>(wish_.filter.data()), packet.data, length,
                      length) != 0;
}

bool CaptureRing::is_wanted(const Outcome& outcome) const noexcept {
    if (!wish_.drops_only && !wish_.reason) return true;
    if (outcome.is_forward() || outcome.is_echo_reply()) return false;
    return !wish_.reason || outcome.reason() == *wish_.reason;
}

bool CaptureRing::take_token() noexcept {
    // A tenth of a second's pairs may come at once, and one always.
    const std::uint64_t price = second_ns / wish_.rate;
    const std::uint64_t most = std::max(second_ns / 10, price);
    const std::uint64_t now = clock_ns(CLOCK_MONOTONIC);
    tokens_ns_ = std::min(most, tokens_ns_ + std::min(most, now - filled_ns_));
    filled_ns_ = now;
    if (tokens_ns_ < price) return false;
    tokens_ns_ -= price;
    return true;
}

std::uint32_t CaptureRing::keep(const Packet& packet, std::size_t offset) noexcept {
    const std::size_t kept = std::min<std::size_t>(packet.length, wish_.snap_length);
    std::memcpy(slot(head_) + sizeof record_ + offset, packet.data, kept);
    return static_cast<std::uint32_t>(kept);
}

void CaptureRing::begin(const Packet& packet) noexcept {
    is_taken_ = false;
    is_first_match_ = is_match(packet);
    record_.kind = CaptureRecord::Kind::pair;
    record_.before_length = static_cast<std::uint32_t>(packet.length);
    record_.flags = static_cast<std::uint8_t>(
        flag(packet.has_partial_checksum(), CaptureRecord::partial_before) |
        flag(packet.is_gso(), CaptureRecord::super_before));
    has_room_ = has_room();
    if (has_room_) record_.before_kept = keep(packet, 0);
}

void CaptureRing::end(const Translator& translator, const Outcome& outcome,
                      const Packet& packet) noexcept {
    const bool has_result = outcome.verdict() != Verdict::drop;
    // The daemon's own probes, which are in no statistics either.
    if (translator.slot() == probe_slot || !is_wanted(outcome)) return;
    if (!is_first_match_ && !(has_result && is_match(packet))) return;
    matched.add();
    if (!has_room_) {
        missed_by_room.add();
        return;
    }
    if (!take_token()) {
        missed_by_rate.add();
        return;
    }
    record_.time_ns = clock_ns(CLOCK_REALTIME);
    record_.after_length = has_result ? static_cast<std::uint32_t>(packet.length) : 0;
    record_.after_kept = has_result ? keep(packet, record_.before_kept) : 0;
    record_.slot = translator.slot();
    record_.direction = static_cast<std::uint8_t>(translator.direction());
    record_.verdict = static_cast<std::uint8_t>(outcome.verdict());
    record_.reason = static_cast<std::uint8_t>(outcome.reason());
    record_.error_kind = static_cast<std::uint8_t>(outcome.error_kind());
    record_.flags = static_cast<std::uint8_t>(
        record_.flags | flag(outcome.is_echo_reply(), CaptureRecord::is_echo_reply) |
        flag(outcome.is_suppressed(), CaptureRecord::is_suppressed));
    if (has_result)
        record_.flags = static_cast<std::uint8_t>(
            record_.flags | flag(packet.has_partial_checksum(), CaptureRecord::partial_after) |
            flag(packet.is_gso(), CaptureRecord::super_after));
    commit();
    taken.add();
    is_taken_ = true;
}

void CaptureRing::add_piece(const Packet& packet) noexcept {
    if (!is_taken_) return;
    if (!has_room()) {
        missed_pieces.add();
        return;
    }
    record_.kind = CaptureRecord::Kind::piece;
    record_.before_length = record_.before_kept = 0;
    record_.after_length = static_cast<std::uint32_t>(packet.length);
    record_.after_kept = keep(packet, 0);
    commit();
}

void CaptureRing::commit() noexcept {
    std::memcpy(slot(head_), &record_, sizeof record_);
    published_.store(++head_, release);
}

const CaptureRecord* CaptureRing::front(const std::uint8_t*& before,
                                        const std::uint8_t*& after) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (published_.load(acquire) == tail) return nullptr;
    const std::uint8_t* const at = slot(tail);
    const auto* const record = reinterpret_cast<const CaptureRecord*>(at);
    before = at + sizeof *record;
    after = before + record->before_kept;
    return record;
}

} // namespace xlat646
