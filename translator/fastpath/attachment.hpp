// SPDX-License-Identifier: BSD-2-Clause
//
// One program at the ingress of one interface.
#pragma once

#include "translator/fastpath/fastpath.hpp"

#include <string>
#include <utility>

namespace xlat646 {

/// Detaches itself.
class Attachment {
  public:
    /// What the interface's packets begin with decides which of the two programs it gets.
    struct Programs {
        int ethernet;
        int layer3;
    };
    /// Throws as Fastpath::attach.
    Attachment(const std::string& interface, const Programs& programs, FastpathHook hook);
    Attachment(Attachment&& other) noexcept
        : ifindex_(std::exchange(other.ifindex_, 0)), program_id_(other.program_id_),
          link_(std::exchange(other.link_, -1)) {}
    Attachment& operator=(Attachment&&) = delete;
    ~Attachment();

    /// As Fastpath::is_attached.
    bool is_in_place(const std::string& interface) const;
    FastpathHook hook() const { return link_ >= 0 ? FastpathHook::tcx : FastpathHook::clsact; }

  private:
    void attach_clsact(const std::string& interface, int program) const;

    unsigned ifindex_ = 0;
    std::uint32_t program_id_ = 0;
    int link_ = -1; ///< tcx; -1: clsact
};

} // namespace xlat646
