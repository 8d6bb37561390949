// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 explain: one packet, step by step through the rules.
#include "translator/cli/command.hpp"
#include "translator/cli/explain_text.hpp"
#include "translator/cli/judged_files.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/explain/packet_input.hpp"
#include "translator/stats/segment_json.hpp"

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>

namespace xlat646 {
namespace {

namespace po = boost::program_options;

constexpr std::size_t longest_text = std::size_t{1} << 20;

std::string read_standard_input() {
    std::string text;
    for (char c; text.size() <= longest_text && std::cin.get(c);)
        text += c;
    if (text.size() > longest_text) throw BadInput("more than 1 MiB of text");
    return text;
}

InputPacket read_packet(const po::variables_map& given) {
    if (given.count("hex") != 0) {
        const auto text = given["hex"].as<std::string>();
        return packet_from_hex(text == "-" ? read_standard_input() : text);
    }
    const std::uint32_t number = number_option(given, "packet", 1);
    if (number == 0) throw po::error("packets are counted from 1");
    return packet_from_capture(given["pcap"].as<std::string>(), number);
}

} // namespace

int run_explain(const Words& words) {
    po::options_description options;
    add_config_option(options);
    options.add_options() //
        ("mapping,m", po::value<Words>()->composing()->value_name("FILE"),
         "mapping files instead of those that the main file names; may be repeated") //
        ("hex", po::value<std::string>()->value_name("DIGITS"),
         "the packet, or an Ethernet frame, in hexadecimal digits; -: from the standard input, "
         "also as tcpdump -x prints it") //
        ("pcap", po::value<std::string>()->value_name("FILE"),
         "a packet of a pcap or pcapng file; -: the standard input")                         //
        ("packet", po::value<std::string>()->value_name("N"), "which one, from 1 (default)") //
        ("json", "as JSON");
    const auto given = read_options(
        words, options,
        "explain [OPTION]... --hex DIGITS | --pcap FILE\nWhat the translator does with a packet: "
        "the rules that it passes, and what leaves.\nBy the files; nothing is sent. Exit status: 0 "
        "translated, 1 answered or discarded,\n65 no packet, 78 the files are not usable.");
    if (!given) return exit_status::fine;
    if (given->count("hex") + given->count("pcap") != 1)
        throw po::error("one of --hex and --pcap is needed");
    if (given->count("packet") != 0 && given->count("pcap") == 0)
        throw po::error("--packet is for --pcap");

    InputPacket packet;
    try {
        packet = read_packet(*given);
    } catch (const BadInput& e) {
        std::cerr << "xlat646 explain: " << e.what() << "\n";
        return exit_status::bad_input;
    }
    FileQuestion question{(*given)["config"].as<std::string>(), FileKind::main, {}, {}, nullptr};
    if (given->count("mapping") != 0) question.mapping_files = (*given)["mapping"].as<Words>();
    JudgedFiles files;
    Diagnostics diagnostics;
    if (!judge_files(question, files, diagnostics)) {
        print_diagnostics(diagnostics);
        return exit_status::configuration;
    }
    const auto table = MappingTable::build(std::move(files.list), nullptr, std::random_device()());
    const Explanation explanation = explain(packet.bytes, files.main->config.settings, *table);
    if (given->count("json") != 0)
        std::cout << to_text(explanation_json(packet, explanation, table->list()), 2) << "\n";
    else
        std::cout << explanation_text(packet, explanation, table->list());
    return explanation.outcome.is_forward() ? exit_status::fine : exit_status::wrong;
}

} // namespace xlat646
