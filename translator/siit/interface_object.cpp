// SPDX-License-Identifier: BSD-2-Clause
#include "translator/siit/interface_object.hpp"

namespace xlat646 {
namespace {

constexpr std::uint8_t class_interface = 2;
constexpr std::uint8_t role_mask = 0xc0;    // role 0: the incoming interface
constexpr std::uint8_t type_address = 0x04; // role 0, an IP address follows
constexpr std::uint16_t address_family_ipv6 = 2;

/// RFC 4884 section 7.
struct ExtensionHeader {
    std::uint8_t version_reserved = 0x20;
    std::uint8_t reserved = 0;
    Be16 checksum;
};
static_assert(sizeof(ExtensionHeader) == 4);

struct ObjectHeader {
    Be16 length;
    std::uint8_t class_number = 0;
    std::uint8_t class_type = 0;
};
static_assert(sizeof(ObjectHeader) == 4);

struct SourceObject {
    ObjectHeader header;
    Be16 family;
    Be16 reserved;
    Ipv6Address::Bytes address;
};
static_assert(sizeof(SourceObject) == 24);
static_assert(sizeof(ExtensionHeader) + sizeof(SourceObject) == source_object_room);

/// A structure whose checksum we may renew, and that has no object of role 0 yet.
bool may_extend(const std::uint8_t* extension, std::size_t length) noexcept {
    if (length < sizeof(ExtensionHeader) || extension[0] >> 4 != 2) return false;
    const bool has_checksum = load<ExtensionHeader>(extension).checksum != Be16(0);
    if (has_checksum && ChecksumSum().add(extension, length).fold() != 0xffff) return false;
    for (std::size_t at = sizeof(ExtensionHeader); at < length;) {
        if (length - at < sizeof(ObjectHeader)) return false;
        const auto object = load<ObjectHeader>(extension + at);
        const std::size_t size = object.length.value();
        if (size < sizeof(ObjectHeader) || size > length - at) return false;
        if (object.class_number == class_interface && (object.class_type & role_mask) == 0)
            return false;
        at += size;
    }
    return true;
}

} // namespace

void append_source_object(ExtendedQuote& parts, const Ipv6Address& source,
                          std::size_t limit) noexcept {
    const bool is_new = parts.extension_length == 0;
    if (!is_new && !may_extend(parts.extension, parts.extension_length)) return;
    const std::size_t grown = is_new ? sizeof(ExtensionHeader) + sizeof(SourceObject)
                                     : parts.extension_length + sizeof(SourceObject);
    if (least_extended_quote + grown > limit) return;

    if (is_new) {
        parts.extension = parts.quote + parts.quote_length;
        parts.extension_length = sizeof(ExtensionHeader);
        store(parts.extension, ExtensionHeader{});
    }
    SourceObject object;
    object.header.length = std::uint16_t{sizeof(SourceObject)};
    object.header.class_number = class_interface;
    object.header.class_type = type_address;
    object.family = address_family_ipv6;
    object.address = source.bytes();
    store(parts.extension + parts.extension_length, object);
    parts.extension_length = grown;

    auto header = load<ExtensionHeader>(parts.extension);
    header.checksum = 0;
    store(parts.extension, header);
    header.checksum = Be16::from_native(ChecksumSum().add(parts.extension, grown).complement());
    store(parts.extension, header);
}

} // namespace xlat646
