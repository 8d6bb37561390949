// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes from a client of the control socket; the first one says in what pieces they come.
#include "translator/daemon/control_request.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <pcap/pcap.h>
#include <vector>

namespace {

using namespace xlat646;
using State = RequestBuffer::State;

void require(bool condition) {
    if (!condition) std::abort();
}

State feed(RequestBuffer& buffer, std::string_view bytes, std::size_t piece) {
    State state = State::incomplete;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        state = buffer.add(bytes.substr(0, piece));
        require(buffer.line().size() < RequestBuffer::longest);
    }
    return state;
}

/// What has been checked comes to an end, whatever the packet.
void run_filter(const std::vector<FilterInstruction>& filter, std::string_view packet) {
    std::vector<bpf_insn> raw;
    for (const FilterInstruction& i : filter)
        raw.push_back({i.code, i.jump_true, i.jump_false, i.operand});
    if (raw.empty()) return;
    // A copy of just that size: to read behind it is an error that the sanitizer sees.
    const std::vector<u_char> bytes(packet.begin(), packet.end());
    const auto length = static_cast<u_int>(bytes.size());
    (void)bpf_filter(raw.data(), bytes.data(), length, length);
}

void check(std::string_view line) {
    const auto parsed = parse_request(line);
    if (const auto* request = std::get_if<ControlRequest>(&parsed)) {
        // What was understood can be said again, and means the same.
        std::string again = request_line(*request);
        require(again.back() == '\n');
        again.pop_back();
        require(parse_request(again) == parsed);
        run_filter(request->capture.filter, line);
        return;
    }
    // A client must be able to read what is wrong, in few words, on one line.
    const std::string answer = error_answer(std::get<std::string>(parsed));
    require(answer.find('\n') == answer.size() - 1 && answer.size() < 1000);
    const auto document = nlohmann::json::parse(answer, nullptr, false);
    require(document.is_object() && document.size() == 1 && document.contains("error"));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = data[0] + std::size_t{1};
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    RequestBuffer whole;
    RequestBuffer pieces;
    const State state = feed(whole, bytes, bytes.size());
    require(feed(pieces, bytes, piece) == state);
    if (state != State::complete) return 0;
    require(whole.line() == pieces.line());
    require(whole.line() == bytes.substr(0, bytes.find('\n')));
    check(whole.line());
    return 0;
}
