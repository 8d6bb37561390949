// SPDX-License-Identifier: BSD-2-Clause
//
// What must hold for every packet, however hostile: fuzz targets and property tests share this.
// Nothing here repeats the translator's decisions; it looks at what came out and asks whether that
// can be right for what went in.
#pragma once

#include "mapping/table.hpp"
#include "tests/support/packets.hpp"
#include "translator/siit/settings.hpp"
#include "translator/siit/translator.hpp"
#include "translator/wire/packet.hpp"

#include <memory>
#include <string>

namespace xlat646::fuzz {

/// A translator with one of a handful of configurations. Lives as long as the process: its counters
/// and rate limits go on from packet to packet.
struct Variant {
    Settings settings;
    std::unique_ptr<const MappingTable> table;
    std::unique_ptr<Translator> translator;
    std::unique_ptr<Translator> in_full; ///< for translate_fully() only
};
/// Every byte chooses one.
Variant& variant(std::uint8_t choice);
inline constexpr std::size_t variant_count = 7;

/// One packet in, as the translator was given it.
struct Input {
    test::Bytes bytes;
    OffloadHeader offload;
    std::optional<test::Parsed> parsed; ///< nullopt: not a whole packet

    const std::uint8_t* transport() const { return bytes.data() + parsed->transport; }
    bool is_gso() const { return offload.gso_type != 0; }
    bool is_partial() const { return (offload.flags & 1) != 0; }
    bool is_icmp_error() const;
    /// A partial checksum of a protocol that has its field just where the offload header says.
    bool is_canonical_partial() const;
    /// GSO-04: any other partial checksum done where the offload header points to, as far as that
    /// is behind the IP header. This is the packet that is translated.
    Input completed() const;
};
struct Output {
    test::Bytes bytes;
    OffloadHeader offload;
    test::Parsed parsed; ///< valid: outputs that are not whole packets are refused before

    const std::uint8_t* transport() const { return bytes.data() + parsed.transport; }
};

/// Translates the packet and all its pieces. Empty, or what is wrong.
std::string check_packet(Variant& v, const std::uint8_t* bytes, std::size_t length,
                         const OffloadHeader& offload);

// The parts of check_packet().
std::string check_forward(const Variant& v, const Input& in, const std::vector<Output>& outs);
std::string check_translated_error(const Variant& v, const Input& in, const Output& out);
std::string check_own_error(const Variant& v, const Input& in, const Output& out);
std::string check_echo_reply(const Variant& v, const Input& in, const Output& out);
/// A GSO packet: cuts a copy and looks at every segment.
std::string check_segments(const Output& out);

/// For libFuzzer targets: prints what is wrong, with the packet, and aborts.
void require_good(const std::string& wrong, const std::uint8_t* bytes, std::size_t length);

} // namespace xlat646::fuzz
