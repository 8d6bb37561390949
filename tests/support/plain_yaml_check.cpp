// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/plain_yaml_check.hpp"

#include "mapping/plain_yaml.hpp"

namespace xlat646::test {

namespace {

class EventText final : public YamlEvents {
  public:
    void scalar(TextPosition at, std::string_view value, ScalarKind kind) override {
        static constexpr const char* words[] = {"plain ", "quoted ", "null ", "refused "};
        add(at, words[static_cast<std::size_t>(kind)] + std::string(value));
    }
    void begin_map(TextPosition at) override { add(at, "map"); }
    void end_map() override { text += "end of map\n"; }
    void begin_list(TextPosition at) override { add(at, "list"); }
    void end_list() override { text += "end of list\n"; }

    std::string text;

  private:
    void add(TextPosition at, const std::string& what) {
        text += std::to_string(at.line) + ':' + std::to_string(at.column) + ' ' + what + '\n';
    }
};

} // namespace

PlainYamlVerdict check_plain_yaml(std::string_view text) {
    PlainYamlVerdict verdict;
    EventText fast;
    verdict.is_plain = read_plain_yaml(text, fast);
    verdict.events = fast.text;
    if (!verdict.is_plain) {
        if (!fast.text.empty()) verdict.disagreement = "events of a text that is not plain";
        return verdict;
    }
    EventText slow;
    YamlReport report({"text"});
    const bool good = read_yaml_by_library(text, {text.size(), plain_yaml_depth}, 0, slow, report);
    Diagnostics diagnostics;
    report.finish(diagnostics);
    if (!good || !diagnostics.empty())
        verdict.disagreement =
            "refused: " + (diagnostics.empty() ? "" : diagnostics.front().to_string());
    else if (fast.text != slow.text)
        verdict.disagreement = "yaml-cpp reads:\n" + slow.text;
    return verdict;
}

} // namespace xlat646::test
