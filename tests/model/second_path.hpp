// SPDX-License-Identifier: BSD-2-Clause
//
// What the kernel program makes of the driver's packets. xlat646_model_driver has none (and needs
// no root), xlat646_fastpath_driver has it: no_second_path.cpp and second_path.cpp.
#pragma once

#include "tests/support/golden.hpp"

#include <memory>
#include <string>

namespace xlat646::test {

class SecondPath {
  public:
    struct Answer {
        bool is_wrong = false; ///< it is not what user space makes of the packet
        std::string text;      ///< what it did; empty: there is no second path
    };

    explicit SecondPath(std::shared_ptr<const GoldenConfig> config);
    ~SecondPath();
    /// `packet` as the TUN would bring it to user space.
    Answer run(const Bytes& packet, const OffloadHeader& offload);

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

} // namespace xlat646::test
