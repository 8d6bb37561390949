// SPDX-License-Identifier: BSD-2-Clause
//
// Numbers as they lie in packets. A BigEndian<T> has the size of T, alignment 1, and turns into a
// number only by value().
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace xlat646 {

template <class T> constexpr T byte_swap(T v) noexcept {
    static_assert(std::is_unsigned_v<T> && sizeof(T) != 1);
    if constexpr (sizeof(T) == 2)
        return __builtin_bswap16(v);
    else if constexpr (sizeof(T) == 4)
        return __builtin_bswap32(v);
    else
        return __builtin_bswap64(v);
}

/// Host order to network order and back.
template <class T> constexpr T network_order(T v) noexcept {
    if constexpr (std::endian::native == std::endian::big)
        return v;
    else
        return byte_swap(v);
}

template <class T> class [[gnu::packed]] BigEndian {
  public:
    constexpr BigEndian() = default;
    constexpr explicit(false) BigEndian(T host_order) noexcept : raw_(network_order(host_order)) {}

    /// From a number whose bytes in memory are the ones wanted: what checksums yield.
    static constexpr BigEndian from_native(T native) noexcept {
        BigEndian b;
        b.raw_ = native;
        return b;
    }

    constexpr T value() const noexcept { return network_order(raw_); }
    /// The number that the bytes form in native order: what checksums add up.
    constexpr T raw_native() const noexcept { return raw_; }

    friend constexpr bool operator==(BigEndian a, BigEndian b) { return a.raw_ == b.raw_; }

  private:
    T raw_ = 0;
};

using Be16 = BigEndian<std::uint16_t>;
using Be32 = BigEndian<std::uint32_t>;
using Be64 = BigEndian<std::uint64_t>;
static_assert(sizeof(Be16) == 2 && alignof(Be16) == 1);
static_assert(sizeof(Be32) == 4 && alignof(Be32) == 1);
static_assert(sizeof(Be64) == 8 && alignof(Be64) == 1);

} // namespace xlat646
