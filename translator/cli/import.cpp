// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 import: files of other translators become ours.
#include "mapping/loader.hpp"
#include "translator/cli/command.hpp"
#include "translator/cli/import_formats.hpp"
#include "translator/cli/judged_files.hpp"
#include "translator/cli/text.hpp"
#include "translator/daemon/config.hpp"
#include "translator/daemon/config_files.hpp"
#include "translator/daemon/exit_status.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <iostream>
#include <sys/stat.h>
#include <unistd.h>

namespace xlat646 {
namespace {

namespace po = boost::program_options;

/// A new file, or none: what is there is never overwritten. False: said why.
bool write_new(const std::string& path, const std::string& text) {
    const auto fail = [&] {
        std::cerr << "xlat646 import: " << printable(path) << ": " << std::strerror(errno) << "\n";
        return false;
    };
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return fail();
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        done += static_cast<std::size_t>(n);
    }
    const bool is_whole = done == text.size();
    const int error = errno;
    if (::close(fd) == 0 && is_whole) return true;
    if (!is_whole) errno = error;
    const bool failed = fail();
    ::unlink(path.c_str());
    return failed;
}

/// How a main file calls a mapping file.
std::string name_beside(const std::string& mapping, const std::string& main) {
    const auto file = std::filesystem::absolute(mapping);
    return file.parent_path() == std::filesystem::absolute(main).parent_path()
               ? file.filename().string()
               : file.string();
}

std::string text_option(const po::variables_map& given, const char* name) {
    return given.count(name) == 0 ? std::string() : given[name].as<std::string>();
}

} // namespace

int run_import(const Words& words) {
    po::options_description options;
    options.add_options()                                                                 //
        ("from", po::value<std::string>()->value_name("FORMAT"), "map646, tayga or jool") //
        ("output,o", po::value<std::string>()->value_name("OUT"),
         "a new mapping file (default: the standard output)") //
        ("main", po::value<std::string>()->value_name("OUT"),
         "a new main file, too, if a translation prefix is found; needs --output") //
        ("strict", "write nothing if anything could not be taken over");
    const auto given =
        read_options(words, options,
                     "import --from FORMAT [OPTION]... FILE\nFILE is map646.conf, tayga.conf, "
                     "Jool's JSON, or what jool_siit eamt display --csv\nwrites; \"-\": the "
                     "standard input. Everything that could not be taken over is\nreported. Exit "
                     "status: 0 nothing is lost, 1 translations are lost (or, with\n--strict, "
                     "anything), 73 a file is in the way.",
                     "file");
    if (!given) return exit_status::fine;
    const auto format = import_format(text_option(*given, "from"));
    if (!format) throw po::error("--from needs map646, tayga or jool");
    const Words paths = given->count("file") == 0 ? Words() : (*given)["file"].as<Words>();
    if (paths.size() != 1) throw po::error("one FILE is needed");
    const std::string output = text_option(*given, "output");
    const std::string main_output = text_option(*given, "main");
    if (!main_output.empty() && output.empty()) throw po::error("--main needs --output");

    Diagnostics diagnostics;
    const std::size_t most = LoaderLimits().bytes;
    const auto file = paths[0] == "-" ? read_standard_input(most, diagnostics)
                                      : read_config_file(paths[0], most, diagnostics);
    if (!file) {
        print_diagnostics(diagnostics);
        return exit_status::configuration;
    }
    const ImportResult result = import_text(*format, file->path, file->text);
    print_diagnostics(result.diagnostics);
    const Imported& content = result.content;
    std::cerr << "xlat646 import: " << plural(content.pairs.size(), "mapping") << ", "
              << plural(result.errors, "error") << ", " << plural(result.warnings, "warning")
              << "\n";
    const bool is_whole = result.errors == 0;
    if (given->count("strict") != 0 && (!is_whole || result.warnings != 0))
        return exit_status::wrong;

    const std::string mapping = mapping_file_of(content);
    if (output.empty())
        std::cout << mapping;
    else if (!write_new(output, mapping))
        return exit_status::cannot_create;
    if (main_output.empty()) return is_whole ? exit_status::fine : exit_status::wrong;
    if (!content.prefix) {
        std::cerr << "xlat646 import: no main file: there is no usable translation prefix\n";
        return exit_status::wrong;
    }
    const std::string main_text = main_file_of(content, name_beside(output, main_output));
    Config config;
    diagnostics.clear();
    if (!parse_config(main_output, main_text, config, diagnostics)) {
        print_diagnostics(diagnostics);
        std::cerr << "xlat646 import: no main file: it would not be usable\n";
        return exit_status::wrong;
    }
    if (!write_new(main_output, main_text)) return exit_status::cannot_create;
    return is_whole ? exit_status::fine : exit_status::wrong;
}

} // namespace xlat646
