// SPDX-License-Identifier: BSD-2-Clause
//
// A MappingTable as two hash tables in kernel maps, and the classes of all client addresses.
#pragma once

#include "mapping/table.hpp"
#include "translator/fastpath/shared.h"
#include "translator/siit/settings.hpp"

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace xlat646 {

/// A map's descriptor that closes itself.
class MapDescriptor {
  public:
    MapDescriptor() = default;
    explicit MapDescriptor(int fd) : fd_(fd) {}
    MapDescriptor(MapDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    MapDescriptor& operator=(MapDescriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~MapDescriptor();
    int get() const { return fd_; }

  private:
    int fd_ = -1;
};

/// The kernel's form of an address: words in network order.
std::uint32_t wire_word(Ipv4Address a);
void wire_words(const Ipv6Address& a, std::uint32_t (&words)[4]);

/// An array of 2^n groups of cells.
struct CellMap {
    MapDescriptor map;
    std::uint32_t mask = 0;
};

struct KernelTable {
    CellMap by_ipv4;
    CellMap by_ipv6;
    std::vector<std::uint32_t> clients; ///< xlat646_client of every /16
    std::vector<Ipv4Prefix> owners;     ///< of the counter slots

    bool is_empty() const { return by_ipv4.map.get() < 0; }
    /// What each address has carried so far.
    using Visitor = std::function<void(std::uint32_t slot, xlat646_direction, xlat646_traffic)>;
    void visit(const Visitor& visitor) const;
};

/// Throws std::system_error. Holds every address that surely can be translated, and the
/// translator's own ones as entries without a slot.
KernelTable make_kernel_table(const MappingTable& table, const Settings& settings);

} // namespace xlat646
