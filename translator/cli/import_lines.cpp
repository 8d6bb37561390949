// SPDX-License-Identifier: BSD-2-Clause
//
// The formats that are lines of words.
#include "translator/cli/import_formats.hpp"

#include "mapping/yaml_words.hpp"

#include <algorithm>
#include <array>

namespace xlat646 {
namespace {

using Words = std::vector<ImportWord>;

constexpr std::string_view blank = " \t\r";

/// False, and an error: so many words do not follow the first.
bool has_operands(const Words& words, std::size_t count, ImportRun& run) {
    if (words.size() > count) return true;
    run.error(words[0].at, std::string(words[0].text) + ": " + std::to_string(count) +
                               (count == 1 ? " word" : " words") + " must follow");
    return false;
}

void refuse_more(const Words& words, std::size_t count, ImportRun& run) {
    if (words.size() > count)
        run.warning(words[count].at, quote(words[count].text) + " is ignored: nothing may follow");
}

/// TAYGA's directives without a counterpart whose loss changes no translation of a pair.
struct Ignored {
    std::string_view word;
    const char* advice;
};
constexpr std::array tayga_ignored = {
    Ignored{"tun-device", "see tun.name"},
    Ignored{"data-dir", "nothing is kept on disk"},
    Ignored{"strict-frag-hdr", "RFC 7915 decides"},
    Ignored{"udp-cksum-mode", "see policy.udp_zero_checksum"},
    Ignored{"wkpf-strict", "64:ff9b::/96 carries global addresses only (RFC 6052 section 3.1); see "
                           "policy.profile for other prefixes"},
    Ignored{"offlink-mtu", "see mtu"},
    Ignored{"ipv6-offlink-mtu", "see mtu"},
    Ignored{"log", "see xlat646 drops"},
    Ignored{"workers", "see tun.queues"},
    Ignored{"worker-threads", "see tun.queues"},
    Ignored{"tun-queues", "see tun.queues"},
};

void import_tayga_line(const Words& words, ImportRun& run) {
    const std::string_view op = words[0].text;
    if (op == "map") {
        if (!has_operands(words, 2, run)) return;
        add_pair(words[1], words[2], run);
        return refuse_more(words, 3, run);
    }
    if (op == "prefix" || op == "ipv4-addr" || op == "ipv6-addr") {
        if (!has_operands(words, 1, run)) return;
        if (op == "prefix")
            set_prefix(words[1], 0, run);
        else
            set_own_address(words[1], run);
        return refuse_more(words, 2, run);
    }
    if (op == "dynamic-pool")
        return run.error(words[0].at, "dynamic-pool is lost: there are no addresses on demand; "
                                      "give each server a pair");
    const auto* const ignored = std::find_if(tayga_ignored.begin(), tayga_ignored.end(),
                                             [&](const Ignored& i) { return i.word == op; });
    if (ignored == tayga_ignored.end())
        return run.error(words[0].at, quote(op) + " is not known, and lost");
    run.warning(words[0].at, std::string(op) + " has no counterpart: " + ignored->advice);
}

void import_map646_line(const Words& words, ImportRun& run) {
    const std::string_view op = words[0].text;
    if (op == "map-static" || op == "static") {
        if (!has_operands(words, 2, run)) return;
        add_pair(words[1], words[2], run);
        refuse_more(words, 3, run);
    } else if (op == "mapping-prefix") {
        // map646 writes IPv4 addresses over the last 32 bits, whatever else it is told.
        if (!has_operands(words, 1, run)) return;
        set_prefix(words[1], 96, run);
        refuse_more(words, 2, run);
    } else if (op == "include") {
        run.error(words[0].at, "include is not followed: import that file, too, and name both "
                               "results in mapping_files");
    } else {
        run.error(words[0].at, quote(op) + " is not known, and lost");
    }
}

/// What stands behind "eamt add", if that is in the line.
std::size_t behind_eamt_add(const Words& words) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
        if (words[i].text == "eamt" && words[i + 1].text == "add") return i + 2;
    return 0;
}

void import_jool_line(Words words, bool is_first, ImportRun& run) {
    const std::size_t begin = behind_eamt_add(words);
    if (begin == 0) {
        if (is_first && words[0].text == "IPv6") return; // the titles of a table
        if (words[0].text.find_first_not_of("+-") == std::string_view::npos) return; // its frame
    }
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(begin));
    std::erase_if(words, [](const ImportWord& w) { return w.text == "--force"; });
    if (words.size() != 2) {
        const TextPosition at = words.empty() ? TextPosition() : words[0].at;
        return run.error(at, "expected an IPv6 and an IPv4 prefix, as jool_siit eamt display --csv "
                             "writes them, or jool_siit eamt add with both");
    }
    const bool is_6_first = words[0].text.find(':') != std::string_view::npos;
    add_pair(words[is_6_first ? 1 : 0], words[is_6_first ? 0 : 1], run);
}

} // namespace

void import_map646(std::string_view text, ImportRun& run) {
    ImportLines lines(text, blank);
    for (Words words; lines.next(words);)
        import_map646_line(words, run);
}

void import_tayga(std::string_view text, ImportRun& run) {
    ImportLines lines(text, blank);
    for (Words words; lines.next(words);)
        import_tayga_line(words, run);
}

void import_jool_lines(std::string_view text, ImportRun& run) {
    ImportLines lines(text, " \t\r,|\"");
    bool had_titles = false;
    for (Words words; lines.next(words);) {
        const bool is_frame = words[0].text.find_first_not_of("+-") == std::string_view::npos;
        import_jool_line(words, !had_titles, run);
        had_titles = had_titles || !is_frame;
    }
}

} // namespace xlat646
