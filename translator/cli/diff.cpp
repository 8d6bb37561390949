// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 diff: what changes when one file takes the place of another.
#include "mapping/diff.hpp"
#include "translator/cli/command.hpp"
#include "translator/cli/judged_files.hpp"
#include "translator/cli/text.hpp"
#include "translator/daemon/config_changes.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/stats/mapping_list.hpp"
#include "translator/stats/segment_json.hpp"

#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;

constexpr const char* name_of(ChangeKind kind) {
    switch (kind) {
    case ChangeKind::added: return "added";
    case ChangeKind::removed: return "removed";
    case ChangeKind::readdressed: return "readdressed";
    case ChangeKind::relabelled: return "relabelled";
    }
    return "";
}

struct Comparison {
    JudgedFiles before;
    JudgedFiles after;
    std::vector<std::string> settings; ///< keys that differ
    MappingDiff diff;

    bool equal() const { return settings.empty() && diff.empty(); }
};

/// "2001:db8:6::2, name www, tenant acme"
std::string text_of(const MappingList& list, const Eam& m) {
    std::string text = address_text(m.ipv6);
    if (m.name != 0) text += ", name " + printable(list.name_of(m));
    if (m.tenant != 0) text += ", tenant " + printable(list.tenant_of(m));
    return text;
}

void write_text(std::ostream& out, const Comparison& c) {
    for (const std::string& key : c.settings)
        out << "! " << printable(key) << "\n";
    for (const MappingChange& change : c.diff.changes) {
        if (change.before != nullptr)
            out << "- " << address_text(change.before->ipv4) << " = "
                << text_of(c.before.list, *change.before) << "\n";
        if (change.after != nullptr)
            out << "+ " << address_text(change.after->ipv4) << " = "
                << text_of(c.after.list, *change.after) << "\n";
    }
    if (c.equal()) return;
    out << grouped(c.diff.added) << " added, " << grouped(c.diff.removed) << " removed, "
        << grouped(c.diff.readdressed) << " with another IPv6 address, "
        << grouped(c.diff.relabelled) << " with another name or tenant, "
        << grouped(c.diff.unchanged) << " unchanged";
    if (!c.settings.empty()) out << "; " << plural(c.settings.size(), "setting") << " changed";
    out << "\n";
}

ordered_json side_json(const MappingList& list, const Eam* m) {
    if (m == nullptr) return nullptr;
    ordered_json side = {{"ipv6", address_text(m->ipv6)}};
    side["name"] = list.name_of(*m);
    side["tenant"] = list.tenant_of(*m);
    return side;
}

/// Row by row: there may be a million.
void write_json(std::ostream& out, const Comparison& c) {
    ordered_json head = {{"equal", c.equal()},
                         {"settings", c.settings},
                         {"added", c.diff.added},
                         {"removed", c.diff.removed},
                         {"readdressed", c.diff.readdressed},
                         {"relabelled", c.diff.relabelled},
                         {"unchanged", c.diff.unchanged}};
    std::string text = to_text(head);
    text.pop_back();
    out << text << ",\"changes\":[";
    const char* between = "\n";
    for (const MappingChange& change : c.diff.changes) {
        const Eam& any = change.before != nullptr ? *change.before : *change.after;
        out << between
            << to_text(ordered_json{{"change", name_of(change.kind)},
                                    {"ipv4", address_text(any.ipv4)},
                                    {"before", side_json(c.before.list, change.before)},
                                    {"after", side_json(c.after.list, change.after)}});
        between = ",\n";
    }
    out << "]}\n";
}

bool load(const std::string& path, JudgedFiles& out) {
    Diagnostics diagnostics;
    const bool is_good = judge_files({path, FileKind::unknown, {}, {}, nullptr}, out, diagnostics);
    if (is_good) return true;
    print_diagnostics(diagnostics);
    std::cerr << "xlat646 diff: " << printable(path) << " is not usable\n";
    return false;
}

} // namespace

int run_diff(const Words& words) {
    po::options_description options;
    options.add_options()("json", "as JSON");
    const auto given = read_options(
        words, options,
        "diff [OPTION] OLD NEW\nEach of both is a main file (xlat646.yaml) with the mapping files "
        "that it names,\nor a mapping file alone; \"-\": the standard input.\nExit status: 0 "
        "equal, "
        "1 different, 78 a file is not usable.",
        "file");
    if (!given) return exit_status::fine;
    const Words paths = given->count("file") == 0 ? Words() : (*given)["file"].as<Words>();
    if (paths.size() != 2) throw po::error("two files are needed, OLD and NEW");
    if (paths[0] == "-" && paths[1] == "-")
        throw po::error("the standard input can be read only once");

    Comparison c;
    const bool old_is_good = load(paths[0], c.before);
    if (!load(paths[1], c.after) || !old_is_good) return exit_status::configuration;
    if (c.before.main && c.after.main)
        c.settings = changed_keys(c.before.main->text, c.after.main->text);
    c.diff = diff_mappings(c.before.list, c.after.list, std::numeric_limits<std::size_t>::max());
    (given->count("json") != 0 ? write_json : write_text)(std::cout, c);
    return c.equal() ? exit_status::fine : exit_status::wrong;
}

} // namespace xlat646
