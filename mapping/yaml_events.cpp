// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/yaml_events.hpp"

#include "mapping/plain_yaml.hpp"
#include "mapping/yaml_text.hpp"
#include "mapping/yaml_words.hpp"

#include <algorithm>
#include <exception>
#include <istream>
#include <limits>
#include <streambuf>
#include <string>
#include <vector>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace xlat646 {

namespace {

/// Lets an istream read a string without a copy.
class ViewBuffer final : public std::streambuf {
  public:
    explicit ViewBuffer(std::string_view text) {
        char* start = const_cast<char*>(text.data()); // a get area is never written to
        setg(start, start, start + text.size());
    }
};

/// Thrown through yaml-cpp to leave it; the reason has been reported.
struct StopReading {};

TextPosition position_of(const YAML::Mark& mark) {
    if (mark.is_null()) return {};
    return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

class Adapter final : public YAML::EventHandler {
  public:
    Adapter(YamlEvents& events, YamlReport& report, std::uint32_t file, unsigned max_depth)
        : events_(events), report_(report), file_(file), max_depth_(max_depth) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (documents_++ == 0) return;
        report_.error(file_, position_of(mark), "a second document; only one is allowed in a file");
        throw StopReading{};
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        events_.scalar(position_of(mark), {}, ScalarKind::null);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        const TextPosition at = position_of(mark);
        report_.error(file_, at, "aliases (*name) are not supported; write the value out");
        events_.scalar(at, {}, ScalarKind::refused);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& value) override {
        check_tag(mark, tag);
        events_.scalar(position_of(mark), value,
                       tag == "!" ? ScalarKind::quoted : ScalarKind::plain);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                         YAML::EmitterStyle::value style) override {
        check_tag(mark, tag);
        go_deeper(mark, style);
        events_.begin_list(position_of(mark));
    }
    void OnSequenceEnd() override {
        open_.pop_back();
        events_.end_list();
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                    YAML::EmitterStyle::value style) override {
        check_tag(mark, tag);
        go_deeper(mark, style);
        events_.begin_map(position_of(mark));
    }
    void OnMapEnd() override {
        open_.pop_back();
        events_.end_map();
    }
    void OnAnchor(const YAML::Mark& mark, const std::string&) override {
        report_.error(file_, position_of(mark), "anchors (&name) are not supported");
    }

    bool saw_document() const { return documents_ != 0; }
    /// The bracket of the innermost list or map that has not ended; line 0: none, or no bracket.
    TextPosition open_bracket() const { return open_.empty() ? TextPosition{} : open_.back(); }

  private:
    /// yaml-cpp says "?" for no tag and "!" for a quoted scalar without one.
    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (tag.empty() || tag == "?" || tag == "!") return;
        report_.error(file_, position_of(mark), "tags are not supported (" + quote(tag) + ")");
    }
    void go_deeper(const YAML::Mark& mark, YAML::EmitterStyle::value style) {
        open_.push_back(style == YAML::EmitterStyle::Flow ? position_of(mark) : TextPosition{});
        if (open_.size() <= max_depth_) return;
        report_.error(file_, position_of(mark),
                      "nested too deeply (more than " + std::to_string(max_depth_) + " levels)");
        throw StopReading{};
    }

    YamlEvents& events_;
    YamlReport& report_;
    std::uint32_t file_;
    unsigned max_depth_;
    std::vector<TextPosition> open_;
    unsigned documents_ = 0;
};

bool check_text(std::string_view& text, const YamlLimits& limits, std::uint32_t file,
                YamlReport& report) {
    constexpr std::size_t positions = std::numeric_limits<int>::max(); // yaml-cpp counts in int
    const std::size_t most = std::min(limits.bytes, positions);
    if (text.size() > most) {
        report.error(file, {},
                     "too large: " + std::to_string(text.size()) + " bytes, at most " +
                         std::to_string(most) + " are read");
        return false;
    }
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (const auto problem = find_bad_text(text)) {
        report.error(file, problem->at, problem->message);
        return false;
    }
    return true;
}

bool read(std::string_view text, const YamlLimits& limits, std::uint32_t file, YamlEvents& events,
          YamlReport& report, bool may_be_plain) {
    if (!check_text(text, limits, file, report)) return false;
    Adapter adapter(events, report, file, limits.depth);
    try {
        if (may_be_plain && read_plain_yaml(text, events)) return true;
        ViewBuffer buffer(text);
        std::istream stream(&buffer);
        YAML::Parser parser(stream);
        // The second call finds a second document, or rubbish behind the first.
        while (parser.HandleNextDocument(adapter)) {
        }
    } catch (const StopReading&) {
        return false;
    } catch (const YAML::Exception& e) {
        report.error(file, position_of(e.mark), "not valid YAML: " + e.msg);
        if (adapter.open_bracket().line != 0)
            report.note(file, adapter.open_bracket(), "in the brackets that open here");
        return false;
    } catch (const std::exception& e) {
        report.error(file, {}, std::string("cannot be read as YAML: ") + e.what());
        return false;
    }
    if (adapter.saw_document()) return true;
    report.error(file, {}, text.empty() ? "the file is empty" : "the file holds only comments");
    return false;
}

} // namespace

bool read_yaml(std::string_view text, const YamlLimits& limits, std::uint32_t file,
               YamlEvents& events, YamlReport& report) {
    return read(text, limits, file, events, report, limits.depth >= plain_yaml_depth);
}

bool read_yaml_by_library(std::string_view text, const YamlLimits& limits, std::uint32_t file,
                          YamlEvents& events, YamlReport& report) {
    return read(text, limits, file, events, report, false);
}

} // namespace xlat646
