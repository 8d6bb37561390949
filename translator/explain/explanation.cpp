// SPDX-License-Identifier: BSD-2-Clause
#include "translator/explain/explanation.hpp"

#include "translator/explain/trace_log.hpp"
#include "translator/siit/translator.hpp"

#include <algorithm>
#include <stdexcept>

namespace xlat646 {
namespace {

/// A copy with the room that the translator is promised.
class Copy {
  public:
    explicit Copy(std::span<const std::uint8_t> bytes)
        : storage_(packet_headroom + bytes.size() + packet_tailroom) {
        std::copy(bytes.begin(), bytes.end(), storage_.begin() + packet_headroom);
        packet.data = storage_.data() + packet_headroom;
        packet.length = bytes.size();
    }
    PacketBytes bytes() const { return {packet.data, packet.data + packet.length}; }
    Packet packet;

  private:
    std::vector<std::uint8_t> storage_;
};

} // namespace

Explanation explain(std::span<const std::uint8_t> packet, const Settings& given,
                    const MappingTable& table) {
    Settings settings = given;
    settings.icmp_rate.per_second = 0; // no limit
    Explanation out;
    {
        TraceLog log;
        Translator translator(settings);
        Copy copy(packet);
        out.outcome = translator.translate_fully(copy.packet, table);
        out.direction = translator.direction();
        out.pair = table.list().with_slot(translator.slot());
        out.rules = log.rules();
        const bool is_turned = std::find(out.rules.begin(), out.rules.end(),
                                         Rule::hairpin_second_pass) != out.rules.end();
        if (is_turned) out.receiver = table.list().with_slot(translator.receiver_slot());
        if (out.outcome.verdict() != Verdict::drop) do
                out.packets.push_back(copy.bytes());
            while (out.outcome.is_forward() && translator.next_piece(copy.packet));
    }
    TraceLog log;
    Translator translator(settings);
    Copy copy(packet);
    const Outcome again = translator.translate(copy.packet, table);
    out.is_plain = again.is_forward() && log.rules().empty();
    if (out.is_plain && (!out.outcome.is_forward() || out.packets[0] != copy.bytes()))
        throw std::logic_error("the short way of plain packets gives another result: a fault of "
                               "this program");
    return out;
}

} // namespace xlat646
