// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/table_loader.hpp"

#include "mapping/digest.hpp"
#include "mapping/loader.hpp"
#include "translator/daemon/config_files.hpp"

#include <chrono>
#include <random>

namespace xlat646 {

LoadedTable load_table(const std::string& config_path, const Config& config,
                       const MappingTable* previous, Diagnostics& diagnostics) {
    const auto start = std::chrono::steady_clock::now();
    LoadedTable loaded;
    const LoaderLimits limits;
    auto files = read_mapping_files(config_path, config.mapping_files, limits.bytes, diagnostics);
    if (!files) return loaded;
    const LoaderRules rules = config.loader_rules();
    MappingList list;
    if (!load_mappings(loader_inputs(*files), &rules, limits, list, diagnostics)) return loaded;
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

bool load_configuration(const std::string& config_path, LoadedConfiguration& out,
                        Diagnostics& diagnostics) {
    auto file = read_config_file(config_path, config_file_limit, diagnostics);
    if (!file || !parse_config(config_path, file->text, out.config, diagnostics)) return false;
    out.text = std::move(file->text);
    out.table = load_table(config_path, out.config, nullptr, diagnostics);
    return out.table.table != nullptr;
}

std::string guard_against_loss(const MappingDiff& diff, std::size_t pairs, std::uint32_t percent) {
    if (percent == 0 || pairs == 0 || diff.removed * 100 <= pairs * percent) return {};
    return "the new files remove " + std::to_string(diff.removed) + " of " + std::to_string(pairs) +
           " mappings, more than reload_guard: " + std::to_string(percent) +
           " percent allows (xlat646 reload --force, or SIGUSR2, reloads all the same)";
}

} // namespace xlat646
