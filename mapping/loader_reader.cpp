// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/loader_reader.hpp"

#include "mapping/yaml_address.hpp"
#include "mapping/yaml_text.hpp"
#include "mapping/yaml_words.hpp"

namespace xlat646 {

namespace {

constexpr std::size_t longest_label = 64;
constexpr std::array<std::string_view, 2> root_keys = {"version", "mappings"};
constexpr std::array<std::string_view, 4> entry_keys = {"ipv4", "ipv6", "name", "tenant"};

} // namespace

void MappingReader::error(TextPosition at, std::string message) {
    run_.report.error(file_, at, std::move(message));
}

void MappingReader::ignore_collection(Expect next) {
    ignored_depth_ = 1;
    after_ignored_ = next;
}

void MappingReader::end_ignored() {
    if (--ignored_depth_ != 0) return;
    expect_ = after_ignored_;
    if (bad_key_at_.line != 0) error(bad_key_at_, "a key must be a word");
    bad_key_at_ = {};
}

void MappingReader::scalar(TextPosition at, std::string_view value, ScalarKind kind) {
    if (ignored_depth_ != 0) return;
    if (ignore_value_) {
        ignore_value_ = false;
        return;
    }
    switch (expect_) {
    case Expect::root:
        expect_ = Expect::end;
        if (kind == ScalarKind::null)
            error({}, "the file has no content; 'version' and 'mappings' are needed");
        else if (kind != ScalarKind::refused)
            error(at, "expected the keys 'version' and 'mappings', found " + quote(value));
        return;
    case Expect::root_key: root_key(at, value, kind); return;
    case Expect::version:
        expect_ = Expect::root_key;
        check_version(at, value, kind);
        return;
    case Expect::mappings:
        expect_ = Expect::root_key;
        if (kind == ScalarKind::null)
            error(key_at_, "mappings: expected a list; write [] for an empty one");
        else if (kind != ScalarKind::refused)
            error(at, "mappings: expected a list, found " + quote(value));
        return;
    case Expect::entry:
        if (kind != ScalarKind::refused)
            error(at, "expected a mapping like { ipv4: ..., ipv6: ... }, found " +
                          (kind == ScalarKind::null ? std::string("nothing") : quote(value)));
        return;
    case Expect::entry_key: entry_key(at, value, kind); return;
    case Expect::entry_value:
        expect_ = Expect::entry_key;
        entry_value(at, value, kind);
        return;
    case Expect::end: return;
    }
}

void MappingReader::refuse_collection(TextPosition at, const char* what) {
    switch (expect_) {
    case Expect::root:
        error(at, std::string("expected the keys 'version' and 'mappings', found ") + what);
        ignore_collection(Expect::end);
        return;
    case Expect::root_key:
    case Expect::entry_key:
        bad_key_at_ = at;
        ignore_value_ = true;
        ignore_collection(expect_);
        return;
    case Expect::version:
        error(at, std::string("version: expected 1, found ") + what);
        ignore_collection(Expect::root_key);
        return;
    case Expect::mappings:
        error(at, std::string("mappings: expected a list, found ") + what);
        ignore_collection(Expect::root_key);
        return;
    case Expect::entry:
        error(at, std::string("expected a mapping like { ipv4: ..., ipv6: ... }, found ") + what);
        ignore_collection(Expect::entry);
        return;
    case Expect::entry_value:
        error(at, std::string(entry_keys[key_]) + ": expected one value, found " + what +
                      (key_ == ipv6 ? "; put IPv6 addresses in quotes" : ""));
        ignore_collection(Expect::entry_key);
        return;
    case Expect::end: ignore_collection(Expect::end); return;
    }
}

void MappingReader::begin_map(TextPosition at) {
    if (ignored_depth_ != 0) {
        ++ignored_depth_;
    } else if (ignore_value_) {
        ignore_value_ = false;
        ignore_collection(expect_);
    } else if (expect_ == Expect::root) {
        expect_ = Expect::root_key;
        saw_map_ = true;
    } else if (expect_ == Expect::entry) {
        begin_entry(at);
    } else {
        refuse_collection(at, "a map");
    }
}

void MappingReader::begin_list(TextPosition at) {
    if (ignored_depth_ != 0) {
        ++ignored_depth_;
    } else if (ignore_value_) {
        ignore_value_ = false;
        ignore_collection(expect_);
    } else if (expect_ == Expect::mappings) {
        expect_ = Expect::entry;
    } else {
        refuse_collection(at, "a list");
    }
}

void MappingReader::end_map() {
    if (ignored_depth_ != 0) {
        end_ignored();
    } else if (expect_ == Expect::entry_key) {
        finish_entry();
        expect_ = Expect::entry;
    } else {
        expect_ = Expect::end;
    }
}

void MappingReader::end_list() {
    if (ignored_depth_ != 0) {
        end_ignored();
    } else {
        expect_ = Expect::root_key;
    }
}

bool MappingReader::check_key(TextPosition at, ScalarKind kind) {
    if (kind == ScalarKind::plain || kind == ScalarKind::quoted) return true;
    if (kind == ScalarKind::null) error(at, "a key is missing");
    ignore_value_ = true;
    return false;
}

void MappingReader::root_key(TextPosition at, std::string_view value, ScalarKind kind) {
    if (!check_key(at, kind)) return;
    TextPosition* seen = nullptr;
    if (value == "version") {
        seen = &version_at_;
        expect_ = Expect::version;
    } else if (value == "mappings") {
        seen = &mappings_at_;
        expect_ = Expect::mappings;
    } else {
        error(at, "unknown key " + quote(value) + suggestion(value, root_keys));
        ignore_value_ = true;
        return;
    }
    key_at_ = at;
    if (seen->line == 0) {
        *seen = at;
        return;
    }
    error(at, "duplicate key " + quote(value));
    run_.report.note(file_, *seen, "first given here");
    expect_ = Expect::root_key;
    ignore_value_ = true;
}

void MappingReader::check_version(TextPosition at, std::string_view value, ScalarKind kind) {
    if (kind == ScalarKind::refused || value == "1") return;
    if (kind == ScalarKind::null)
        error(key_at_, "version: expected 1, found nothing");
    else
        error(at, "version: " + quote(value) + " is not supported; this program reads version 1");
}

void MappingReader::begin_entry(TextPosition at) {
    expect_ = Expect::entry_key;
    entry_ = Eam{};
    entry_position_ = PairPosition{file_, {}, {}};
    seen_at_ = {};
    entry_at_ = at;
}

void MappingReader::entry_key(TextPosition at, std::string_view value, ScalarKind kind) {
    if (!check_key(at, kind)) return;
    std::size_t k = 0;
    while (k < entry_keys.size() && entry_keys[k] != value)
        ++k;
    if (k == entry_keys.size()) {
        error(at, "unknown key " + quote(value) + suggestion(value, entry_keys));
        ignore_value_ = true;
        return;
    }
    if (seen_at_[k].line != 0) {
        error(at, "duplicate key " + quote(value));
        run_.report.note(file_, seen_at_[k], "first given here");
        ignore_value_ = true;
        return;
    }
    seen_at_[k] = at;
    key_ = static_cast<Key>(k);
    key_at_ = at;
    expect_ = Expect::entry_value;
}

void MappingReader::entry_value(TextPosition at, std::string_view value, ScalarKind kind) {
    if (kind == ScalarKind::refused) return;
    if (kind == ScalarKind::null) {
        error(key_at_, std::string(entry_keys[key_]) + ": no value");
        return;
    }
    switch (key_) {
    case ipv4:
        if (const auto prefix = Ipv4Prefix::parse(value)) {
            entry_.ipv4 = *prefix;
            entry_position_.ipv4 = at;
            run_.rules.check_ipv4(*prefix, file_, at);
        } else if (run_.report.has_room()) {
            error(at, "ipv4: " + explain_bad_ipv4(value, true));
        } else {
            run_.report.count_error();
        }
        return;
    case ipv6:
        if (const auto prefix = Ipv6Prefix::parse(value)) {
            entry_.ipv6 = *prefix;
            entry_position_.ipv6 = at;
            run_.rules.check_ipv6(*prefix, file_, at);
        } else if (run_.report.has_room()) {
            error(at, "ipv6: " + explain_bad_ipv6(value, true));
        } else {
            run_.report.count_error();
        }
        return;
    case name:
        if (is_good_label(at, value, "name")) entry_.name = append(value);
        return;
    case tenant:
        if (is_good_label(at, value, "tenant")) entry_.tenant = run_.tenants.add(value);
        return;
    case key_count:
    case unknown_key: return;
    }
}

bool MappingReader::is_good_label(TextPosition at, std::string_view value, const char* key) {
    std::size_t characters = 0;
    for (std::string_view rest = value; !rest.empty() && characters <= longest_label;) {
        char32_t code = 0;
        const unsigned length = decode_utf8(rest, code);
        const bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
                                code == 0x2029 || code == 0xfeff;
        if (length == 0 || is_control) {
            error(at, std::string(key) + ": control characters are not allowed");
            return false;
        }
        ++characters;
        rest.remove_prefix(length);
    }
    if (characters >= 1 && characters <= longest_label) return true;
    error(at, std::string(key) + (characters == 0 ? ": it is empty" : ": more than 64 characters"));
    return false;
}

std::uint32_t MappingReader::append(std::string_view value) {
    std::string& text = run_.list.text;
    const auto offset = static_cast<std::uint32_t>(text.size());
    text += value;
    text += '\0';
    return offset;
}

void MappingReader::finish_entry() {
    for (const Key k : {ipv4, ipv6}) {
        if (seen_at_[k].line == 0)
            error(entry_at_, std::string(entry_keys[k]) + " is missing in this mapping");
    }
    const bool has4 = entry_position_.ipv4.line != 0;
    const bool has6 = entry_position_.ipv6.line != 0;
    if (!has4 && !has6) return;
    if (has4 && has6) run_.rules.check_lengths(entry_, file_, entry_position_.ipv6);
    entry_.where = {file_, entry_position_.ipv4.line, entry_position_.ipv4.column};
    // Half a mapping is an error already; it is kept to find duplicates of its other half.
    run_.list.mappings.push_back(entry_);
    run_.positions.push_back(entry_position_);
}

void MappingReader::finish() {
    if (!saw_map_) return; // reported already
    if (version_at_.line == 0) error({}, "'version: 1' is missing");
    if (mappings_at_.line == 0) error({}, "'mappings' is missing");
}

} // namespace xlat646
