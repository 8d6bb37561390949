// SPDX-License-Identifier: BSD-2-Clause
//
// Text for people: numbers and durations, columns, and what may be sent to a terminal. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace xlat646 {

/// A terminal obeys control characters, and some text comes from files: each of them, each one that
/// turns the direction of writing or takes no room, and each byte that is no UTF-8 becomes '?'.
std::string printable(std::string_view text);

/// Columns of a terminal that printable text takes; East Asian characters take two.
std::size_t columns_of(std::string_view printable_text);
/// Its beginning, if it is wider than that.
std::string cut(std::string_view printable_text, std::size_t width);
/// At least so wide; cuts nothing.
std::string left(std::string text, std::size_t width);
std::string right(const std::string& text, std::size_t width);
/// In lines of at most `width` columns, `indent` spaces before each, where there are spaces.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

/// "1,234,567"
std::string grouped(std::uint64_t n);
/// "1 mapping", "2 mappings"
std::string plural(std::uint64_t n, const char* what);
/// The two largest units that matter: "3 h 12 min".
std::string duration(std::uint64_t seconds);
/// Three digits: "0", "0.02", "999", "1.50 k"; with a unit "999 bit/s", "12.3 Mbit/s".
std::string scaled(double number, const std::string& unit = {});

} // namespace xlat646
