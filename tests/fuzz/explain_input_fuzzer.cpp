// SPDX-License-Identifier: BSD-2-Clause
//
// Any text for `xlat646 explain --hex`, and what it makes of the packet. The first byte: as text,
// or the rest as the packet itself.
#include "tests/support/golden.hpp"
#include "translator/explain/explanation.hpp"
#include "translator/explain/packet_fields.hpp"
#include "translator/explain/packet_input.hpp"

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace {

using namespace xlat646;

void require(bool condition) {
    if (!condition) std::abort();
}

const test::GoldenConfig& config() {
    static const test::GoldenConfig made = test::make_config(nlohmann::json::parse(R"({
        "pairs": [["192.0.2.1/32", "2001:db8:1::10/128"], ["192.0.2.2/32", "2001:db8:1::20/128"]],
        "pool4": ["192.0.0.9"]})"));
    return made;
}

void check(const std::vector<std::uint8_t>& packet) {
    (void)fields_of(packet);
    const Explanation e = explain(packet, config().settings, *config().table);
    require(e.packets.empty() == (e.outcome.verdict() == Verdict::drop));
    require(!e.outcome.is_forward() || (!e.rules.empty() && e.pair != nullptr) ||
            e.direction == Direction::v6_to_v4); // a router's error has no pair
    for (const PacketBytes& sent : e.packets)
        require(fields_of(sent).size() > 8);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 2 != 0) {
        if (size > 1 && size <= 65536) check({data + 1, data + size});
        return 0;
    }
    try {
        const InputPacket packet = packet_from_hex(text);
        require(!packet.bytes.empty() && packet.bytes.size() <= 65535);
        check(packet.bytes);
    } catch (const BadInput& e) {
        const std::string_view why = e.what();
        require(!why.empty() && why.size() < 100 && why.find('\n') == std::string_view::npos);
    }
    return 0;
}
