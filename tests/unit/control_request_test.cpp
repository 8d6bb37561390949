// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/control_request.hpp"

#include "tests/unit/catch.hpp"

#include <nlohmann/json.hpp>

namespace xlat646 {

namespace {

using Command = ControlRequest::Command;
using State = RequestBuffer::State;

std::string complaint(std::string_view line) {
    const auto parsed = parse_request(line);
    const auto* const text = std::get_if<std::string>(&parsed);
    return text != nullptr ? *text : "none";
}

} // namespace

TEST_CASE("control request: good ones, there and back", "[control]") {
    for (const ControlRequest& r : {ControlRequest{Command::status, false},
                                    {Command::reload, false},
                                    {Command::reload, true},
                                    {Command::restart, false}}) {
        std::string line = request_line(r);
        REQUIRE(line.ends_with("\n"));
        line.pop_back();
        CHECK(line.find('\n') == std::string::npos);
        const auto parsed = parse_request(line);
        REQUIRE(std::holds_alternative<ControlRequest>(parsed));
        CHECK(std::get<ControlRequest>(parsed) == r);
    }
    CHECK(complaint(" { \"force\" : false, \"command\" : \"status\" }\r") == "none");
}

TEST_CASE("control request: what is wrong is said", "[control]") {
    const struct {
        std::string_view line;
        std::string_view complaint;
    } rows[] = {
        {"", "the request is not JSON"},
        {"status", "the request is not JSON"},
        {"{\"command\":\"status\"", "the request is not JSON"},
        {"{\"command\":\"status\"} {}", "the request is not JSON"},
        {"{\"command\":\"\xff\"}", "the request is not JSON"},
        {"[\"status\"]", "the request is not a JSON object"},
        {"{}", "\"command\" is missing"},
        {"{\"force\":true}", "\"command\" is missing"},
        {"{\"command\":1}", "\"command\" is not a string"},
        {"{\"command\":\"stop\"}",
         "unknown command \"stop\"; known are status, reload, restart and capture"},
        {"{\"command\":\"status \"}",
         "unknown command \"status \"; known are status, reload, restart and capture"},
        {"{\"command\":\"status\",\"x\\n\":1}", "unknown key \"x\\n\""},
        {"{\"command\":\"reload\",\"force\":1}", "\"force\" is not true or false"},
        {"{\"command\":\"status\",\"force\":true}", "\"force\" belongs to the command reload"},
    };
    for (const auto& row : rows)
        CHECK(complaint(row.line) == row.complaint);
    // However long the name, and wherever its characters are cut.
    std::string name;
    for (int i = 0; i < 1000; ++i)
        name += "\u00e4";
    const std::string text = complaint("{\"command\":\"x" + name + "\"}");
    CHECK(text.size() < 120);
    CHECK(nlohmann::json::parse(error_answer(text)).at("error") == text);
    CHECK(complaint(std::string(4000, '[')) == "the request is not JSON");
}

TEST_CASE("control request: an answer holds any bytes", "[control]") {
    const std::string answer = error_answer("a\xff\n\"b\"");
    CHECK(answer == "{\"error\":\"a\ufffd\\n\\\"b\\\"\"}\n");
}

TEST_CASE("control request: a line in pieces", "[control]") {
    RequestBuffer whole;
    CHECK(whole.add("abc\n") == State::complete);
    CHECK(whole.line() == "abc");

    RequestBuffer pieces;
    for (const char c : std::string("abc"))
        CHECK(pieces.add({&c, 1}) == State::incomplete);
    CHECK(pieces.add("") == State::incomplete);
    CHECK(pieces.add("d\nmore\nlines") == State::complete);
    CHECK(pieces.line() == "abcd");
    CHECK(pieces.add("more\n") == State::complete);
    CHECK(pieces.line() == "abcd");

    RequestBuffer empty;
    CHECK(empty.add("\n") == State::complete);
    CHECK(empty.line().empty());
}

TEST_CASE("control request: the longest line", "[control]") {
    constexpr std::size_t longest = RequestBuffer::longest;
    RequestBuffer fits;
    CHECK(fits.add(std::string(longest - 1, 'x')) == State::incomplete);
    CHECK(fits.add("\n") == State::complete);
    CHECK(fits.line().size() == longest - 1);

    RequestBuffer at_once;
    CHECK(at_once.add(std::string(longest, 'x') + "\n") == State::too_long);
    CHECK(at_once.line().empty());

    RequestBuffer in_pieces;
    CHECK(in_pieces.add(std::string(longest - 1, 'x')) == State::incomplete);
    CHECK(in_pieces.add("x") == State::too_long);
    CHECK(in_pieces.add("\n") == State::too_long);
    CHECK(in_pieces.line().size() < longest);
}

} // namespace xlat646
