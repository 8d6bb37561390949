// SPDX-License-Identifier: BSD-2-Clause
//
// Raw sockets for echo messages. They need CAP_NET_RAW; the constructors throw std::system_error.
#pragma once

#include "mapping/address.hpp"
#include "translator/daemon/echo.hpp"
#include "translator/dataplane/tun.hpp"

#include <functional>
#include <string>

namespace xlat646 {

template <class Address> class EchoSocket {
  public:
    /// Receives only messages of type `receives`; with `device` only what comes by that interface,
    /// and sends only by it.
    EchoSocket(std::uint8_t receives, const std::string& device);

    int descriptor() const { return socket_.get(); }
    /// Returns 0 or an errno; EPERM: a firewall of this node drops it. `source` nullptr: the
    /// kernel's choice.
    int send(const EchoMessage& message, const Address& target, const Address* source) const;
    /// Hands over the sound messages of our size that have come in, with their sources.
    void receive(const std::function<void(const Address&, const EchoContent&)>& on_message) const;

  private:
    FileDescriptor socket_;
    std::uint8_t type_;
};

} // namespace xlat646
