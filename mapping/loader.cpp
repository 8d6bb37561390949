// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/loader.hpp"

#include "mapping/loader_reader.hpp"
#include "mapping/order.hpp"

#include <algorithm>
#include <functional>

namespace xlat646 {

std::uint32_t& InternedText::slot_of(std::string_view value) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = std::hash<std::string_view>{}(value)&mask;
    while (slots_[i] != 0 && std::string_view(text_.data() + slots_[i]) != value)
        i = (i + 1) & mask;
    return slots_[i];
}

void InternedText::grow() {
    std::vector<std::uint32_t> old(slots_.size() * 2, 0);
    old.swap(slots_);
    for (const std::uint32_t offset : old) {
        if (offset != 0) slot_of(text_.data() + offset) = offset;
    }
}

std::uint32_t InternedText::add(std::string_view value) {
    if (used_ * 2 >= slots_.size()) grow();
    std::uint32_t& slot = slot_of(value);
    if (slot == 0) {
        slot = static_cast<std::uint32_t>(text_.size());
        text_ += value;
        text_ += '\0';
        ++used_;
    }
    return slot;
}

namespace {

/// EAM-06: reports every mapping whose side, by which they are ordered, equals an earlier one's.
template <class Address>
void find_duplicates(const LoaderRun& run, std::vector<OrderedMapping<Address>> order,
                     TextPosition PairPosition::*position, const char* key) {
    std::erase_if(order,
                  [&](const auto& m) { return (run.positions[m.index].*position).line == 0; });
    std::size_t first = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
        const auto& prefix = order[i].prefix;
        if (prefix != order[first].prefix) {
            first = i;
            continue;
        }
        if (!run.report.has_room()) {
            run.report.count_error();
            continue;
        }
        const PairPosition& here = run.positions[order[i].index];
        const PairPosition& there = run.positions[order[first].index];
        run.report.error(
            here.file, here.*position,
            std::string(key) +
                (prefix.is_host() ? prefix.address().to_string() : prefix.to_string()) +
                " is mapped twice");
        run.report.note(there.file, there.*position, "first mapped here");
    }
}

} // namespace

bool load_mappings(std::span<const LoaderInput> inputs, const LoaderRules* rules,
                   const LoaderLimits& limits, MappingList& out, Diagnostics& diagnostics) {
    out = MappingList{};
    std::size_t text_size = 0;
    for (const LoaderInput& input : inputs)
        out.files.push_back(input.name);
    YamlReport report(out.files, limits.errors);
    LoaderRun run{out, {}, InternedText(out.text), PairRules(rules, report), report};

    for (std::uint32_t file = 0; file < inputs.size(); ++file) {
        const std::string_view text = inputs[file].text;
        const std::size_t room = limits.bytes - text_size;
        if (text_size != 0 && text.size() > room) {
            report.error(file, {},
                         "too large: together with the files before it more than " +
                             std::to_string(limits.bytes) + " bytes");
            continue;
        }
        MappingReader reader(run, file);
        if (read_yaml(text, YamlLimits{room}, file, reader, report)) reader.finish();
        text_size += std::min(text.size(), room);
    }
    find_duplicates(run, order_by_ipv4(out), &PairPosition::ipv4, "ipv4: ");
    find_duplicates(run, order_by_ipv6(out), &PairPosition::ipv6, "ipv6: ");
    run.rules.report_warnings();
    report.finish(diagnostics);
    if (!report.failed()) return true;
    out = MappingList{};
    return false;
}

} // namespace xlat646
