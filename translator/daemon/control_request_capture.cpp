// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/control_request_capture.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <pcap/pcap.h>

namespace xlat646 {
namespace {

using nlohmann::json;

constexpr std::size_t instruction_digits = 16; // code, two jumps, operand

struct Number {
    std::string_view key;
    std::uint32_t CaptureWish::*member;
    std::uint32_t most;
};
constexpr std::array<Number, 3> numbers = {
    {{"snap_length", &CaptureWish::snap_length, CaptureWish::most_bytes},
     {"rate", &CaptureWish::rate, CaptureWish::most_rate},
     {"seconds", &CaptureWish::seconds, CaptureWish::most_seconds}}};

struct Switch {
    std::string_view key;
    bool CaptureWish::*member;
};
constexpr std::array<Switch, 2> switches = {
    {{"drops", &CaptureWish::drops_only}, {"without_fastpath", &CaptureWish::without_fastpath}}};

std::string quoted(std::string_view key) { return "\"" + std::string(key) + "\""; }

template <class T> bool read_digits(std::string_view& text, T& out) {
    const std::string_view digits = text.substr(0, 2 * sizeof(T));
    text.remove_prefix(digits.size());
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
    return error == std::errc{} && end == digits.data() + digits.size();
}

template <class T> void write_digits(std::string& text, T number) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t shift = 8 * sizeof(T); shift != 0;)
        text += digits[std::uint32_t{number} >> (shift -= 4) & 15u];
}

/// bpf_validate() looks at parts of a code only, and bpf_filter() aborts at one that it does not
/// know.
bool is_known(const FilterInstruction& i) {
    const std::uint16_t x_or_k = i.code & BPF_X;
    switch (i.code & ~BPF_X) {
    case BPF_ALU | BPF_LSH:
    case BPF_ALU | BPF_RSH: return x_or_k == BPF_X || i.operand < 32;
    case BPF_ALU | BPF_ADD:
    case BPF_ALU | BPF_SUB:
    case BPF_ALU | BPF_MUL:
    case BPF_ALU | BPF_DIV:
    case BPF_ALU | BPF_MOD:
    case BPF_ALU | BPF_AND:
    case BPF_ALU | BPF_OR:
    case BPF_ALU | BPF_XOR:
    case BPF_JMP | BPF_JGT:
    case BPF_JMP | BPF_JGE:
    case BPF_JMP | BPF_JEQ:
    case BPF_JMP | BPF_JSET: return true;
    default: break;
    }
    switch (i.code) {
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_H | BPF_ABS:
    case BPF_LD | BPF_B | BPF_ABS:
    case BPF_LD | BPF_W | BPF_IND:
    case BPF_LD | BPF_H | BPF_IND:
    case BPF_LD | BPF_B | BPF_IND:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_MSH | BPF_B:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
    case BPF_ALU | BPF_NEG:
    case BPF_JMP | BPF_JA:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA: return true;
    default: return false;
    }
}

std::string read_filter(std::string_view text, std::vector<FilterInstruction>& out) {
    constexpr auto bad = "\"filter\" is no program of classic BPF";
    if (text.size() % instruction_digits != 0) return bad;
    if (text.size() / instruction_digits > CaptureWish::most_instructions)
        return "\"filter\" is longer than " + std::to_string(CaptureWish::most_instructions) +
               " instructions";
    std::vector<bpf_insn> raw;
    for (out.clear(); !text.empty();) {
        FilterInstruction i;
        if (!read_digits(text, i.code) || !read_digits(text, i.jump_true) ||
            !read_digits(text, i.jump_false) || !read_digits(text, i.operand))
            return bad;
        if (!is_known(i)) return bad;
        out.push_back(i);
        raw.push_back({i.code, i.jump_true, i.jump_false, i.operand});
    }
    // An empty one lets everything through.
    if (!raw.empty() && bpf_validate(raw.data(), static_cast<int>(raw.size())) == 0) return bad;
    return {};
}

} // namespace

bool is_capture_key(std::string_view key) {
    const auto is_it = [&](const auto& known) { return known.key == key; };
    return key == "filter" || key == "reason" ||
           std::any_of(numbers.begin(), numbers.end(), is_it) ||
           std::any_of(switches.begin(), switches.end(), is_it);
}

std::string read_capture_value(std::string_view key, const json& value, CaptureWish& wish) {
    for (const Number& n : numbers) {
        if (n.key != key) continue;
        const bool is_good = value.is_number_unsigned() && value.get<std::uint64_t>() >= 1 &&
                             value.get<std::uint64_t>() <= n.most;
        if (!is_good) return quoted(key) + " is not a number from 1 to " + std::to_string(n.most);
        wish.*n.member = value.get<std::uint32_t>();
        return {};
    }
    for (const Switch& s : switches) {
        if (s.key != key) continue;
        if (!value.is_boolean()) return quoted(key) + " is not true or false";
        wish.*s.member = value.get<bool>();
        return {};
    }
    if (!value.is_string()) return quoted(key) + " is not a string";
    const auto& text = value.get_ref<const std::string&>();
    if (key == "filter") return read_filter(text, wish.filter);
    const auto* const found = std::find(drop_reason_names.begin(), drop_reason_names.end(), text);
    if (found == drop_reason_names.end()) return "\"reason\" is none of those of xlat646 drops";
    wish.reason = static_cast<DropReason>(found - drop_reason_names.begin());
    return {};
}

void write_capture_values(const CaptureWish& wish, json& request) {
    for (const Number& n : numbers)
        request[std::string(n.key)] = wish.*n.member;
    for (const Switch& s : switches)
        if (wish.*s.member) request[std::string(s.key)] = true;
    if (wish.reason) request["reason"] = name_of(*wish.reason);
    if (wish.filter.empty()) return;
    std::string text;
    for (const FilterInstruction& i : wish.filter) {
        write_digits(text, i.code);
        write_digits(text, i.jump_true);
        write_digits(text, i.jump_false);
        write_digits(text, i.operand);
    }
    request["filter"] = text;
}

} // namespace xlat646
