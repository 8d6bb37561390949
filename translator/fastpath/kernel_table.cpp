// SPDX-License-Identifier: BSD-2-Clause
#include "translator/fastpath/kernel_table.hpp"

#include "mapping/special_purpose.hpp"
#include "translator/wire/checksum.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr std::size_t batch_size = 16384;

struct Ipv6Key {
    std::uint32_t words[4];
};

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

MapDescriptor create_map(const char* name, std::size_t key_size, std::size_t value_size,
                         std::size_t entries) {
    // Each generation has maps of its own size, so entries are allocated at once (no
    // BPF_F_NO_PREALLOC): filling cannot fail half way for want of memory.
    const int fd =
        bpf_map_create(BPF_MAP_TYPE_HASH, name, static_cast<std::uint32_t>(key_size),
                       static_cast<std::uint32_t>(value_size),
                       static_cast<std::uint32_t>(std::max<std::size_t>(entries, 1)), nullptr);
    if (fd < 0)
        fail(-fd, "cannot make a kernel table for " + std::to_string(entries) + " addresses");
    return MapDescriptor(fd);
}

/// A map that is filled by a few large system calls.
template <class Key, class Value> class Filler {
  public:
    Filler(const char* name, std::size_t entries)
        : map_(create_map(name, sizeof(Key), sizeof(Value), entries)) {
        keys_.reserve(batch_size);
        values_.reserve(batch_size);
    }
    void add(const Key& key, const Value& value) {
        keys_.push_back(key);
        values_.push_back(value);
        if (keys_.size() == batch_size) flush();
    }
    MapDescriptor finish() {
        flush();
        return std::move(map_);
    }

  private:
    void flush() {
        auto count = static_cast<std::uint32_t>(keys_.size());
        if (count == 0) return;
        const int error =
            bpf_map_update_batch(map_.get(), keys_.data(), values_.data(), &count, nullptr);
        if (error != 0) fail(-error, "cannot fill a kernel table");
        keys_.clear();
        values_.clear();
    }

    MapDescriptor map_;
    std::vector<Key> keys_;
    std::vector<Value> values_;
};

template <class Key, class Value, class Visit>
void visit_map(const MapDescriptor& map, const Visit& visit) {
    std::vector<Key> keys(batch_size);
    std::vector<Value> values(batch_size);
    std::uint32_t cursor = 0;
    bool is_first = true;
    for (;;) {
        auto count = static_cast<std::uint32_t>(batch_size);
        const int error = bpf_map_lookup_batch(map.get(), is_first ? nullptr : &cursor, &cursor,
                                               keys.data(), values.data(), &count, nullptr);
        if (error != 0 && error != -ENOENT) fail(-error, "cannot read a kernel table");
        for (std::uint32_t i = 0; i < count; ++i)
            visit(keys[i], values[i]);
        if (error != 0) return;
        is_first = false;
    }
}

} // namespace

MapDescriptor::~MapDescriptor() {
    if (fd_ >= 0) ::close(fd_);
}

std::uint32_t wire_word(Ipv4Address a) { return network_order(a.value()); }

void wire_words(const Ipv6Address& a, std::uint32_t (&words)[4]) {
    const Ipv6Address::Bytes bytes = a.bytes();
    std::memcpy(words, bytes.data(), sizeof words);
}

namespace {

constexpr std::size_t client_ranges = 65536;
/// Addresses of prefix pairs that get entries of their own. What is beyond is left to user space.
constexpr std::uint64_t most_expanded = std::uint64_t{1} << 18;

/// The greatest number of addresses that a table can bring.
std::size_t count_addresses(const MappingTable& table) {
    std::uint64_t hosts = 0;
    std::uint64_t expanded = 0;
    for (const Eam& m : table.list().mappings)
        (m.is_host() ? hosts : expanded) += std::uint64_t{1} << m.ipv4.suffix_length();
    return hosts + std::min(expanded, most_expanded);
}

/// A table on its way into the kernel.
class Collector {
  public:
    Collector(const MappingTable& table, const Settings& settings);
    KernelTable load();

  private:
    void add(const Eam& m);
    void add(Ipv4Address ipv4);
    void add_own(Ipv4Address a);
    void look_up_client(Ipv4Address a);

    const MappingTable& table_;
    std::vector<Ipv4Address> ours_;
    Filler<std::uint32_t, xlat646_by_ipv4> by_ipv4_;
    Filler<Ipv6Key, xlat646_by_ipv6> by_ipv6_;
    std::vector<xlat646_client> classes_;
    std::vector<Ipv4Prefix> owners_;
    std::uint64_t expanded_ = 0;
};

std::vector<Ipv4Address> own_addresses(const Settings& settings) {
    std::vector<Ipv4Address> ours = settings.pool4;
    ours.push_back(settings.own4);
    if (settings.prefix.contains(settings.own6))
        ours.push_back(settings.prefix.extract(settings.own6));
    return ours;
}

Collector::Collector(const MappingTable& table, const Settings& settings)
    : table_(table), ours_(own_addresses(settings)),
      by_ipv4_("xlat646_by_ipv4", count_addresses(table) + ours_.size()),
      by_ipv6_("xlat646_by_ipv6", count_addresses(table)),
      classes_(client_ranges, xlat646_client_unsure) {
    const Ipv4Classifier global(Profile::internet);
    const bool is_well_known = settings.prefix.is_well_known();
    for (std::uint32_t i = 0; i < client_ranges; ++i) {
        const Ipv4Prefix range(Ipv4Address(i << 16), 16);
        if (settings.clients4.class_of(range) == AddressClass::allowed &&
            (!is_well_known || global.class_of(range) == AddressClass::allowed)) // A52-06
            classes_[i] = xlat646_client_free;
    }
    owners_.resize(table.slot_count());
    for (const Eam& m : table.list().mappings) {
        owners_[m.slot] = m.ipv4;
        add(m);
    }
    // Later entries replace earlier ones.
    for (const Ipv4Address a : ours_)
        add_own(a);
}

void Collector::add(const Eam& m) {
    const unsigned bits = m.ipv4.suffix_length();
    const std::uint64_t count = std::uint64_t{1} << bits;
    if (!m.is_host() && (expanded_ += count) > most_expanded) {
        const std::size_t first = m.ipv4.address().value() >> 16;
        std::fill_n(classes_.begin() + static_cast<std::ptrdiff_t>(first),
                    std::max<std::uint64_t>(count >> 16, 1), xlat646_client_unsure);
        return;
    }
    for (std::uint64_t i = 0; i < count; ++i)
        add(Ipv4Address(m.ipv4.address().value() + static_cast<std::uint32_t>(i)));
}

void Collector::add(Ipv4Address ipv4) {
    // The table's own answers: host pairs before prefix pairs, the longest prefix first.
    MatchedIpv6 to6{};
    MatchedIpv4 to4{};
    if (!table_.find(ipv4, to6)) return;
    look_up_client(ipv4);
    // What user space refuses in every packet is not offered here.
    if (is_hard_martian(ipv4) || is_hard_martian(to6.address)) return;
    xlat646_by_ipv4 by4{};
    wire_words(to6.address, by4.ipv6);
    by4.slot = to6.slot;
    by4.delta = to6.delta;
    by_ipv4_.add(wire_word(ipv4), by4);
    // Prefix pairs may overlap on one side only.
    if (!table_.find(to6.address, to4) || to4.address != ipv4) return;
    Ipv6Key key6{};
    wire_words(to6.address, key6.words);
    xlat646_by_ipv6 by6{};
    by6.ipv4 = wire_word(ipv4);
    by6.slot = to4.slot;
    by6.delta = to4.delta;
    by_ipv6_.add(key6, by6);
}

void Collector::add_own(Ipv4Address a) {
    look_up_client(a);
    xlat646_by_ipv4 own{};
    own.slot = XLAT646_NO_SLOT;
    by_ipv4_.add(wire_word(a), own);
}

void Collector::look_up_client(Ipv4Address a) {
    xlat646_client& c = classes_[a.value() >> 16];
    if (c == xlat646_client_free) c = xlat646_client_lookup;
}

KernelTable Collector::load() {
    KernelTable made;
    made.by_ipv4 = by_ipv4_.finish();
    made.by_ipv6 = by_ipv6_.finish();
    made.owners = std::move(owners_);
    made.clients.resize(XLAT646_CLIENT_WORDS);
    for (std::size_t i = 0; i < client_ranges; ++i)
        made.clients[i / 16] |= std::uint32_t{classes_[i]} << (i % 16 * 2);
    return made;
}

} // namespace

KernelTable make_kernel_table(const MappingTable& table, const Settings& settings) {
    return Collector(table, settings).load();
}

void KernelTable::visit(const Visitor& visitor) const {
    visit_map<std::uint32_t, xlat646_by_ipv4>(by_ipv4, [&](const auto&, const auto& value) {
        if (value.slot != XLAT646_NO_SLOT)
            visitor(value.slot, xlat646_v4_to_v6, {value.packets, value.bytes});
    });
    visit_map<Ipv6Key, xlat646_by_ipv6>(by_ipv6, [&](const auto&, const auto& value) {
        visitor(value.slot, xlat646_v6_to_v4, {value.packets, value.bytes});
    });
}

} // namespace xlat646
