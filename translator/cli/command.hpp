// SPDX-License-Identifier: BSD-2-Clause
//
// Subcommands of xlat646. Each gets its own words, returns an exit status, and throws
// boost::program_options::error when the words make no sense, Unreachable when no daemon answers,
// any other exception when it cannot go on.
#pragma once

#include <boost/program_options.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xlat646 {

using Words = std::vector<std::string>;

int run_status(const Words& words);
int run_reload(const Words& words);
int run_restart(const Words& words);
int run_check(const Words& words);
int run_bird_config(const Words& words);
int run_drain(const Words& words);
int run_undrain(const Words& words);
int run_top(const Words& words);
int run_mappings(const Words& words);
int run_drops(const Words& words);
int run_diff(const Words& words);
int run_lookup(const Words& words);
int run_explain(const Words& words);
int run_import(const Words& words);
int run_capture(const Words& words);

/// Reads the options of a subcommand. nullopt: --help was asked for and printed. Words that are no
/// options go to `operands`, an option of the caller's; nullptr: there must be none.
std::optional<boost::program_options::variables_map>
read_options(const Words& words, const boost::program_options::options_description& options,
             const char* usage, const char* operands = nullptr);

/// An option that is a number, nothing less strict; `fallback`: not given.
std::uint32_t number_option(const boost::program_options::variables_map& given, const char* name,
                            std::uint32_t fallback);

/// --config, for subcommands that work without the daemon.
void add_config_option(boost::program_options::options_description& options);

/// --socket and --timeout, with the time that suits the subcommand.
void add_socket_options(boost::program_options::options_description& options,
                        unsigned default_seconds);

} // namespace xlat646
