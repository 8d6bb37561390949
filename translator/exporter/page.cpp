// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/page.hpp"

#include "translator/exporter/page_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <sha2.h>
#include <string_view>

namespace xlat646 {
namespace {

std::string base64(const std::array<std::uint8_t, SHA256_DIGEST_LENGTH>& bytes) {
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (j < count ? bytes[i + j] : 0u);
        for (std::size_t j = 0; j < 4; ++j)
            out += j <= count ? letters[group >> (18 - 6 * j) & 63] : '=';
    }
    return out;
}

/// As the policy names what stands between the tags.
std::string hash_of(std::string_view text) {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
    SHA2_CTX state;
    SHA256Init(&state);
    SHA256Update(&state, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    SHA256Final(digest.data(), &state);
    return "'sha256-" + base64(digest) + "'";
}

void replace(std::string& page, std::string_view mark, std::string_view text) {
    page.replace(page.find(mark), mark.size(), text);
}

} // namespace

std::string page_html() {
    std::string page = page_text::html;
    replace(page, "@STYLE@", page_text::style);
    replace(page, "@SCRIPT@", page_text::script);
    return page;
}

std::string page_policy() {
    return "default-src 'none'; style-src " + hash_of(page_text::style) + "; script-src " +
           hash_of(page_text::script) +
           "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'";
}

} // namespace xlat646
