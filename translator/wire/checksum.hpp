// SPDX-License-Identifier: BSD-2-Clause
//
// The Internet checksum (RFC 1071, RFC 1624). Sums are kept over native-order 16-bit words: the
// checksum does not depend on the byte order in which the words are read, so nothing is swapped.
#pragma once

#include "mapping/address.hpp"
#include "translator/wire/big_endian.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace xlat646 {

/// A one's complement sum. Adding never loses a carry: the accumulator has 64 bits and takes at
/// most 32 at a time, so 2^32 additions fit.
class ChecksumSum {
  public:
    constexpr ChecksumSum() = default;

    /// `bytes` must start at an even offset of whatever is summed; an odd end is zero-padded.
    ChecksumSum& add(const std::uint8_t* bytes, std::size_t length) noexcept;

    /// A word as it lies in the packet, e.g. a checksum field.
    constexpr ChecksumSum& add_native(std::uint32_t native) noexcept {
        total_ += native;
        return *this;
    }
    /// A number of a pseudo-header, e.g. a length or a protocol.
    constexpr ChecksumSum& add(Be16 v) noexcept { return add_native(v.raw_native()); }
    constexpr ChecksumSum& add(Be32 v) noexcept { return add_native(v.raw_native()); }
    constexpr ChecksumSum& add(const ChecksumSum& s) noexcept {
        total_ += (s.total_ & 0xffffffff) + (s.total_ >> 32);
        return *this;
    }
    constexpr ChecksumSum& subtract(const ChecksumSum& s) noexcept {
        return add_native(static_cast<std::uint16_t>(~s.fold()));
    }
    constexpr ChecksumSum& add(Ipv4Address a) noexcept {
        return add_native(network_order(a.value()));
    }
    constexpr ChecksumSum& add(const Ipv6Address& a) noexcept {
        const std::uint64_t h = network_order(a.high());
        const std::uint64_t l = network_order(a.low());
        total_ += (h & 0xffffffff) + (h >> 32) + (l & 0xffffffff) + (l >> 32);
        return *this;
    }

    /// 0 only for a sum of zeros (CK-04).
    constexpr std::uint16_t fold() const noexcept {
        // Both halves added to each other: the upper one ends up with the carry of the lower one.
        const std::uint64_t s = total_ + std::rotl(total_, 32);
        const auto half = static_cast<std::uint32_t>(s >> 32);
        return static_cast<std::uint16_t>((half + std::rotl(half, 16)) >> 16);
    }
    /// What a checksum field must hold so that everything together sums to 0xffff.
    constexpr std::uint16_t complement() const noexcept {
        return static_cast<std::uint16_t>(~fold());
    }

  private:
    std::uint64_t total_ = 0;
};

/// RFC 1624 equation 3: `checksum` is the field as it lies in the packet.
[[gnu::always_inline]] constexpr std::uint16_t updated_checksum(std::uint16_t checksum,
                                                                const ChecksumSum& delta) noexcept {
    return ChecksumSum().add_native(static_cast<std::uint16_t>(~checksum)).add(delta).complement();
}

/// The same for the uncomplemented sum of a partial checksum (GSO-01).
constexpr std::uint16_t updated_partial(std::uint16_t partial, const ChecksumSum& delta) noexcept {
    return ChecksumSum().add_native(partial).add(delta).fold();
}

/// L4-03: a UDP checksum of 0 would mean "none".
constexpr std::uint16_t never_zero(std::uint16_t checksum) noexcept {
    return checksum == 0 ? std::uint16_t{0xffff} : checksum;
}

/// CK-04: for a message without pseudo-header (ICMPv4) whose field equation 3 has just updated. The
/// checksum of a message of zeros is 0xffff, which no difference can tell from 0.
void settle_zero_message(std::uint8_t* message, std::size_t length, std::size_t field) noexcept;

} // namespace xlat646
