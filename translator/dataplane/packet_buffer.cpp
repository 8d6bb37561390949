// SPDX-License-Identifier: BSD-2-Clause
#include "translator/dataplane/packet_buffer.hpp"

#include <cerrno>
#include <sys/mman.h>
#include <system_error>

namespace xlat646 {

PacketBuffer::PacketBuffer() {
    void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "memory for packets");
    memory_ = static_cast<std::uint8_t*>(memory);
}

PacketBuffer::~PacketBuffer() { munmap(memory_, size); }

} // namespace xlat646
