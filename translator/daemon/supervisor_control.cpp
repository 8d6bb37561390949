// SPDX-License-Identifier: BSD-2-Clause
//
// What the daemon answers on its control socket. The counters are those of SIGUSR1, the reload is
// that of SIGHUP and SIGUSR2.
#include "translator/daemon/log.hpp"
#include "translator/daemon/supervisor.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace xlat646 {

using nlohmann::ordered_json;

namespace {

constexpr const char* name_of(FastpathMode mode) {
    switch (mode) {
    case FastpathMode::automatic: return "auto";
    case FastpathMode::on: return "on";
    case FastpathMode::off: break;
    }
    return "off";
}

} // namespace

void Supervisor::open_control_socket() {
    if (config_.control_socket.empty()) return;
    const auto answer_to = [this](const ControlRequest& request, FileDescriptor& socket) {
        return request.command == ControlRequest::Command::capture
                   ? begin_capture(request.capture, socket)
                   : answer(request);
    };
    if (inheritance_ != nullptr && inheritance_->control.get() >= 0 &&
        inheritance_->legacy.control_socket == config_.control_socket)
        control_.emplace(std::make_unique<SocketFile>(config_.control_socket,
                                                      std::move(inheritance_->control),
                                                      std::move(inheritance_->control_lock),
                                                      inheritance_->legacy.made_directory),
                         answer_to);
    else
        control_.emplace(
            std::make_unique<SocketFile>(config_.control_socket, from_root_.control_group),
            answer_to);
}

std::string Supervisor::answer(const ControlRequest& request) {
    if (request.command == ControlRequest::Command::status) {
        ordered_json status = report();
        status["counters"] = counters();
        return answer_line("status", status);
    }
    if (request.command == ControlRequest::Command::restart) {
        const std::string problem = restart();
        return answer_line("restart", {{"done", problem.empty()},
                                       {"problem", problem},
                                       {"pid", successor_ ? successor_->pid() : ::getpid()}});
    }
    log_info("reload asked for by the control socket ({}){}", control_->peer(),
             request.force ? ", forced" : "");
    reload(request.force ? Guard::overrule : Guard::ask);
    ordered_json result = to_json(reloads_seen_.front());
    result["table"] = table_status();
    return answer_line("reload", result);
}

std::string Supervisor::begin_capture(const CaptureWish& wish, FileDescriptor& socket) {
    if (capture_ && capture_->is_over()) forget_capture();
    if (capture_) return error_answer("another capture is running, and there is one at a time");
    const bool has_fastpath =
        std::any_of(uplinks_.begin(), uplinks_.end(),
                    [](const FastpathUplink& u) { return u.hook.has_value(); });
    std::string line =
        answer_line("capture", {{"format", CaptureSession::format},
                                {"fastpath", has_fastpath && !wish.without_fastpath}});
    capture_.emplace(std::move(socket), wish, workers_.size(), captures_, std::move(line));
    stands_aside_ = wish.without_fastpath && fastpath_ != nullptr;
    if (stands_aside_) fastpath_->stand_aside(true);
    log_info("capture asked for by the control socket{}",
             stands_aside_ ? "; the fast path stands aside meanwhile" : "");
    return {};
}

void Supervisor::forget_capture() {
    capture_.reset();
    if (!stands_aside_) return;
    stands_aside_ = false;
    fastpath_->stand_aside(false);
    log_info("the capture is over: the fast path goes on");
}

ordered_json Supervisor::table_status() const {
    return {{"mappings", table().size()}, {"digest", digest_}, {"generation", generation_}};
}

ordered_json Supervisor::report() const {
    using std::chrono::duration_cast, std::chrono::seconds;
    const auto up = std::chrono::steady_clock::now() - started_;
    const std::string why_not =
        stands_aside_ ? "stands aside while a capture runs" : fastpath_problem_;
    ordered_json fastpath = {{"mode", name_of(config_.fastpath.mode)},
                             {"runs", fastpath_ != nullptr && why_not.empty()},
                             {"why_not", why_not},
                             {"interfaces", ordered_json::array()}};
    for (const FastpathUplink& uplink : uplinks_)
        fastpath["interfaces"].push_back(to_json(uplink));
    if (fastpath_ == nullptr)
        for (const std::string& interface : config_.fastpath.interfaces)
            fastpath["interfaces"].push_back(
                to_json(FastpathUplink{interface, std::nullopt, fastpath_problem_}));
    ordered_json out = {
        {"version", XLAT646_VERSION},
        {"pid", ::getpid()},
        {"uptime_seconds", duration_cast<seconds>(up).count()},
        {"config", config_path_},
        {"translation_prefix", config_.settings.prefix.prefix().to_string()},
        {"table", table_status()},
        {"last_reload", nullptr},
        {"reload_history", to_json(reloads_seen_)},
        {"readiness", readiness_->status()},
        {"tun",
         {{"name", tun_->name()},
          {"queues", workers_.size()},
          {"offload", tun_->offloads().to_string()}}},
        {"fastpath", std::move(fastpath)},
        {"routing", announcement_ ? announcement_->status() : ordered_json()},
        {"hooks", hooks_.status()},
        {"stats_segment",
         {{"path", statistics_.path()},
          {"runs", statistics_.problem().empty()},
          {"why_not", statistics_.problem()}}},
    };
    if (!reloads_seen_.empty()) out["last_reload"] = to_json(reloads_seen_.front());
    return out;
}

} // namespace xlat646
