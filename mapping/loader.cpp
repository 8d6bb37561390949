// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/loader.hpp"

#include "mapping/loader_reader.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

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

/// EAM-06: reports every mapping whose side equals that of an earlier one.
template <class Address>
void find_duplicates(const LoaderRun& run, Prefix<Address> Eam::*side,
                     TextPosition PairPosition::*position, const char* key) {
    const auto& mappings = run.list.mappings;
    std::vector<std::uint32_t> order(mappings.size());
    std::iota(order.begin(), order.end(), 0u);
    std::erase_if(order, [&](std::uint32_t i) { return (run.positions[i].*position).line == 0; });
    const auto is_before = [&](std::uint32_t a, std::uint32_t b) {
        const auto by_prefix = mappings[a].*side <=> mappings[b].*side;
        return by_prefix != 0 ? by_prefix < 0 : a < b;
    };
    if (!std::is_sorted(order.begin(), order.end(), is_before))
        std::sort(order.begin(), order.end(), is_before);

    std::size_t first = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
        const auto& prefix = mappings[order[i]].*side;
        if (prefix != mappings[order[first]].*side) {
            first = i;
            continue;
        }
        if (!run.report.has_room()) {
            run.report.count_error();
            continue;
        }
        const PairPosition& here = run.positions[order[i]];
        const PairPosition& there = run.positions[order[first]];
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
    find_duplicates(run, &Eam::ipv4, &PairPosition::ipv4, "ipv4: ");
    find_duplicates(run, &Eam::ipv6, &PairPosition::ipv6, "ipv6: ");
    run.rules.report_warnings();
    report.finish(diagnostics);
    if (!report.failed()) return true;
    out = MappingList{};
    return false;
}

} // namespace xlat646
