// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/capture_text.hpp"

#include "translator/cli/pcapng.hpp"
#include "translator/cli/text.hpp"
#include "translator/wire/headers.hpp"

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace xlat646 {
namespace {

constexpr std::array error_kind_names = {"time exceeded", "packet too big", "unreachable",
                                         "parameter problem"};
static_assert(error_kind_names.size() == error_kind_count);

template <class Address> Address address_at(std::string_view packet, std::size_t offset) {
    std::array<std::uint8_t, Address::width / 8> bytes{};
    std::memcpy(bytes.data(), packet.data() + offset, bytes.size());
    return Address::from_bytes(bytes);
}

bool touches(const SegmentView::Mapping& m, std::string_view packet) {
    if (packet.size() >= Ipv4Header::size && packet[0] >> 4 == 4)
        return m.ipv4.contains(address_at<Ipv4Address>(packet, 12)) ||
               m.ipv4.contains(address_at<Ipv4Address>(packet, 16));
    if (packet.size() >= Ipv6Header::size && packet[0] >> 4 == 6)
        return m.ipv6.contains(address_at<Ipv6Address>(packet, 8)) ||
               m.ipv6.contains(address_at<Ipv6Address>(packet, 24));
    return false;
}

std::string remarks(bool is_super, bool is_partial) {
    std::string out;
    if (is_super) out += "; super-packet";
    if (is_partial) out += "; checksum left to the device";
    return out;
}

} // namespace

void MappingNames::index() {
    const SegmentView& view = reader_->view();
    by_slot_.assign(view.header().counts.slots, 0);
    for (std::uint32_t i = 0; i < view.mapping_count(); ++i)
        if (const auto m = view.mapping(i); m && m->slot < by_slot_.size())
            by_slot_[m->slot] = i + 1;
}

void MappingNames::follow() {
    if (reader_ != nullptr && (reader_->follow() || by_slot_.empty())) index();
}

std::string MappingNames::name_of(std::uint32_t slot, std::string_view packet) {
    if (slot >= by_slot_.size() || by_slot_[slot] == 0) return {};
    const auto m = reader_->view().mapping(by_slot_[slot] - 1);
    if (!m || !touches(*m, packet)) return {};
    if (m->name.empty()) return "mapping " + m->ipv4.to_string() + " = " + m->ipv6.to_string();
    std::string out = "mapping " + printable(m->name);
    if (!m->tenant.empty()) out += " (tenant " + printable(m->tenant) + ")";
    return out;
}

std::string CaptureText::beginning() const {
    return pcapng::section("xlat646 " XLAT646_VERSION) +
           pcapng::interface("xlat646", "the translator: inbound as it came, outbound as it left",
                             snap_length_);
}

std::string CaptureText::comment(const CaptureRecord& record, std::uint64_t pair,
                                 std::string_view bytes) {
    std::string out = "pair " + std::to_string(pair);
    out += record.direction == 0 ? ", IPv4 to IPv6" : ", IPv6 to IPv4";
    if (const std::string name = names_.name_of(record.slot, bytes); !name.empty())
        out += ", " + name;
    const auto verdict = static_cast<Verdict>(record.verdict);
    if (verdict == Verdict::forward) return out + ": translated";
    if ((record.flags & CaptureRecord::is_echo_reply) != 0) return out + ": answered by ourselves";
    const auto reason = static_cast<DropReason>(record.reason);
    out += ": discarded, " + std::string(name_of(reason)) + ": " + std::string(sentence_of(reason));
    const char* const kind = error_kind_names[record.error_kind];
    if (verdict == Verdict::reply) return out + " Answered by an ICMP error (" + kind + ")";
    if ((record.flags & CaptureRecord::is_suppressed) != 0)
        return out + " The ICMP error (" + kind + ") was withheld by the rate limit";
    return out;
}

std::string CaptureText::blocks(const CaptureRecord& record, std::string_view bytes) {
    const bool is_piece = record.kind == CaptureRecord::Kind::piece;
    if (record.before_kept > snap_length_ || record.after_kept > snap_length_ ||
        bytes.size() != std::size_t{record.before_kept} + record.after_kept ||
        record.direction >= direction_count || record.verdict > 2 ||
        record.reason >= drop_reason_count || record.error_kind >= error_kind_count ||
        record.kind > CaptureRecord::Kind::piece)
        throw std::runtime_error("cannot understand what xlat646d sends");
    std::uint64_t& pair = last_pair_[record.worker];
    if (!is_piece) pair = ++pairs_;

    const std::string_view before = bytes.substr(0, record.before_kept);
    const std::string_view after = bytes.substr(record.before_kept);
    std::string text = comment(record, pair, is_piece ? after : before);
    std::string out;
    pcapng::PacketInfo info;
    info.time_ns = record.time_ns;
    if (!is_piece) {
        info.length = record.before_length;
        const std::string whole =
            text + remarks((record.flags & CaptureRecord::super_before) != 0,
                           (record.flags & CaptureRecord::partial_before) != 0);
        info.comment = whole;
        out += pcapng::packet(info, before);
        if (record.verdict == static_cast<std::uint8_t>(Verdict::drop)) return out;
    }
    info.is_outbound = true;
    info.length = record.after_length;
    text += "; this is what came out";
    if (is_piece) text += ", another piece";
    text += remarks((record.flags & CaptureRecord::super_after) != 0,
                    (record.flags & CaptureRecord::partial_after) != 0);
    info.comment = text;
    return out + pcapng::packet(info, after);
}

std::string capture_summary(std::uint64_t written, std::string_view totals) {
    const auto t = nlohmann::json::parse(totals, nullptr, false);
    if (!t.is_object()) throw std::runtime_error("cannot understand what xlat646d sends");
    const auto number = [&](const char* key) { return t.value(key, std::uint64_t{0}); };
    std::string out = plural(written, "pair") + " captured";
    const std::string why = t.value("why", "");
    if (why == "restart") out += " until another process took over";
    if (why == "stopped") out += " until xlat646d stopped";
    if (why == "stalled") out += " until we were too slow";
    if (why == "time") out += ", time is over";
    const std::uint64_t by_rate = number("missed_by_rate"), by_room = number("missed_by_room");
    out += "; missed: " + grouped(by_rate) + " above the rate, " + grouped(by_room) +
           " for want of room";
    if (const std::uint64_t pieces = number("missed_pieces"); pieces != 0)
        out += ", " + plural(pieces, "further piece");
    return out;
}

} // namespace xlat646
