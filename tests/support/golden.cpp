// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/golden.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace xlat646::test {
namespace {

using nlohmann::json;

template <class T> T parsed(const std::string& text) {
    const auto value = T::parse(text);
    if (!value) throw std::runtime_error("bad address " + text);
    return *value;
}

Bytes bytes_of(const json& j) {
    if (j.is_string()) return from_hex(j.get<std::string>());
    if (j.is_array()) {
        Bytes all;
        for (const json& part : j) {
            const Bytes b = bytes_of(part);
            all.insert(all.end(), b.begin(), b.end());
        }
        return all;
    }
    if (j.contains("repeat")) {
        const Bytes unit = from_hex(j["repeat"][0].get<std::string>());
        Bytes all;
        for (std::size_t n = j["repeat"][1].get<std::size_t>(); n > 0; --n)
            all.insert(all.end(), unit.begin(), unit.end());
        return all;
    }
    Bytes all(j.at("count").get<std::size_t>());
    auto b = j.at("start").get<std::uint8_t>();
    for (auto& byte : all)
        byte = b++;
    return all;
}

OffloadHeader offload_of(const json& j) {
    OffloadHeader o;
    o.flags = j.value("flags", std::uint8_t{0});
    o.gso_type = j.value("gso_type", std::uint8_t{0});
    o.header_length = j.value("hdr_len", std::uint16_t{0});
    o.gso_size = j.value("gso_size", std::uint16_t{0});
    o.checksum_start = j.value("csum_start", std::uint16_t{0});
    o.checksum_offset = j.value("csum_offset", std::uint16_t{0});
    return o;
}

void add_overrides(const json& list, bool allow, std::vector<Ipv4Override>& v4,
                   std::vector<Ipv6Override>& v6) {
    for (const json& item : list) {
        const auto text = item.get<std::string>();
        if (const auto p4 = Ipv4Prefix::parse(text))
            v4.push_back({*p4, allow});
        else if (const auto p6 = Ipv6Prefix::parse(text))
            v6.push_back({*p6, allow});
        else {
            const auto block = std::find_if(ipv4_blocks().begin(), ipv4_blocks().end(),
                                            [&](const Ipv4Block& b) { return b.name == text; });
            const auto block6 = std::find_if(ipv6_blocks().begin(), ipv6_blocks().end(),
                                             [&](const Ipv6Block& b) { return b.name == text; });
            if (block != ipv4_blocks().end())
                v4.push_back({block->prefix, allow});
            else if (block6 != ipv6_blocks().end())
                v6.push_back({block6->prefix, allow});
            else
                throw std::runtime_error("no such block: " + text);
        }
    }
}

std::uint64_t test_clock() { return 1000; }

} // namespace

Bytes from_hex(const std::string& text) {
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
    return bytes;
}

std::string to_hex(const Bytes& bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t b : bytes) {
        text += digits[b >> 4];
        text += digits[b & 15];
    }
    return text;
}

GoldenConfig make_config(const json& c) {
    GoldenConfig config;
    Settings& s = config.settings;
    s.prefix = *TranslationPrefix::from(
        parsed<Ipv6Prefix>(c.value("prefix", std::string("2001:db8:64::/96"))));
    s.own4 = parsed<Ipv4Address>(c.value("own4", std::string("192.0.0.8")));
    s.own6 = c.contains("own6") ? parsed<Ipv6Address>(c["own6"].get<std::string>())
                                : s.prefix.embed(s.own4);
    for (const json& a : c.value("pool4", json::array()))
        s.pool4.push_back(parsed<Ipv4Address>(a.get<std::string>()));
    s.mtu4 = c.value("mtu4", s.mtu4);
    s.mtu6 = c.value("mtu6", s.mtu6);
    s.lowest_ipv6_mtu = c.value("lowest_ipv6_mtu", s.lowest_ipv6_mtu);

    const auto profile = c.value("profile", std::string("any"));
    std::vector<Ipv4Override> overrides4;
    std::vector<Ipv6Override> overrides6;
    add_overrides(c.value("allow", json::array()), true, overrides4, overrides6);
    add_overrides(c.value("deny", json::array()), false, overrides4, overrides6);
    const Profile p = profile == "internet"  ? Profile::internet
                      : profile == "private" ? Profile::private_
                                             : Profile::any;
    s.clients4 = Ipv4Classifier(p, overrides4);
    s.routers6 = Ipv6Classifier(p, overrides6);

    const auto unmapped = c.value("unmapped", std::string("reject"));
    s.unmapped = unmapped == "drop"          ? UnmappedPolicy::drop
                 : unmapped == "reject_host" ? UnmappedPolicy::reject_host
                                             : UnmappedPolicy::reject;
    if (c.value("udp_zero_checksum", std::string("compute")) == "drop")
        s.udp_zero_checksum = UdpZeroChecksum::drop;
    if (c.contains("traffic_class") && c["traffic_class"].is_number())
        s.dscp = c["traffic_class"].get<std::uint8_t>();
    if (c.contains("tcp_mss_clamp")) {
        const json& m = c["tcp_mss_clamp"];
        if (m.is_number())
            s.tcp_mss_clamp = {MssClamp::Mode::fixed, m.get<std::uint16_t>()};
        else if (m == "auto")
            s.tcp_mss_clamp = {MssClamp::Mode::automatic, 0};
    }
    s.hairpin = c.value("hairpin", true);
    s.drop_spoofed_pairs = c.value("drop_spoofed_pairs", true);
    s.map_icmpv6_policy_codes = c.value("icmpv6_policy_codes", false);
    s.icmp4_error_size = c.value("icmp4_error_size", s.icmp4_error_size);
    s.append_original_source = c.value("append_original_source", s.append_original_source);
    s.send_unreachable = c.value("send_unreachable", true);
    s.send_parameter_problem = c.value("send_parameter_problem", true);
    s.icmp_rate.per_second = c.value("per_second", s.icmp_rate.per_second);
    s.icmp_rate.burst = c.value("burst", s.icmp_rate.burst);
    s.icmp_rate.per_source_per_second =
        c.value("per_source_per_second", s.icmp_rate.per_source_per_second);
    s.icmp_rate.per_source_burst = c.value("per_source_burst", s.icmp_rate.per_source_burst);
    s.secrets = {0x0123456789abcdef, 0xfedcba9876543210, 0x1122334455667788, 0x99aabbccddeeff00};
    s.now_ms = test_clock;

    MappingList list;
    for (const json& pair : c.value("pairs", json::array())) {
        Eam eam;
        eam.ipv4 = parsed<Ipv4Prefix>(pair[0].get<std::string>());
        eam.ipv6 = parsed<Ipv6Prefix>(pair[1].get<std::string>());
        list.mappings.push_back(eam);
    }
    config.table = MappingTable::build(std::move(list), nullptr, 42);
    return config;
}

std::vector<GoldenRow> load_golden(const std::string& path) {
    std::ifstream stream(path);
    if (!stream) throw std::runtime_error("cannot open " + path);
    const json file = json::parse(stream);
    std::map<std::string, std::shared_ptr<const GoldenConfig>> configs;
    for (const auto& [name, config] : file.at("configs").items())
        configs[name] = std::make_shared<const GoldenConfig>(make_config(config));

    std::vector<GoldenRow> rows;
    for (const json& r : file.at("rows")) {
        GoldenRow row;
        row.file = path.substr(path.rfind('/') + 1);
        row.description = r.at("description").get<std::string>();
        try {
            row.requirements = r.at("requirement").get<std::vector<std::string>>();
            row.config = configs.at(r.at("config").get<std::string>());
            row.direction = r.at("direction") == "4to6" ? Direction::v4_to_v6 : Direction::v6_to_v4;
            row.in = bytes_of(r.at("in"));
            row.offload = offload_of(r.value("offload", json::object()));
            row.outcome = r.at("outcome").get<std::string>();
            const json reason = r.value("reason", json());
            if (reason.is_string())
                row.reasons = {reason.get<std::string>()};
            else if (reason.is_array())
                row.reasons = reason.get<std::vector<std::string>>();
            for (const json& out : r.value("out", json::array()))
                row.out.push_back(bytes_of(out));
            for (const json& mask : r.value("mask", json::array()))
                row.masks.push_back(mask.get<Ranges>());
            row.masks.resize(row.out.size());
            for (const json& o : r.value("out_offload", json::array()))
                row.out_offloads.push_back(offload_of(o));
            row.out_offloads.resize(row.out.size());
        } catch (const std::exception& e) {
            throw std::runtime_error(path + ": " + row.description + ": " + e.what());
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

TestBuffer::TestBuffer(const Bytes& bytes, const OffloadHeader& offload)
    : storage_(packet_headroom + bytes.size() + packet_tailroom, 0xa5) {
    packet.data = storage_.data() + packet_headroom;
    packet.length = bytes.size();
    packet.offload = offload;
    std::copy(bytes.begin(), bytes.end(), packet.data);
}

bool TestBuffer::is_inside() const {
    return packet.data >= storage_.data() &&
           packet.data + packet.length <= storage_.data() + storage_.size();
}

} // namespace xlat646::test
