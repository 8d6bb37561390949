// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/table_loader.hpp"

#include "mapping/digest.hpp"
#include "mapping/loader.hpp"
#include "translator/daemon/account.hpp"

#include <chrono>
#include <random>
#include <unistd.h>

namespace xlat646 {

LoadedTable load_table(const std::string& config_path, const Config& config,
                       const MappingTable* previous, Diagnostics& diagnostics,
                       const FileRules& rules) {
    const auto start = std::chrono::steady_clock::now();
    LoadedTable loaded;
    const LoaderLimits limits;
    auto files =
        read_mapping_files(config_path, config.mapping_files, limits.bytes, diagnostics, rules);
    if (!files) return loaded;
    for (const FileText& file : *files)
        loaded.files.push_back(file.path);
    const LoaderRules address_rules = config.loader_rules();
    MappingList list;
    if (!load_mappings(loader_inputs(*files), &address_rules, limits, list, diagnostics))
        return loaded;
    files.reset(); // the text is as large as the table

    loaded.diff = diff_mappings(previous ? previous->list() : MappingList{}, list);
    loaded.digest = digest(list, config.settings.prefix, config.settings.lowest_ipv6_mtu);
    std::random_device random;
    const std::uint64_t seed = (std::uint64_t{random()} << 32) | random();
    loaded.table = MappingTable::build(std::move(list), previous, seed);
    loaded.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return loaded;
}

bool load_main_file(const std::string& config_path, LoadedConfiguration& out,
                    Diagnostics& diagnostics, const FileRules& rules) {
    auto file = read_config_file(config_path, config_file_limit, diagnostics, rules);
    if (!file || !parse_config(config_path, file->text, out.config, diagnostics)) return false;
    out.text = std::move(file->text);
    return true;
}

FilesOfUser::FilesOfUser(const std::string& config_path, const Config& config,
                         Directories directories, Diagnostics& diagnostics)
    : config_path_(config_path), rules_{directories} {
    Accounts accounts;
    (void)find_accounts(config_path, config, Severity::warning, accounts, diagnostics);
    if (!accounts.daemon || ::geteuid() != 0) return;
    user_ = accounts.daemon;
    rules_.trust = {user_->user, user_->group};
}

bool FilesOfUser::can_be_read(std::vector<std::string> paths, Diagnostics& diagnostics) const {
    if (!user_) return true;
    // The main file may be a draft in a place of its own.
    paths.push_back(config_path_);
    bool is_good = true;
    for (const std::string& path : unreadable_for(*user_, paths)) {
        const bool is_main = path == config_path_;
        is_good = is_good && is_main;
        diagnostics.push_back({is_main ? Severity::warning : Severity::error, path, 0, 0,
                               "user " + user_->name +
                                   " of the daemon cannot read it; the file must be readable and "
                                   "its directories searchable for that user"});
    }
    return is_good;
}

bool load_configuration(const std::string& config_path, LoadedConfiguration& out,
                        Diagnostics& diagnostics, Directories directories) {
    if (!load_main_file(config_path, out, diagnostics, {directories})) return false;
    const FilesOfUser user(config_path, out.config, directories, diagnostics);
    out.table = load_table(config_path, out.config, nullptr, diagnostics, user.rules());
    return out.table.table != nullptr && user.can_be_read(out.table.files, diagnostics);
}

std::string guard_against_loss(const MappingDiff& diff, std::size_t pairs, std::uint32_t percent) {
    if (percent == 0 || pairs == 0 || diff.removed * 100 <= pairs * percent) return {};
    return "the new files remove " + std::to_string(diff.removed) + " of " + std::to_string(pairs) +
           " mappings, more than reload_guard: " + std::to_string(percent) +
           " percent allows (xlat646 reload --force, or SIGUSR2, reloads all the same)";
}

} // namespace xlat646
