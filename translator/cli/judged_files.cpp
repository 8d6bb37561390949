// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/judged_files.hpp"

#include "translator/cli/text.hpp"
#include "translator/daemon/config_files.hpp"
#include "translator/daemon/config_tree.hpp"
#include "translator/daemon/table_loader.hpp"

#include <iostream>
#include <span>

namespace xlat646 {
namespace {

std::optional<FileText> read_any(const std::string& path, std::size_t most_bytes,
                                 Diagnostics& diagnostics) {
    return path == "-" ? read_standard_input(most_bytes, diagnostics)
                       : read_config_file(path, most_bytes, diagnostics);
}

bool has_line_with_key(std::string_view text, std::string_view key) {
    for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1))
        if (at == 0 || text[at - 1] == '\n') return true;
    return false;
}

/// A file that cannot be read as YAML has a kind, too: the errors should be those of its reader.
FileKind kind_of(std::string_view text) {
    if (text.size() > config_file_limit) return FileKind::mapping;
    YamlReport report({""});
    ConfigNode root;
    const bool is_mapping = read_config_tree(text, report, root)
                                ? root.has("mappings") && !root.has("translation_prefix")
                                : has_line_with_key(text, "mappings:") &&
                                      !has_line_with_key(text, "translation_prefix:");
    return is_mapping ? FileKind::mapping : FileKind::main;
}

bool load_list(std::span<const FileText> files, const LoaderRules* rules, MappingList& list,
               Diagnostics& diagnostics) {
    return load_mappings(loader_inputs(files), rules, LoaderLimits(), list, diagnostics);
}

bool parse_main(const FileText& file, JudgedFiles& out, Diagnostics& diagnostics) {
    out.main.emplace().text = file.text;
    return parse_config(file.path, file.text, out.main->config, diagnostics);
}

bool judge_main(const FileQuestion& question, const FileText& file, JudgedFiles& out,
                Diagnostics& diagnostics) {
    if (!parse_main(file, out, diagnostics)) return false;
    const Config& config = out.main->config;
    const FilesOfUser user(file.path, config, Directories::are_named, diagnostics);
    std::vector<std::string> paths; // not of drafts, which lie where nobody will read them
    std::optional<std::vector<FileText>> files;
    if (question.mapping_files.empty()) {
        files = read_mapping_files(question.main_path.empty() ? file.path : question.main_path,
                                   config.mapping_files, LoaderLimits().bytes, diagnostics,
                                   user.rules());
        if (files)
            for (const FileText& f : *files)
                paths.push_back(f.path);
    } else {
        files.emplace();
        for (const std::string& path : question.mapping_files) {
            auto read = read_any(path, LoaderLimits().bytes, diagnostics);
            if (!read) return false;
            files->push_back(std::move(*read));
        }
    }
    if (!files) return false;
    const LoaderRules rules = config.loader_rules();
    return load_list(*files, &rules, out.list, diagnostics) &&
           user.can_be_read(std::move(paths), diagnostics);
}

} // namespace

bool judge_files(const FileQuestion& question, JudgedFiles& out, Diagnostics& diagnostics) {
    const std::size_t most =
        question.kind == FileKind::main ? config_file_limit : LoaderLimits().bytes;
    std::optional<FileText> file = read_any(question.path, most, diagnostics);
    if (!file) return false;
    const FileKind kind = question.kind == FileKind::unknown ? kind_of(file->text) : question.kind;
    if (kind == FileKind::main) return judge_main(question, *file, out, diagnostics);
    return load_list({&*file, 1}, question.rules, out.list, diagnostics);
}

bool judge_main_alone(const std::string& path, JudgedFiles& out, Diagnostics& diagnostics) {
    const auto file = read_any(path, config_file_limit, diagnostics);
    return file && parse_main(*file, out, diagnostics);
}

void print_diagnostics(const Diagnostics& diagnostics) {
    for (const Diagnostic& d : diagnostics)
        std::cerr << printable(d.to_string()) << "\n";
}

} // namespace xlat646
