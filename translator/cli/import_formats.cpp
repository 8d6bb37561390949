// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/import_formats.hpp"

#include "mapping/loader_rules.hpp"
#include "mapping/yaml_address.hpp"
#include "mapping/yaml_text.hpp"
#include "mapping/yaml_words.hpp"

#include <unordered_map>

namespace xlat646 {
namespace {

constexpr std::size_t shown_lines = 10000;
constexpr Ipv4Address default_own4(0xc0000008); // 192.0.0.8, as for xlat646.yaml

template <class Address> std::string text_of(const Prefix<Address>& p) {
    return p.is_host() ? p.address().to_string() : p.to_string();
}

template <class Address>
bool is_first(std::unordered_map<Prefix<Address>, TextPosition>& seen,
              const Prefix<Address>& prefix, TextPosition at, ImportRun& run) {
    const auto [place, is_new] = seen.emplace(prefix, at);
    if (is_new) return true;
    run.error(at, text_of(prefix) + " is mapped twice; the first one is kept");
    run.report.note(0, place->second, "first mapped here");
    return false;
}

/// EAM-01, EAM-06, EAM-07: what the loader would not take stays behind.
void settle(ImportRun& run) {
    Imported& out = run.out;
    std::optional<LoaderRules> rules;
    if (out.prefix) {
        rules.emplace();
        rules->prefix = *TranslationPrefix::from(*out.prefix);
        rules->own4 = out.own4.value_or(default_own4);
        rules->own6 = out.own6.value_or(rules->prefix.embed(rules->own4));
        if (out.pool)
            for (std::uint64_t i = 0; i < std::uint64_t{1} << out.pool->suffix_length(); ++i)
                rules->pool4.emplace_back(
                    static_cast<std::uint32_t>(out.pool->address().value() + i));
    }
    PairRules judge(rules ? &*rules : nullptr, run.report);
    std::unordered_map<Ipv4Prefix, TextPosition> seen4;
    std::unordered_map<Ipv6Prefix, TextPosition> seen6;
    std::vector<ImportedPair> good;
    good.reserve(out.pairs.size());
    for (const ImportedPair& pair : out.pairs) {
        const std::size_t before = run.report.errors();
        Eam eam;
        eam.ipv4 = pair.ipv4;
        eam.ipv6 = pair.ipv6;
        judge.check_ipv4(pair.ipv4, 0, pair.ipv4_at);
        judge.check_ipv6(pair.ipv6, 0, pair.ipv6_at);
        judge.check_lengths(eam, 0, pair.ipv6_at);
        if (run.report.errors() != before) continue;
        if (!is_first(seen4, pair.ipv4, pair.ipv4_at, run)) continue;
        if (is_first(seen6, pair.ipv6, pair.ipv6_at, run))
            good.push_back(pair);
        else
            seen4.erase(pair.ipv4);
    }
    judge.report_warnings();
    out.pairs = std::move(good);
}

/// The keys of the main file, each line behind `indent`.
std::string main_keys(const Imported& c, const std::string& indent) {
    std::string text;
    if (c.prefix) text += indent + "translation_prefix: \"" + c.prefix->to_string() + "\"\n";
    if (c.own4 || c.own6) {
        text += indent + "own_addresses: { ";
        if (c.own4) text += "ipv4: " + c.own4->to_string() + (c.own6 ? ", " : "");
        if (c.own6) text += "ipv6: \"" + c.own6->to_string() + "\"";
        text += " }\n";
    }
    if (c.pool) text += indent + "icmp_source_pool: [" + c.pool->to_string() + "]\n";
    return text;
}

} // namespace

bool ImportLines::next(std::vector<ImportWord>& words) {
    words.clear();
    while (words.empty() && !rest_.empty()) {
        ++line_;
        const std::size_t end = rest_.find('\n');
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        for (std::size_t at = line.find_first_not_of(separators_); at != std::string_view::npos;) {
            if (line[at] == '#') break;
            const std::size_t stop = std::min(line.find_first_of(separators_, at), line.size());
            words.push_back(
                {line.substr(at, stop - at), {line_, static_cast<std::uint32_t>(at + 1)}});
            at = line.find_first_not_of(separators_, stop);
        }
    }
    return !words.empty();
}

void add_pair(const ImportWord& ipv4, const ImportWord& ipv6, ImportRun& run) {
    const auto prefix4 = Ipv4Prefix::parse(ipv4.text);
    const auto prefix6 = Ipv6Prefix::parse(ipv6.text);
    if (!prefix4) run.error(ipv4.at, explain_bad_ipv4(ipv4.text, true));
    if (!prefix6) run.error(ipv6.at, explain_bad_ipv6(ipv6.text, true));
    if (prefix4 && prefix6) run.out.pairs.push_back({*prefix4, *prefix6, ipv4.at, ipv6.at});
}

void set_prefix(const ImportWord& word, unsigned length, ImportRun& run) {
    std::string text(word.text.substr(0, 100));
    if (length != 0 && text.find('/') == std::string::npos) text += '/' + std::to_string(length);
    const auto prefix = Ipv6Prefix::parse(text);
    if (!prefix) return run.error(word.at, explain_bad_ipv6(text, true));
    if (run.out.prefix)
        return run.error(word.at, "a second translation prefix, " + prefix->to_string() +
                                      "; there can be one");
    if (prefix->length() != 96 || !TranslationPrefix::from(*prefix))
        return run.error(word.at, "the translation prefix " + prefix->to_string() +
                                      " cannot be used: it must be a /96 whose bits 64 to 71 are "
                                      "zero (RFC 6052)");
    run.out.prefix = prefix;
}

void set_own_address(const ImportWord& word, ImportRun& run) {
    if (const auto a = Ipv4Address::parse(word.text)) {
        if (run.out.own4) return run.error(word.at, "a second IPv4 address of the translator");
        run.out.own4 = a;
    } else if (const auto b = Ipv6Address::parse(word.text)) {
        if (run.out.own6) return run.error(word.at, "a second IPv6 address of the translator");
        run.out.own6 = b;
    } else {
        run.error(word.at, quote(word.text) + " is not an address");
    }
}

std::optional<ImportFormat> import_format(std::string_view name) {
    if (name == "map646") return ImportFormat::map646;
    if (name == "tayga") return ImportFormat::tayga;
    if (name == "jool") return ImportFormat::jool;
    return std::nullopt;
}

ImportResult import_text(ImportFormat format, const std::string& name, std::string_view text) {
    ImportResult result;
    YamlReport report({name}, shown_lines);
    ImportRun run{result.content, report};
    if (const auto problem = find_bad_text(text)) {
        run.error(problem->at, problem->message);
    } else {
        const std::size_t first = text.find_first_not_of(" \t\r\n");
        const bool is_json = first != std::string_view::npos && text[first] == '{';
        if (format == ImportFormat::map646)
            import_map646(text, run);
        else if (format == ImportFormat::tayga)
            import_tayga(text, run);
        else
            (is_json ? import_jool_json : import_jool_lines)(text, run);
        settle(run);
    }
    result.errors = report.errors();
    result.warnings = report.warnings();
    report.finish(result.diagnostics);
    return result;
}

std::string mapping_file_of(const Imported& content) {
    std::string text;
    if (const std::string keys = main_keys(content, "#   "); !keys.empty())
        text = "# For the main file, xlat646.yaml:\n" + keys + "\n";
    text += "version: 1\n";
    if (content.pairs.empty()) return text + "mappings: []\n";
    text += "mappings:\n";
    for (const ImportedPair& pair : content.pairs)
        text += "  - { ipv4: " + text_of(pair.ipv4) + ", ipv6: \"" + text_of(pair.ipv6) + "\" }\n";
    return text;
}

std::string main_file_of(const Imported& content, const std::string& mapping_file) {
    std::string quoted;
    for (const char c : mapping_file) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return main_keys(content, "") + "mapping_files: [\"" + quoted + "\"]\n";
}

} // namespace xlat646
