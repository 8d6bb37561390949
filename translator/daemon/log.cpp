// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/log.hpp"

#include "translator/daemon/log_sink.hpp"

#include <cstdlib>
#include <memory>
#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace xlat646 {
namespace {

/// sd-daemon(3): the kernel's priorities as a prefix.
class PriorityPrefix : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        const char* prefix = "<6>";
        switch (message.level) {
        case spdlog::level::critical: prefix = "<2>"; break;
        case spdlog::level::err: prefix = "<3>"; break;
        case spdlog::level::warn: prefix = "<4>"; break;
        case spdlog::level::debug:
        case spdlog::level::trace: prefix = "<7>"; break;
        default: break;
        }
        out.append(prefix, prefix + 3);
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<PriorityPrefix>();
    }
};

} // namespace

void set_up_log() {
    auto logger =
        std::make_shared<spdlog::logger>("xlat646d", std::make_shared<LogSink>(STDERR_FILENO));
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    if (std::getenv("JOURNAL_STREAM") != nullptr)
        formatter->add_flag<PriorityPrefix>('*').set_pattern("%*%v");
    else
        formatter->set_pattern("%Y-%m-%d %H:%M:%S.%e %-7l %v");
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog::level::info);
    logger->flush_on(spdlog::level::trace);
    logger->set_error_handler([](const std::string&) {});
    spdlog::set_default_logger(std::move(logger));
}

void log_without_waiting() {
    const auto logger = spdlog::default_logger();
    for (const auto& sink : logger->sinks())
        if (auto* ours = dynamic_cast<LogSink*>(sink.get())) ours->stop_waiting();
}

void flush_log() { spdlog::default_logger_raw()->flush(); }

void log_line(LogLevel level, const std::string& text) {
    constexpr spdlog::level::level_enum levels[] = {spdlog::level::info, spdlog::level::warn,
                                                    spdlog::level::err, spdlog::level::critical};
    spdlog::default_logger_raw()->log(levels[static_cast<std::size_t>(level)], text);
}

void log_diagnostics(const Diagnostics& diagnostics) {
    for (const Diagnostic& d : diagnostics) {
        switch (d.severity) {
        case Severity::error: log_line(LogLevel::error, d.to_string()); break;
        case Severity::warning: log_line(LogLevel::warning, d.to_string()); break;
        case Severity::note: log_line(LogLevel::info, d.to_string()); break;
        }
    }
}

} // namespace xlat646
