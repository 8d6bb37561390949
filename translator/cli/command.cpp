// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/command.hpp"

#include "translator/daemon/config.hpp"

#include <charconv>
#include <iostream>

namespace xlat646 {

namespace po = boost::program_options;

std::optional<po::variables_map> read_options(const Words& words,
                                              const po::options_description& options,
                                              const char* usage, const char* operands) {
    po::options_description all("Options");
    all.add_options()("help,h", "print this and exit");
    po::options_description hidden;
    po::positional_options_description positional;
    if (operands != nullptr) {
        hidden.add_options()(operands, po::value<Words>());
        positional.add(operands, -1);
    }
    all.add(options);
    po::options_description known;
    known.add(all).add(hidden);
    namespace style = po::command_line_style;
    po::variables_map given;
    po::store(po::command_line_parser(words)
                  .options(known)
                  .positional(positional)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              given);
    po::notify(given);
    if (given.count("help") == 0) return given;
    std::cout << "Usage: xlat646 " << usage << "\n\n" << all;
    return std::nullopt;
}

std::uint32_t number_option(const po::variables_map& given, const char* name,
                            std::uint32_t fallback) {
    if (given.count(name) == 0) return fallback;
    const auto& text = given[name].as<std::string>();
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size())
        throw po::error(std::string("--") + name + " needs a number");
    return number;
}

void add_config_option(po::options_description& options) {
    options.add_options() //
        ("config,c",
         po::value<std::string>()->value_name("FILE")->default_value("/etc/xlat646/xlat646.yaml"),
         "main file");
}

void add_socket_options(po::options_description& options, unsigned default_seconds) {
    options.add_options() //
        ("socket",
         po::value<std::string>()->value_name("PATH")->default_value(default_control_socket),
         "the daemon's control_socket") //
        ("timeout", po::value<unsigned>()->value_name("SECONDS")->default_value(default_seconds),
         "how long to wait for the answer");
}

} // namespace xlat646
