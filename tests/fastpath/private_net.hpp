// SPDX-License-Identifier: BSD-2-Clause
//
// A network namespace for the calling thread.
#pragma once

#include "translator/dataplane/tun.hpp"

#include <string>

namespace xlat646::test {

class PrivateNet {
  public:
    PrivateNet();
    ~PrivateNet();
    PrivateNet(const PrivateNet&) = delete;
    PrivateNet& operator=(const PrivateNet&) = delete;

  private:
    FileDescriptor home_;
};

/// A shell command that must work; returns what it prints.
std::string shell(const std::string& command);

} // namespace xlat646::test
