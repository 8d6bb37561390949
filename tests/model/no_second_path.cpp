// SPDX-License-Identifier: BSD-2-Clause
#include "tests/model/second_path.hpp"

namespace xlat646::test {

struct SecondPath::Parts {};

SecondPath::SecondPath(std::shared_ptr<const GoldenConfig>) {}
SecondPath::~SecondPath() = default;
SecondPath::Answer SecondPath::run(const Bytes&, const OffloadHeader&) { return {}; }

} // namespace xlat646::test
