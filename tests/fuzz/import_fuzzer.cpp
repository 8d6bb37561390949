// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as a file of another translator; the first one chooses which. Whatever comes out is a
// mapping file that the loader takes, beside a main file with which it goes together.
#include "mapping/loader.hpp"
#include "translator/cli/import_formats.hpp"
#include "translator/daemon/config.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace xlat646;

void require(bool condition) {
    if (!condition) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto format = static_cast<ImportFormat>(data[0] % 3);
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const ImportResult result = import_text(format, "file", text);
    require((result.errors != 0) == has_errors(result.diagnostics));

    Config config;
    Diagnostics diagnostics;
    const bool has_main =
        result.content.prefix &&
        parse_config("main", main_file_of(result.content, "m.yaml"), config, diagnostics);
    LoaderRules rules;
    if (has_main) rules = config.loader_rules();
    const std::string mapping = mapping_file_of(result.content);
    const LoaderInput input{"mapping", mapping};
    MappingList list;
    diagnostics.clear();
    require(load_mappings({&input, 1}, has_main ? &rules : nullptr, {}, list, diagnostics));
    require(list.mappings.size() == result.content.pairs.size());
    return 0;
}
