// SPDX-License-Identifier: BSD-2-Clause
//
// In place of the fast path in a build without clang, bpftool and libbpf.
#include "translator/fastpath/fastpath.hpp"

#include <cerrno>
#include <system_error>

namespace xlat646 {

struct Fastpath::Parts {};

Fastpath::Fastpath(const Settings&) {
    throw std::system_error(EOPNOTSUPP, std::generic_category(),
                            "this xlat646d was built without the fast path");
}
Fastpath::~Fastpath() = default;
FastpathHook Fastpath::attach(const std::string&, FastpathHook hook) { return hook; }
bool Fastpath::is_attached(const std::string&) const { return false; }
void Fastpath::detach(const std::string&) noexcept {}
void Fastpath::detach_all() noexcept {}
void Fastpath::prepare(const MappingTable&) {}
void Fastpath::flip() noexcept {}
void Fastpath::retire() {}
void Fastpath::pause() noexcept {}
void Fastpath::stand_aside(bool) noexcept {}
xlat646_counters Fastpath::counters() const { return {}; }
std::vector<PairTraffic> Fastpath::pair_traffic() const { return {}; }
int Fastpath::program() const { return -1; }

} // namespace xlat646
