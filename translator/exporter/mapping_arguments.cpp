// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/mapping_arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace xlat646 {
namespace {

/// Takes the arguments one by one. What is wrong first stays in `problem`.
class Reader {
  public:
    explicit Reader(const Arguments& arguments) : arguments_(arguments) {}

    /// nullopt: not given.
    std::optional<std::string> text(std::string_view name) {
        std::optional<std::string> out;
        for (const auto& [key, value] : arguments_) {
            if (key != name) continue;
            if (out) complain(key + " is given twice");
            if (value.size() > longest_argument)
                complain(key + " is longer than " + std::to_string(longest_argument) + " bytes");
            out = value;
        }
        known_.push_back(name);
        return out;
    }

    void number(std::string_view name, std::size_t most, std::size_t& out) {
        const auto given = text(name);
        if (!given) return;
        std::uint64_t value = 0;
        const char* const end = given->data() + given->size();
        const auto [stop, error] = std::from_chars(given->data(), end, value);
        if (given->empty() || stop != end || error != std::errc{} || value > most)
            return complain(std::string(name) + " must be a number up to " + std::to_string(most));
        out = static_cast<std::size_t>(value);
    }

    void order(MappingKey& key, bool& is_descending) {
        if (const auto sort = text("sort")) {
            const auto found = mapping_key(*sort);
            if (!found) {
                std::string names;
                for (const std::string_view name : mapping_key_names)
                    names.append(names.empty() ? "" : ", ").append(name);
                complain("sort must be one of " + names);
            }
            key = found.value_or(key);
        }
        is_descending = is_descending_by_nature(key);
        if (const auto order = text("order")) {
            if (*order != "asc" && *order != "desc") complain("order must be asc or desc");
            is_descending = *order == "desc";
        }
    }

    /// After all that may be there.
    const std::string& problem() {
        for (const auto& [key, value] : arguments_)
            if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
                std::string names;
                for (const std::string_view name : known_)
                    names.append(names.empty() ? "" : ", ").append(name);
                complain("an unknown argument; known are: " + (names.empty() ? "none" : names));
            }
        return problem_;
    }

  private:
    void complain(std::string what) {
        if (problem_.empty()) problem_ = std::move(what);
    }

    const Arguments& arguments_;
    std::vector<std::string_view> known_;
    std::string problem_;
};

} // namespace

std::variant<MappingQuery, std::string> mapping_query(const Arguments& arguments) {
    MappingQuery query;
    Reader reader(arguments);
    query.filter = reader.text("filter").value_or("");
    query.tenant = reader.text("tenant");
    reader.order(query.key, query.is_descending);
    reader.number("offset", UINT32_MAX, query.offset);
    reader.number("limit", most_rows, query.limit);
    if (const std::string& problem = reader.problem(); !problem.empty()) return problem;
    return query;
}

std::variant<TenantQuery, std::string> tenant_query(const Arguments& arguments) {
    TenantQuery query;
    Reader reader(arguments);
    reader.order(query.key, query.is_descending);
    reader.number("limit", most_rows, query.limit);
    if (const std::string& problem = reader.problem(); !problem.empty()) return problem;
    return query;
}

std::string unexpected_argument(const Arguments& arguments) { return Reader(arguments).problem(); }

} // namespace xlat646
