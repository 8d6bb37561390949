// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/plain_yaml.hpp"

#include <array>
#include <cstddef>

namespace xlat646 {

namespace {

// What a character may be part of.
constexpr std::uint8_t first_of_word = 1;
constexpr std::uint8_t word = 2;
constexpr std::uint8_t key = 4;
constexpr std::uint8_t printable = 8; ///< in quotes and comments

constexpr std::array<std::uint8_t, 256> classes = [] {
    std::array<std::uint8_t, 256> t{};
    for (std::size_t c = 0x20; c < 0x7f; ++c) {
        t[c] = printable;
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
            t[c] |= first_of_word | word | key;
    }
    for (const char c : std::string_view("./:@+-_"))
        t[static_cast<unsigned char>(c)] |= word;
    t['-'] |= key;
    t['_'] |= key;
    return t;
}();

constexpr bool is(std::uint8_t what, char c) {
    return (classes[static_cast<unsigned char>(c)] & what) != 0;
}

constexpr std::ptrdiff_t longest_key = 64; // yaml-cpp: 1024

/// Reads once: without `events` it only finds out whether the text is plain.
class PlainReader {
  public:
    PlainReader(std::string_view text, YamlEvents* events)
        : at_(text.data()), end_(text.data() + text.size()), line_start_(at_), events_(events) {}

    bool read() {
        for (;;) {
            skip_blanks();
            if (!is_end_of_line() && !read_line()) return false;
            if (at_ == end_) break;
            ++at_;
            ++line_;
            line_start_ = at_;
        }
        if (!in_root_ || expects_list_) return false;
        close_list();
        if (events_ != nullptr) events_->end_map();
        return true;
    }

  private:
    // The end of the text ends a line.
    char peek() const { return at_ != end_ ? *at_ : '\n'; }
    char peek_next() const { return end_ - at_ > 1 ? at_[1] : '\n'; }
    void skip_blanks() {
        while (peek() == ' ')
            ++at_;
    }
    TextPosition position() const {
        return {line_, static_cast<std::uint32_t>(at_ - line_start_) + 1};
    }

    /// Leaves out blanks and a comment; false when something else is there.
    bool is_end_of_line() {
        skip_blanks();
        if (peek() == '#' && (at_ == line_start_ || at_[-1] == ' ')) {
            while (is(printable, peek()))
                ++at_;
        }
        return peek() == '\n';
    }

    bool read_line() {
        const TextPosition at = position();
        if (peek() == '-' && peek_next() == ' ') return read_item(at);
        if (at.column != 1) return at.column == item_column_ && read_pair();
        if (expects_list_) return false;
        close_list();
        if (!in_root_) {
            if (!in_document_ && std::string_view(at_, end_).starts_with("---")) {
                in_document_ = true;
                at_ += 3;
                return is_end_of_line();
            }
            in_root_ = true;
            if (events_ != nullptr) events_->begin_map(at);
        }
        if (!read_key()) return false;
        expects_list_ = is_end_of_line();
        return expects_list_ || (read_value() && is_end_of_line());
    }

    bool read_item(TextPosition at) {
        if (expects_list_) {
            expects_list_ = false;
            list_column_ = at.column;
            if (events_ != nullptr) events_->begin_list(at);
        }
        if (at.column != list_column_) return false;
        close_item();
        ++at_;
        skip_blanks();
        const TextPosition inside = position();
        if (events_ != nullptr) events_->begin_map(inside);
        if (peek() == '{') return read_flow_map() && is_end_of_line();
        item_column_ = inside.column;
        return read_pair();
    }

    bool read_pair() { return read_key() && read_value() && is_end_of_line(); }

    bool read_flow_map() {
        do {
            ++at_; // the bracket or the comma
            skip_blanks();
            if (!read_key() || !read_value()) return false;
            skip_blanks();
        } while (peek() == ',');
        if (peek() != '}') return false;
        ++at_;
        if (events_ != nullptr) events_->end_map();
        return true;
    }

    /// A key, its colon, and the blanks behind it.
    bool read_key() {
        const TextPosition at = position();
        const char* const start = at_;
        std::string_view text;
        ScalarKind kind = ScalarKind::quoted;
        if (is(first_of_word, peek())) {
            while (is(key, peek()))
                ++at_;
            text = {start, at_};
            kind = ScalarKind::plain;
        } else if (!read_quoted(text)) {
            return false;
        }
        if (at_ - start > longest_key || peek() != ':') return false;
        ++at_;
        if (peek() != ' ' && peek() != '\n') return false;
        skip_blanks();
        return hand_over(at, text, kind);
    }

    bool read_value() {
        const TextPosition at = position();
        std::string_view text;
        if (is(first_of_word, peek()))
            return read_words(text) && hand_over(at, text, ScalarKind::plain);
        return read_quoted(text) && hand_over(at, text, ScalarKind::quoted);
    }

    /// Words with blanks between them; blanks behind them do not belong to the value.
    bool read_words(std::string_view& text) {
        const char* const start = at_;
        const char* stop = at_;
        for (; is(word, peek()) || peek() == ' '; ++at_) {
            if (peek() == ' ') continue;
            if (peek() == ':' && !is(word, peek_next())) return false; // a key's colon
            stop = at_ + 1;
        }
        text = {start, stop};
        return true;
    }

    bool read_quoted(std::string_view& text) {
        const char quote = peek();
        if (quote != '"' && quote != '\'') return false;
        const char* const start = ++at_;
        while (is(printable, peek()) && peek() != quote && peek() != '\\')
            ++at_;
        if (peek() != quote) return false;
        text = {start, at_};
        ++at_;
        return true;
    }

    bool hand_over(TextPosition at, std::string_view text, ScalarKind kind) {
        if (kind == ScalarKind::plain && (text == "null" || text == "Null" || text == "NULL"))
            return false;
        if (events_ != nullptr) events_->scalar(at, text, kind);
        return true;
    }

    void close_item() {
        if (item_column_ != 0 && events_ != nullptr) events_->end_map();
        item_column_ = 0;
    }
    void close_list() {
        close_item();
        if (list_column_ != 0 && events_ != nullptr) events_->end_list();
        list_column_ = 0;
    }

    const char* at_;
    const char* end_;
    const char* line_start_;
    YamlEvents* events_;
    std::uint32_t line_ = 1;
    bool in_document_ = false;  ///< after "---"
    bool in_root_ = false;      ///< after the first key
    bool expects_list_ = false; ///< after a key without a value
    // 1-based; 0: none is open.
    std::uint32_t list_column_ = 0;
    std::uint32_t item_column_ = 0; ///< of the keys of an item that is no flow map
};

} // namespace

bool read_plain_yaml(std::string_view text, YamlEvents& events) {
    return PlainReader(text, nullptr).read() && PlainReader(text, &events).read();
}

} // namespace xlat646
