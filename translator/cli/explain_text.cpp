// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/explain_text.hpp"

#include "translator/cli/text.hpp"
#include "translator/explain/packet_fields.hpp"
#include "translator/stats/drop_advice.hpp"
#include "translator/stats/mapping_list.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

namespace xlat646 {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t text_width = 100;

std::string to_hex(const PacketBytes& bytes) {
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t b : bytes) {
        text += digits[b >> 4];
        text += digits[b & 15];
    }
    return text;
}

const char* family_of(const PacketBytes& packet) {
    if (packet.empty()) return "nothing";
    return packet[0] >> 4 == 4 ? "IPv4" : "IPv6";
}

/// What a discarded packet's sender is told; nullptr: nothing.
const char* kind_text(const Explanation& e) {
    if (e.outcome.verdict() != Verdict::reply || e.outcome.is_echo_reply()) return nullptr;
    switch (e.outcome.error_kind()) {
    case ErrorKind::time_exceeded: return "time exceeded";
    case ErrorKind::too_big: return "packet too big";
    case ErrorKind::unreachable: return "destination unreachable";
    case ErrorKind::parameter_problem: break;
    }
    return "parameter problem";
}

std::optional<DropReason> reason_of(const Explanation& e) {
    if (e.outcome.is_forward() || e.outcome.is_echo_reply()) return std::nullopt;
    return e.outcome.reason();
}

std::string result_text(const Explanation& e) {
    if (e.outcome.is_forward()) {
        std::string text = "forwarded as " + std::string(family_of(e.packets[0]));
        if (e.packets.size() > 1) text += ", in " + plural(e.packets.size(), "fragment");
        if (e.is_plain) text += "; the data path takes its short way, with the same result";
        return text;
    }
    if (e.outcome.is_echo_reply()) return "answered: an echo reply of the translator";
    std::string text = "discarded, " + std::string(name_of(e.outcome.reason()));
    if (const char* const kind = kind_text(e)) text += ", and answered: ICMP " + std::string(kind);
    return text;
}

std::string pair_text(const Eam& m, const MappingList& list) {
    std::string text = address_text(m.ipv4) + " = " + address_text(m.ipv6);
    if (m.name != 0) text += ", " + printable(list.name_of(m));
    return text + ", " + printable(list.files[m.where.file]) + ":" + std::to_string(m.where.line) +
           ":" + std::to_string(m.where.column);
}

/// Fields of both, those of `before` first; nullptr: it has none of that name.
struct Row {
    std::string name;
    std::optional<std::string> before, after;
};
std::vector<Row> compare(const PacketBytes& before, const PacketBytes& after) {
    std::vector<Row> rows;
    for (auto& f : fields_of(before))
        rows.push_back({std::move(f.name), std::move(f.value), std::nullopt});
    auto at = rows.begin();
    for (auto& f : fields_of(after)) {
        const auto found =
            std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == f.name; });
        if (found == rows.end()) {
            at = rows.insert(at, {std::move(f.name), std::nullopt, std::move(f.value)}) + 1;
        } else {
            found->after = std::move(f.value);
            at = found + 1;
        }
    }
    return rows;
}

void write_fields(std::string& out, const PacketBytes& packet) {
    const auto fields = fields_of(packet);
    std::size_t name = 0;
    for (const PacketField& f : fields)
        name = std::max(name, f.name.size());
    for (const PacketField& f : fields)
        out += "    " + left(f.name, name + 2) + f.value + "\n";
}

void write_change(std::string& out, const PacketBytes& before, const PacketBytes& after) {
    out += "  (received, sent; *: not the same)\n";
    const auto rows = compare(before, after);
    std::size_t name = 0, value = 0;
    for (const Row& r : rows) {
        name = std::max(name, r.name.size());
        value = std::max(value, r.before.value_or("").size());
    }
    for (const Row& r : rows) {
        out += r.before == r.after ? "    " : "  * ";
        out += left(r.name, name + 2) + left(r.before.value_or("-"), value + 2) +
               r.after.value_or("-") + "\n";
    }
}

ordered_json pair_json(const Eam* m, const MappingList& list) {
    if (m == nullptr) return nullptr;
    return {{"ipv4", address_text(m->ipv4)},     {"ipv6", address_text(m->ipv6)},
            {"name", list.name_of(*m)},          {"tenant", list.tenant_of(*m)},
            {"file", list.files[m->where.file]}, {"line", m->where.line},
            {"column", m->where.column}};
}

ordered_json packet_json(const PacketBytes& bytes) {
    ordered_json fields = ordered_json::object();
    for (const PacketField& f : fields_of(bytes))
        fields[f.name] = f.value;
    return {{"length", bytes.size()}, {"fields", std::move(fields)}, {"hex", to_hex(bytes)}};
}

} // namespace

std::string explanation_text(const InputPacket& packet, const Explanation& e,
                             const MappingList& list) {
    std::string out = "Received: " + std::string(family_of(packet.bytes)) + ", " +
                      plural(packet.bytes.size(), "byte") + "\n";
    if (!packet.note.empty()) out += "  (" + packet.note + ")\n";
    out += "\n";
    for (const Rule rule : e.rules) {
        const RuleText& text = text_of(rule);
        out += wrapped(text.sentence, 2, text_width);
        out += "      " + std::string(text.source) + "; " + std::string(text.rows) + "\n";
    }
    out += "\nResult: " + result_text(e) + "\n";
    if (const auto reason = reason_of(e)) {
        out += wrapped(sentence_of(*reason), 2, text_width);
        out += wrapped(advice_for(*reason), 2, text_width);
    }
    if (e.pair != nullptr) out += "  mapping: " + pair_text(*e.pair, list) + "\n";
    if (e.receiver != nullptr) out += "  receiver's: " + pair_text(*e.receiver, list) + "\n";
    for (std::size_t i = 0; i < e.packets.size(); ++i) {
        out += "\nSent";
        if (e.packets.size() > 1) out += ", fragment " + std::to_string(i + 1);
        out += ": " + std::string(family_of(e.packets[i])) + ", " +
               plural(e.packets[i].size(), "byte") + "\n";
        if (e.outcome.is_forward())
            write_change(out, packet.bytes, e.packets[i]);
        else
            write_fields(out, e.packets[i]);
        out += "  " + to_hex(e.packets[i]) + "\n";
    }
    return out;
}

ordered_json explanation_json(const InputPacket& packet, const Explanation& e,
                              const MappingList& list) {
    ordered_json steps = ordered_json::array();
    for (const Rule rule : e.rules) {
        const RuleText& text = text_of(rule);
        ordered_json rows = ordered_json::array();
        for (std::string_view rest = text.rows; !rest.empty();) {
            const std::size_t end = std::min(rest.find(' '), rest.size());
            rows.push_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        steps.push_back({{"rule", text.name},
                         {"requirements", std::move(rows)},
                         {"source", text.source},
                         {"sentence", text.sentence}});
    }
    constexpr const char* verdicts[] = {"forward", "reply", "drop"};
    ordered_json out = {{"received", packet_json(packet.bytes)},
                        {"note", packet.note},
                        {"steps", std::move(steps)},
                        {"verdict", verdicts[static_cast<std::size_t>(e.outcome.verdict())]}};
    out["reason"] = out["sentence"] = out["advice"] = out["answer"] = nullptr;
    if (const auto reason = reason_of(e)) {
        out["reason"] = name_of(*reason);
        out["sentence"] = sentence_of(*reason);
        out["advice"] = advice_for(*reason);
    }
    if (const char* const kind = kind_text(e)) out["answer"] = kind;
    out["plain"] = e.is_plain;
    out["mapping"] = pair_json(e.pair, list);
    out["receiver"] = pair_json(e.receiver, list);
    out["sent"] = ordered_json::array();
    for (const PacketBytes& bytes : e.packets)
        out["sent"].push_back(packet_json(bytes));
    return out;
}

} // namespace xlat646
