// SPDX-License-Identifier: BSD-2-Clause
//
// Random numbers of tests: every property runs with one fixed seed and one that is new each time;
// a failure prints which.
#pragma once

#include <cstdint>
#include <random>

namespace xlat646::test {

class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t bits() { return engine_(); }
    std::uint8_t byte() { return static_cast<std::uint8_t>(engine_() >> 56); }
    std::uint16_t word() { return static_cast<std::uint16_t>(engine_() >> 48); }
    std::uint32_t number() { return static_cast<std::uint32_t>(engine_() >> 32); }
    /// 0 .. n-1
    std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
    bool one_in(std::size_t n) { return below(n) == 0; }

  private:
    std::mt19937_64 engine_;
};

inline std::uint64_t fresh_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32) | device();
}

} // namespace xlat646::test
