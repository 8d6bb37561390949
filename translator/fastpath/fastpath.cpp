// SPDX-License-Identifier: BSD-2-Clause
#include "translator/fastpath/fastpath.hpp"

#include "translator/fastpath/attachment.hpp"
#include "translator/fastpath/kernel_table.hpp"
#include "translator/wire/checksum.hpp"

#include <algorithm>
#include <atomic>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <condition_variable>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <mutex>
#include <sys/random.h>
#include <system_error>
#include <thread>
#include <time.h>
#include <type_traits>
#include <xlat646_bpf.skel.h>

namespace xlat646 {
namespace {

/// The last thing libbpf had to say: it prints, and returns a mere number.
thread_local std::string last_words;

[[gnu::format(printf, 2, 0)]] int remember(libbpf_print_level level, const char* format,
                                           va_list arguments) {
    if (level != LIBBPF_WARN) return 0;
    char line[256];
    std::vsnprintf(line, sizeof line, format, arguments);
    last_words = line;
    while (!last_words.empty() && last_words.back() == '\n')
        last_words.pop_back();
    return 0;
}

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(),
                            what + (last_words.empty() ? "" : " (" + last_words + ")"));
}

void fill_random(void* bytes, std::size_t length) {
    for (std::size_t done = 0; done < length;) {
        const ssize_t got = getrandom(static_cast<std::uint8_t*>(bytes) + done, length - done, 0);
        if (got < 0 && errno != EINTR) fail(errno, "getrandom");
        done += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
}

std::uint64_t monotonic_ns() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

/// The program reads it at any time.
template <class T> void publish(T& where, std::type_identity_t<T> value) {
    std::atomic_ref(where).store(value, std::memory_order_release);
}

xlat646_settings kernel_settings(const Settings& s) {
    xlat646_settings k{};
    std::uint32_t prefix[4];
    wire_words(s.prefix.prefix().address(), prefix);
    std::copy_n(prefix, 3, k.prefix);
    k.prefix_sum = ChecksumSum().add(s.prefix.prefix().address()).fold();
    k.replaces_dscp = s.dscp.has_value();
    k.dscp = static_cast<std::uint8_t>(s.dscp.value_or(0) << 2);
    k.clamps_mss = s.tcp_mss_clamp.mode != MssClamp::Mode::off;
    k.mtu4 = s.mtu4;
    k.mtu6 = s.mtu6;
    k.limit6 = std::min(s.lowest_ipv6_mtu, s.mtu6);
    // Not those of user space: two equal generators would give the same numbers twice.
    fill_random(k.id_key, sizeof k.id_key);
    return k;
}

struct Destroy {
    void operator()(xlat646_bpf* skeleton) const { xlat646_bpf::destroy(skeleton); }
};

} // namespace

struct Fastpath::Parts {
    std::unique_ptr<xlat646_bpf, Destroy> bpf;
    Settings settings;
    KernelTable used, next, old;
    std::uint64_t generation = 0;                  ///< of `used`
    bool is_paused = true;                         ///< protected by `mutex`
    bool is_aside = false;                         ///< the same
    std::vector<PairTraffic> kept;                 ///< by slot: counted by tables that are gone
    std::map<std::string, Attachment> attachments; ///< by interface

    std::mutex mutex;
    std::condition_variable_any wake;
    std::jthread heart; ///< last: stops first

    void renew();
    void beat(const std::stop_token& stop);
    void keep(const KernelTable& table, std::vector<PairTraffic>& totals) const;
    void set_tables(std::uint64_t number, const KernelTable& table) const;
};

Fastpath::Fastpath(const Settings& settings) : parts_(std::make_unique<Parts>()) {
    Parts& p = *parts_;
    p.settings = settings;
    libbpf_set_print(remember);
    last_words.clear();
    p.bpf.reset(xlat646_bpf::open());
    if (!p.bpf) fail(errno, "the fast path's program is unreadable");
    p.bpf->rodata->settings =
        std::bit_cast<decltype(p.bpf->rodata->settings)>(kernel_settings(settings));
    fill_random(p.bpf->bss->identification, sizeof p.bpf->bss->identification);
    const int error = xlat646_bpf::load(p.bpf.get());
    if (error == -EPERM || error == -EACCES)
        fail(EPERM, "no right to load the fast path's program (CAP_BPF, CAP_PERFMON, "
                    "CAP_NET_ADMIN)");
    if (error != 0) fail(-error, "the kernel refuses the fast path's program");
    p.heart = std::jthread([&p](const std::stop_token& stop) { p.beat(stop); });
}

Fastpath::~Fastpath() {
    if (!parts_) return;
    detach_all();
    parts_->heart = {};
}

FastpathHook Fastpath::attach(const std::string& interface, FastpathHook hook) {
    last_words.clear();
    Parts& p = *parts_;
    p.attachments.erase(interface);
    const Attachment::Programs programs{bpf_program__fd(p.bpf->progs.xlat646_ether),
                                        bpf_program__fd(p.bpf->progs.xlat646_layer3)};
    const auto at = p.attachments.emplace(interface, Attachment(interface, programs, hook)).first;
    return at->second.hook();
}

bool Fastpath::is_attached(const std::string& interface) const {
    const auto found = parts_->attachments.find(interface);
    return found != parts_->attachments.end() && found->second.is_in_place(interface);
}

void Fastpath::detach(const std::string& interface) noexcept {
    parts_->attachments.erase(interface);
}

void Fastpath::detach_all() noexcept { parts_->attachments.clear(); }

void Fastpath::prepare(const MappingTable& table) {
    Parts& p = *parts_;
    last_words.clear();
    // Nobody looks at these places now: retire() has waited for that.
    KernelTable next = make_kernel_table(table, p.settings);
    const std::uint64_t number = (p.generation + 1) % 2;
    p.set_tables(number, next);
    std::copy(next.clients.begin(), next.clients.end(), p.bpf->bss->clients[number]);
    p.bpf->data_state->state.mask_ipv4[number] = next.by_ipv4.mask;
    p.bpf->data_state->state.mask_ipv6[number] = next.by_ipv6.mask;
    p.next = std::move(next);
}

void Fastpath::Parts::set_tables(std::uint64_t number, const KernelTable& table) const {
    const auto key = static_cast<std::uint32_t>(number);
    const auto set = [&](const bpf_map* outer, const CellMap& inner) {
        const int fd = inner.map.get();
        const int error = fd < 0 ? bpf_map_delete_elem(bpf_map__fd(outer), &key)
                                 : bpf_map_update_elem(bpf_map__fd(outer), &key, &fd, BPF_ANY);
        if (error != 0 && error != -ENOENT) fail(-error, "cannot exchange the kernel tables");
    };
    set(bpf->maps.tables4, table.by_ipv4);
    set(bpf->maps.tables6, table.by_ipv6);
}

void Fastpath::flip() noexcept {
    Parts& p = *parts_;
    if (p.next.is_empty()) return;
    p.old = std::move(p.used);
    p.used = std::move(p.next);
    p.next = {};
    publish(p.bpf->data_state->state.generation, ++p.generation);
    const std::lock_guard lock(p.mutex);
    p.is_paused = false;
    p.renew();
}

void Fastpath::retire() {
    Parts& p = *parts_;
    if (p.old.is_empty()) return;
    // The kernel returns from this only when no program runs that may have read the old generation:
    // a program that is late finds nothing and leaves its packet to user space.
    p.set_tables((p.generation + 1) % 2, {});
    const KernelTable old = std::move(p.old);
    p.old = {};
    p.keep(old, p.kept);
}

void Fastpath::pause() noexcept {
    const std::lock_guard lock(parts_->mutex);
    parts_->is_paused = true;
    parts_->renew();
}

void Fastpath::stand_aside(bool aside) noexcept {
    const std::lock_guard lock(parts_->mutex);
    parts_->is_aside = aside;
    parts_->renew();
}

void Fastpath::Parts::renew() {
    constexpr auto ns = std::chrono::nanoseconds(permission).count();
    const std::uint64_t deadline =
        is_paused || is_aside ? 0 : monotonic_ns() + static_cast<std::uint64_t>(ns);
    publish(bpf->data_state->state.deadline, deadline);
}

void Fastpath::Parts::beat(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
        renew();
        (void)wake.wait_for(lock, stop, permission / 3, [] { return false; });
    }
}

void Fastpath::Parts::keep(const KernelTable& table, std::vector<PairTraffic>& totals) const {
    table.visit([&](std::uint32_t slot, xlat646_direction direction, xlat646_traffic traffic) {
        if (traffic.packets == 0) return;
        if (slot >= totals.size()) totals.resize(table.owners.size());
        PairTraffic& total = totals[slot];
        // A slot that was given to another pair starts anew.
        if (total.ipv4 != table.owners[slot]) total = {table.owners[slot], {}};
        total.traffic[direction].packets += traffic.packets;
        total.traffic[direction].bytes += traffic.bytes;
    });
}

std::vector<PairTraffic> Fastpath::pair_traffic() const {
    std::vector<PairTraffic> totals = parts_->kept;
    for (const KernelTable* table : {&parts_->old, &parts_->used})
        if (!table->is_empty()) parts_->keep(*table, totals);
    std::erase_if(totals, [](const PairTraffic& t) {
        return std::all_of(std::begin(t.traffic), std::end(t.traffic),
                           [](const xlat646_traffic& one) { return one.packets == 0; });
    });
    return totals;
}

xlat646_counters Fastpath::counters() const {
    constexpr std::size_t words = sizeof(xlat646_counters) / sizeof(std::uint64_t);
    const int cpus = libbpf_num_possible_cpus();
    std::vector<std::array<std::uint64_t, words>> each(static_cast<std::size_t>(std::max(cpus, 1)));
    std::array<std::uint64_t, words> total{};
    const std::uint32_t zero = 0;
    if (bpf_map_lookup_elem(bpf_map__fd(parts_->bpf->maps.counters), &zero, each.data()) == 0)
        for (const auto& one : each)
            for (std::size_t i = 0; i < words; ++i)
                total[i] += one[i];
    return std::bit_cast<xlat646_counters>(total);
}

int Fastpath::program() const { return bpf_program__fd(parts_->bpf->progs.xlat646_ether); }

} // namespace xlat646
