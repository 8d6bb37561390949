// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/announcement.hpp"

#include "translator/daemon/log.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace xlat646 {

void Announcement::begin() {
    try {
        const bool is_there = ::access(drain_file_.c_str(), F_OK) == 0;
        const DrainState state = read_drain(drain_file_);
        if (!is_there || state == DrainState::by_shutdown)
            write_drain(drain_file_, DrainState::none);
        if (state == DrainState::by_shutdown) ask(bird_configure);
        if (state == DrainState::by_operator)
            log_warning("drained by the operator: BIRD announces nothing until xlat646 undrain");
    } catch (const std::exception& e) {
        log_error("drain file: {}", e.what());
    }
}

void Announcement::withdraw() {
    is_withdrawing_ = true;
    try {
        if (read_drain(drain_file_) == DrainState::by_operator) return;
        write_drain(drain_file_, DrainState::by_shutdown);
        ask(bird_configure);
    } catch (const std::exception& e) {
        log_error("drain file: {}", e.what());
        ask(bird_withdraw);
    }
}

void Announcement::ask(const char* command) {
    constexpr std::chrono::seconds patience{10};
    asked_ = command;
    request_ = std::make_unique<BirdRequest>(bird_socket_, command, patience);
}

void Announcement::serve() {
    if (!request_) return;
    request_->serve();
    if (!request_->is_done()) return;
    const auto request = std::move(request_);
    conclude(request->reply());
}

void Announcement::conclude(const BirdReply& reply) {
    switch (reply.kind) {
    case BirdReply::Kind::done: log_info("BIRD, {}: {}", asked_, reply.text); return;
    case BirdReply::Kind::absent:
        log_info("{}, so it announces nothing", reply.text);
        is_withdrawing_ = false;
        return;
    case BirdReply::Kind::refused:
    case BirdReply::Kind::failed:
        log_error("BIRD, {}: {} {}", asked_, reply.code, reply.text);
        // An error anywhere in its files must not keep the routes up.
        if (is_withdrawing_ && asked_ != bird_withdraw) ask(bird_withdraw);
    }
}

nlohmann::ordered_json Announcement::status() const {
    nlohmann::ordered_json out = {
        {"draining", false}, {"by", nullptr}, {"drain_file", drain_file_}, {"problem", ""}};
    try {
        const DrainState state = read_drain(drain_file_);
        out["draining"] = state != DrainState::none;
        if (state == DrainState::by_operator) out["by"] = "operator";
        if (state == DrainState::by_shutdown) out["by"] = "stop of xlat646d";
    } catch (const std::exception& e) {
        out["problem"] = e.what();
    }
    return out;
}

} // namespace xlat646
