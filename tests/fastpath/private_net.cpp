// SPDX-License-Identifier: BSD-2-Clause
#include "tests/fastpath/private_net.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <system_error>

namespace xlat646::test {

PrivateNet::PrivateNet() : home_(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (home_.get() < 0 || ::unshare(CLONE_NEWNET) != 0)
        throw std::system_error(errno, std::generic_category(), "a network namespace");
}

PrivateNet::~PrivateNet() {
    if (::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

std::string shell(const std::string& command) {
    FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::system_error(errno, std::generic_category(), command);
    std::string out;
    for (int c = 0; (c = std::fgetc(pipe)) != EOF;)
        out += static_cast<char>(c);
    if (::pclose(pipe) != 0) throw std::runtime_error(command + " failed");
    return out;
}

} // namespace xlat646::test
