// SPDX-License-Identifier: BSD-2-Clause
#include "translator/wire/checksum.hpp"

namespace xlat646 {

ChecksumSum& ChecksumSum::add(const std::uint8_t* bytes, std::size_t length) noexcept {
    // Four independent sums of 32-bit words: the compiler turns them into vector additions.
    std::uint64_t sums[4] = {};
    for (; length >= 16; bytes += 16, length -= 16) {
        std::uint32_t words[4];
        std::memcpy(words, bytes, sizeof words);
        for (std::size_t i = 0; i < 4; ++i)
            sums[i] += words[i];
    }
    for (; length >= 2; bytes += 2, length -= 2) {
        std::uint16_t word;
        std::memcpy(&word, bytes, sizeof word);
        sums[0] += word;
    }
    if (length == 1) {
        const std::uint8_t padded[2] = {bytes[0], 0};
        std::uint16_t word;
        std::memcpy(&word, padded, sizeof word);
        sums[1] += word;
    }
    for (const std::uint64_t s : sums)
        total_ += (s & 0xffffffff) + (s >> 32);
    return *this;
}

void settle_zero_message(std::uint8_t* message, std::size_t length, std::size_t field) noexcept {
    if (message[field] != 0 || message[field + 1] != 0) return;
    if (ChecksumSum().add(message, length).fold() == 0) message[field] = message[field + 1] = 0xff;
}

} // namespace xlat646
