// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/readiness.hpp"

#include "routing-hooks/route_lookup.hpp"
#include "translator/daemon/status_report.hpp"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

using std::chrono::milliseconds;

/// In limits of the watchdog, with a thread that may have to wait for the kernel's lock of all
/// interfaces: others hold it for seconds when they remove namespaces.
constexpr unsigned patience = 5;
constexpr milliseconds longest_pause{250};
constexpr std::chrono::seconds pause_between_reasons{10};

FileDescriptor make_event() {
    FileDescriptor event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (event.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return event;
}

void signal_event(const FileDescriptor& event) {
    const std::uint64_t one = 1;
    (void)!::write(event.get(), &one, sizeof one);
}

} // namespace

Readiness::Readiness(const ReadinessConfig& config, const Tun& tun, const Settings& settings,
                     bool routes_are_ours, ProbePair& pair, LaneProbe& lanes, Watchdog& watchdog,
                     Carrier carrier)
    : config_(config), tun_(tun), pair_(pair), lanes_(lanes),
      watchdog_(watchdog), fixed_path_{nobody4, settings.own4, settings.own6,
                                       settings.prefix.embed(nobody4)},
      requirements_(config.require, tun.ifindex()),
      hysteresis_(config.failures, config.successes,
                  carrier == Carrier::is_on ? Hysteresis::State::on : Hysteresis::State::off),
      nonces_(config.failures), stop_(make_event()), news_(make_event()),
      is_guest_(carrier != Carrier::ours), is_ready_(carrier == Carrier::is_on) {
    if (config.probe) circuit_.emplace(tun, settings, routes_are_ours);
    if (!is_guest_) tun_.set_carrier(false);
}

Readiness::~Readiness() {
    stop_threads();
    if (is_guest_) return;
    try {
        tun_.set_carrier(false);
    } catch (const std::system_error&) { // the device has gone: so has its carrier
    }
}

void Readiness::stop_threads() {
    signal_event(stop_);
    if (pulse_.joinable()) pulse_.join();
    watchdog_.dismiss(); // what comes now may take its time
    if (thread_.joinable()) thread_.join();
}

void Readiness::settle() {
    const std::lock_guard lock(mutex_);
    if (!is_ready_) tun_.set_carrier(false); // it may have come on since we were told
    is_guest_ = false;
}

void Readiness::leave() {
    is_guest_ = true;
    stop_threads();
}

std::string Readiness::why_no_success() const {
    const std::lock_guard lock(mutex_);
    if (answered_ != 0) return {};
    return failed_ == 0 ? "none has ended yet" : is_ready_ ? last_failure_ : why_not_;
}

void Readiness::start(std::string announcement) {
    announcement_ = std::move(announcement);
    if (is_ready_) {
        why_not_.clear();
        say(true, "ready: " + announcement_);
    }
    beat();
    watchdog_.arm(milliseconds(config_.watchdog_ms));
    thread_ = std::thread([this] { run(); });
    (void)pthread_setname_np(thread_.native_handle(), "readiness");
    pulse_ = std::thread([this] { beat_for_the_watchdog(); });
    (void)pthread_setname_np(pulse_.native_handle(), "pulse");
}

milliseconds Readiness::beat_interval() const {
    return std::clamp(milliseconds(config_.watchdog_ms / 2), milliseconds(50), milliseconds(1000));
}

bool Readiness::Life::is_stuck(unsigned limit) noexcept {
    const std::uint32_t beats = beats_.load(std::memory_order_acquire);
    looks_ = beats == seen_ ? looks_ + 1 : 0;
    seen_ = beats;
    return limit != 0 &&
           looks_ >= (is_patient_.load(std::memory_order_relaxed) ? limit * patience : limit);
}

void Readiness::beat_for_the_watchdog() noexcept {
    const milliseconds quarter(config_.watchdog_ms / 4);
    const auto pause = quarter.count() == 0 ? longest_pause : std::min(longest_pause, quarter);
    const auto limit = static_cast<unsigned>(config_.watchdog_ms / pause.count());
    for (;;) {
        const bool supervisor_is_stuck = supervisor_.is_stuck(limit);
        if (prober_.is_stuck(limit) || supervisor_is_stuck)
            watchdog_.bite();
        else if (!watchdog_.beat())
            say(false, "the watchdog has gone: nobody will notice if this process is stopped");
        pollfd stop = {stop_.get(), POLLIN, 0};
        if (poll(&stop, 1, static_cast<int>(pause.count())) > 0) return;
    }
}

void Readiness::run() noexcept {
    for (;;) {
        const auto before = hysteresis_.state();
        auto end = Clock::now() + milliseconds(config_.interval_ms);
        Verdict verdict = Verdict::bad;
        try {
            begin_round();
            end = Clock::now() + milliseconds(config_.interval_ms); // all of it is for the answers
            if (!wait(end, true)) return;
            verdict = judge();
        } catch (const std::exception& e) { // the kernel answers no questions
            note_failure(e.what());
        }
        if (is_guest_) {
            // What it comes to is the other process's matter.
        } else if (verdict == Verdict::bad)
            act(hysteresis_.bad());
        else if (verdict == Verdict::good || before == Hysteresis::State::trial)
            act(hysteresis_.good());
        const bool is_urgent = hysteresis_.state() != before && verdict != Verdict::bad;
        if (!is_urgent && !wait(end, false)) return;
    }
}

void Readiness::begin_round() {
    const bool has_carrier = hysteresis_.state() != Hysteresis::State::off;
    const EchoContent content{pair_.token(), nonces_.renew()};
    {
        const std::lock_guard lock(mutex_);
        ++sent_;
    }
    if (has_carrier) dropped_ = dropped_on_output(tun_.name());
    const ProbePath& path = circuit_ ? circuit_->find_path() : fixed_path_;
    pair_.set_server(path.here6);
    lanes_.begin(path, content);
    if (circuit_) circuit_->begin(content, has_carrier);
    requirements_.begin(content.nonce);
}

bool Readiness::wait(Clock::time_point end, bool until_complete) {
    std::vector<pollfd> events = {{stop_.get(), POLLIN, 0}};
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        events.push_back({lanes_.descriptor(i), POLLIN, 0});
    if (circuit_) {
        events.push_back({circuit_->socket4().descriptor(), POLLIN, 0});
        events.push_back({circuit_->socket6().descriptor(), POLLIN, 0});
    }
    events.push_back({requirements_.descriptor4(), POLLIN, 0}); // poll() ignores a negative one
    events.push_back({requirements_.descriptor6(), POLLIN, 0});
    for (;;) {
        prober_.beat();
        collect();
        if (until_complete && what_is_missing().empty()) return true;
        const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
        if (left.count() <= 0) return true;
        const auto pause = std::min<milliseconds>(left, longest_pause);
        // When nothing more is expected only the clock and the end matter.
        (void)poll(events.data(), until_complete ? events.size() : 1,
                   static_cast<int>(pause.count()));
        if ((events[0].revents & POLLIN) != 0) return false;
    }
}

void Readiness::collect() {
    const bool has_carrier = hysteresis_.state() != Hysteresis::State::off;
    lanes_.collect(nonces_, [&](std::span<const std::uint8_t> translated) {
        if (circuit_ && !has_carrier) circuit_->put(translated);
    });
    if (circuit_) circuit_->collect(nonces_);
    requirements_.collect(nonces_);
}

std::string Readiness::what_is_missing() const {
    std::string all;
    const auto add = [&](const std::string& text) {
        if (!text.empty()) all += (all.empty() ? "" : "; ") + text;
    };
    add(lanes_.why_not());
    if (circuit_) add(circuit_->why_not());
    add(requirements_.why_not());
    return all;
}

Readiness::Verdict Readiness::judge() {
    const std::string missing = what_is_missing();
    if (missing.empty()) {
        const std::lock_guard lock(mutex_);
        ++answered_;
        return Verdict::good;
    }
    if (hysteresis_.state() != Hysteresis::State::off && circuit_ && circuit_->is_only_lost() &&
        missing == circuit_->why_not() && dropped_on_output(tun_.name()) > dropped_) {
        const std::lock_guard lock(mutex_);
        ++excused_;
        return Verdict::excused;
    }
    note_failure(missing);
    return Verdict::bad;
}

void Readiness::note_failure(const std::string& why) {
    const std::lock_guard lock(mutex_);
    ++failed_;
    if (is_ready_) {
        last_failure_ = why; // not yet enough of them
        return;
    }
    if (why == why_not_) return;
    why_not_ = why;
    // Reasons may take turns; the status has the latest one.
    const auto now = Clock::now();
    if (said_why_ != Clock::time_point{} && now - said_why_ < pause_between_reasons) return;
    said_why_ = now;
    messages_.push_back({false, "not ready, " + tun_.name() + " is without carrier: " + why});
    signal_event(news_);
}

void Readiness::act(Hysteresis::Action action) {
    if (action == Hysteresis::Action::none) return;
    if (action != Hysteresis::Action::announce) {
        prober_.be_patient();
        try {
            tun_.set_carrier(action == Hysteresis::Action::carrier_on);
        } catch (const std::system_error& e) {
            say(false, e.what());
        }
    }
    if (action == Hysteresis::Action::carrier_on) return;
    const std::lock_guard lock(mutex_);
    const bool was_ready = is_ready_;
    is_ready_ = action == Hysteresis::Action::announce;
    if (is_ready_ == was_ready) return; // a trial has failed
    since_ = std::chrono::system_clock::now();
    if (is_ready_) {
        why_not_.clear();
        messages_.push_back({true, withdrawals_ == 0 ? "ready: " + announcement_
                                                     : "ready again: " + announcement_});
    } else {
        ++withdrawals_;
        said_why_ = Clock::now();
        why_not_ = last_failure_;
        messages_.push_back(
            {false, "not ready any more, " + tun_.name() + " is without carrier: " + why_not_});
    }
    signal_event(news_);
}

void Readiness::say(bool is_good, std::string text) {
    const std::lock_guard lock(mutex_);
    messages_.push_back({is_good, std::move(text)});
    signal_event(news_);
}

std::vector<Readiness::Message> Readiness::take_messages() {
    std::uint64_t ignored = 0;
    (void)!::read(news_.get(), &ignored, sizeof ignored);
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
}

bool Readiness::is_ready() const {
    const std::lock_guard lock(mutex_);
    return is_ready_;
}

nlohmann::ordered_json Readiness::status() const {
    const std::lock_guard lock(mutex_);
    const auto ago = std::chrono::system_clock::now() - since_;
    return {{"ready", is_ready_},
            {"why_not", why_not_},
            {"since", utc_text(since_)},
            {"seconds", std::chrono::duration_cast<std::chrono::seconds>(ago).count()},
            {"withdrawals", withdrawals_}};
}

nlohmann::ordered_json Readiness::counters() const {
    const std::lock_guard lock(mutex_);
    return {{"sent", sent_}, {"answered", answered_}, {"failed", failed_}, {"excused", excused_}};
}

} // namespace xlat646
