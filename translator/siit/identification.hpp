// SPDX-License-Identifier: BSD-2-Clause
//
// IPv4 Identification values for packets that had none in IPv6 (matrix section ID): RFC 7739
// section 5, hash form. F + counter[G], F and G being parts of one keyed hash of the triple.
// Per thread; a triple stays on one thread because a flow does.
#pragma once

#include "mapping/address.hpp"

#include <array>
#include <bit>
#include <cstdint>

namespace xlat646 {

class IdentificationGenerator {
  public:
    IdentificationGenerator(std::uint64_t key0, std::uint64_t key1) : key_{key0, key1} {
        // Counters start at random (ID-02).
        for (std::size_t i = 0; i < counters_.size(); ++i)
            counters_[i] = static_cast<std::uint16_t>(sip(i, ~std::uint64_t{0}));
    }

    /// The first of `count` consecutive values reserved for this triple (GSO-08).
    std::uint16_t next(Ipv4Address source, Ipv4Address destination, std::uint8_t proto,
                       unsigned count = 1) noexcept {
        const std::uint32_t h =
            hash((std::uint64_t{source.value()} << 32) | destination.value(), proto);
        std::uint16_t& counter = counters_[(h >> 16) % counters_.size()];
        const auto value = static_cast<std::uint16_t>(h + counter);
        counter = static_cast<std::uint16_t>(counter + count);
        return value;
    }

  private:
    /// The hash costs a third of a packet's translation: those of the last flows are kept.
    struct Known {
        std::uint64_t addresses = 0;
        std::uint32_t proto = ~0u; ///< of no packet
        std::uint32_t hash = 0;
    };

    std::uint32_t hash(std::uint64_t addresses, std::uint8_t proto) noexcept {
        Known& known = known_[((addresses + proto) * 0x9e3779b97f4a7c15ull) >> 56];
        if (known.addresses != addresses || known.proto != proto)
            known = {addresses, proto, static_cast<std::uint32_t>(sip(addresses, proto))};
        return known.hash;
    }

    /// SipHash-1-3 of two words: a keyed hash that cannot be turned around from its outputs.
    std::uint64_t sip(std::uint64_t a, std::uint64_t b) const noexcept {
        std::uint64_t v0 = key_[0] ^ 0x736f6d6570736575ull;
        std::uint64_t v1 = key_[1] ^ 0x646f72616e646f6dull;
        std::uint64_t v2 = key_[0] ^ 0x6c7967656e657261ull;
        std::uint64_t v3 = key_[1] ^ 0x7465646279746573ull;
        const auto round = [&]() __attribute__((always_inline)) { // else its state lies in memory
            v0 += v1;
            v1 = std::rotl(v1, 13);
            v1 ^= v0;
            v0 = std::rotl(v0, 32);
            v2 += v3;
            v3 = std::rotl(v3, 16);
            v3 ^= v2;
            v0 += v3;
            v3 = std::rotl(v3, 21);
            v3 ^= v0;
            v2 += v1;
            v1 = std::rotl(v1, 17);
            v1 ^= v2;
            v2 = std::rotl(v2, 32);
        };
        v3 ^= a;
        round();
        v0 ^= a;
        v3 ^= b;
        round();
        v0 ^= b;
        v2 ^= 0xff;
        round();
        round();
        round();
        return v0 ^ v1 ^ v2 ^ v3;
    }

    std::array<std::uint64_t, 2> key_;
    std::array<std::uint16_t, 8192> counters_;
    std::array<Known, 256> known_;
};

} // namespace xlat646
