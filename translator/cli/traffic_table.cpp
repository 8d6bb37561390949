// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/traffic_table.hpp"

#include "translator/cli/text.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

using Cells = std::vector<std::string>;

// The first column is text, then these numbers, then text again: what is cut off is what matters
// least.
constexpr std::size_t first_number = 1, number_count = 4;

Cells titles(const char* first, Numbers numbers, const std::vector<const char*>& last) {
    Cells out = {first};
    for (const char* const direction : {"4>6 ", "6>4 "})
        for (const char* const what : {"PACKETS", numbers == Numbers::totals ? "BYTES" : "BIT"})
            out.push_back(direction + std::string(what) + (numbers == Numbers::rates ? "/s" : ""));
    out.insert(out.end(), last.begin(), last.end());
    return out;
}

void add_numbers(Cells& cells, const PairTotal& total, const PairRate& rate, Numbers numbers) {
    for (std::size_t d = 0; d < direction_count; ++d)
        if (numbers == Numbers::totals) {
            cells.push_back(grouped(total[d].packets));
            cells.push_back(grouped(total[d].bytes));
        } else {
            cells.push_back(scaled(rate[d].packets));
            cells.push_back(scaled(rate[d].bits));
        }
}

Cells cells_of(const MappingRow& row, Numbers numbers) {
    Cells cells = {address_text(row.mapping.ipv4)};
    add_numbers(cells, row.total, row.rate, numbers);
    cells.push_back(address_text(row.mapping.ipv6));
    cells.push_back(printable(row.mapping.name));
    cells.push_back(printable(row.mapping.tenant));
    return cells;
}

Cells cells_of(const TenantRow& row, Numbers numbers) {
    Cells cells = {row.tenant.empty() ? "(none)" : printable(row.tenant)};
    add_numbers(cells, row.total, row.rate, numbers);
    cells.push_back(grouped(row.mappings));
    return cells;
}

/// Makes each row twice: there may be a million.
template <class Row>
void write_rows(std::ostream& out, const Cells& head, const std::vector<Row>& rows, Numbers numbers,
                std::size_t width) {
    constexpr std::size_t widest_text = 40; // of a column that others follow
    std::vector<std::size_t> widths;
    for (const std::string& title : head)
        widths.push_back(title.size());
    for (const Row& row : rows) {
        const Cells cells = cells_of(row, numbers);
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths[i] = std::max(widths[i], std::min(columns_of(cells[i]), widest_text));
    }
    const auto write = [&](const Cells& cells) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i != 0) line += "  ";
            const bool is_number = i >= first_number && i < first_number + number_count;
            line += is_number ? right(cells[i], widths[i]) : left(cells[i], widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << (width == 0 ? line : cut(line, width)) << "\n";
    };
    write(head);
    for (const Row& row : rows)
        write(cells_of(row, numbers));
}

} // namespace

void write_table(std::ostream& out, const std::vector<MappingRow>& rows, Numbers numbers,
                 std::size_t width) {
    write_rows(out, titles("IPV4", numbers, {"IPV6", "NAME", "TENANT"}), rows, numbers, width);
}

void write_table(std::ostream& out, const std::vector<TenantRow>& rows, Numbers numbers,
                 std::size_t width) {
    write_rows(out, titles("TENANT", numbers, {"MAPPINGS"}), rows, numbers, width);
}

} // namespace xlat646
