// SPDX-License-Identifier: BSD-2-Clause
//
// ICMP types and codes of one family in the other: matrix tables 3.1, 3.2, 7.1 and 7.2
// (RFC 7915 sections 4.2 and 5.2).
#pragma once

#include <array>
#include <cstdint>

namespace xlat646::icmp {

namespace v4 {
inline constexpr std::uint8_t echo_reply = 0;
inline constexpr std::uint8_t unreachable = 3;
inline constexpr std::uint8_t echo_request = 8;
inline constexpr std::uint8_t time_exceeded = 11;
inline constexpr std::uint8_t parameter_problem = 12;
inline constexpr std::uint8_t timestamp = 13;
inline constexpr std::uint8_t address_mask_reply = 18;

inline constexpr std::uint8_t code_host_unreachable = 1;
inline constexpr std::uint8_t code_fragmentation_needed = 4;
inline constexpr std::uint8_t code_source_route_failed = 5;
inline constexpr std::uint8_t code_prohibited = 13;

/// Messages about which no error may be sent: all but the known queries (G4-03).
constexpr bool is_error(std::uint8_t type) {
    return type != echo_reply && type != echo_request &&
           (type < timestamp || type > address_mask_reply);
}
} // namespace v4

namespace v6 {
inline constexpr std::uint8_t unreachable = 1;
inline constexpr std::uint8_t packet_too_big = 2;
inline constexpr std::uint8_t time_exceeded = 3;
inline constexpr std::uint8_t parameter_problem = 4;
inline constexpr std::uint8_t echo_request = 128;
inline constexpr std::uint8_t echo_reply = 129;
inline constexpr std::uint8_t redirect = 137;

inline constexpr std::uint8_t code_prohibited = 1;

constexpr bool is_error(std::uint8_t type) { return type < 128; }
} // namespace v6

/// What an error's second word becomes.
enum class Rest : std::uint8_t { unused, mtu, pointer, next_header_pointer };

struct Translated {
    bool exists = false;
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    Rest rest = Rest::unused;
};

/// Table 3.1, errors only.
constexpr Translated error_to_v6(std::uint8_t type, std::uint8_t code) {
    switch (type) {
    case v4::unreachable:
        switch (code) {
        case 2: return {true, v6::parameter_problem, 1, Rest::next_header_pointer};
        case 3: return {true, v6::unreachable, 4, Rest::unused};
        case 4: return {true, v6::packet_too_big, 0, Rest::mtu};
        case 9:
        case 10:
        case 13:
        case 15: return {true, v6::unreachable, 1, Rest::unused};
        case 0:
        case 1:
        case 5:
        case 6:
        case 7:
        case 8:
        case 11:
        case 12: return {true, v6::unreachable, 0, Rest::unused};
        default: return {};
        }
    case v4::time_exceeded: return {true, v6::time_exceeded, code, Rest::unused};
    case v4::parameter_problem:
        if (code == 0 || code == 2) return {true, v6::parameter_problem, 0, Rest::pointer};
        return {};
    default: return {};
    }
}

/// Table 7.1, errors only. `policy_codes`: 1/5 and 1/6 are translated too (I64-06).
constexpr Translated error_to_v4(std::uint8_t type, std::uint8_t code, bool policy_codes) {
    switch (type) {
    case v6::unreachable:
        switch (code) {
        case 0:
        case 2:
        case 3: return {true, v4::unreachable, 1, Rest::unused};
        case 1: return {true, v4::unreachable, 10, Rest::unused};
        case 4: return {true, v4::unreachable, 3, Rest::unused};
        case 5:
        case 6:
            if (policy_codes) return {true, v4::unreachable, 10, Rest::unused};
            return {};
        default: return {};
        }
    case v6::packet_too_big: return {true, v4::unreachable, 4, Rest::mtu};
    case v6::time_exceeded: return {true, v4::time_exceeded, code, Rest::unused};
    case v6::parameter_problem:
        if (code == 0) return {true, v4::parameter_problem, 0, Rest::pointer};
        if (code == 1) return {true, v4::unreachable, 2, Rest::unused};
        return {};
    default: return {};
    }
}

/// Types that may carry an RFC 4884 extension (X84-01).
constexpr bool is_extensible_v4(std::uint8_t type) {
    return type == v4::unreachable || type == v4::time_exceeded || type == v4::parameter_problem;
}
constexpr bool is_extensible_v6(std::uint8_t type) {
    return type == v6::unreachable || type == v6::time_exceeded;
}

inline constexpr std::int8_t no_pointer = -1;

/// Table 3.2; -1: the message is dropped.
constexpr int pointer_to_v6(std::uint32_t pointer) {
    constexpr std::array<std::int8_t, 20> table = {0,  1,  4, 4, -1, -1, -1, -1, 7,  6,
                                                   -1, -1, 8, 8, 8,  8,  24, 24, 24, 24};
    return pointer < table.size() ? table[pointer] : no_pointer;
}

/// Table 7.2; -1: the message is dropped.
constexpr int pointer_to_v4(std::uint32_t pointer) {
    constexpr std::array<std::int8_t, 8> first_words = {0, 1, -1, -1, 2, 2, 9, 8};
    if (pointer < 8) return first_words[pointer];
    if (pointer < 24) return 12;
    if (pointer < 40) return 16;
    return no_pointer;
}

} // namespace xlat646::icmp
