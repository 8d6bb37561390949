// SPDX-License-Identifier: BSD-2-Clause
//
// Lines to stderr that never make the daemon wait. What stderr does not take at once is kept, up to
// a limit; what is beyond it is lost, counted, and the count is written when there is room again.
//
// O_NONBLOCK would do, but it belongs to the open file, which other processes share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <spdlog/sinks/base_sink.h>
#include <string>
#include <string_view>

namespace xlat646 {

class LogSink : public spdlog::sinks::base_sink<std::mutex> {
  public:
    static constexpr std::size_t most_kept = std::size_t{256} * 1024; ///< bytes

    /// Not owned. Waits for a slow reader until stop_waiting().
    explicit LogSink(int fd);
    /// Waits for a moment if something is left: nothing depends on this process any more.
    ~LogSink() override;
    LogSink(const LogSink&) = delete;
    LogSink& operator=(const LogSink&) = delete;

    void stop_waiting();

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override;

  private:
    enum class Kind : std::uint8_t { waits, file, socket, own, shared };
    void put(const spdlog::details::log_msg& message);
    /// As write(2).
    ssize_t write_some(std::string_view text) const;
    void write_kept();

    int fd_;
    int own_ = -1; ///< the same pipe or terminal, opened once more
    Kind kind_ = Kind::waits;
    std::string kept_;
    std::uint64_t lost_ = 0; ///< lines
};

} // namespace xlat646
