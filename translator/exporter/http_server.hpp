// SPDX-License-Identifier: BSD-2-Clause
//
// Documents by HTTP: one thread, a bounded number of connections, each for a bounded time, with a
// bounded number of bytes waiting for slow readers. What clients do is not logged.
#pragma once

#include "translator/dataplane/tun.hpp"
#include "translator/exporter/documents.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <microhttpd.h>
#include <vector>

namespace xlat646 {

class HttpServer {
  public:
    static constexpr unsigned most_connections = 256; ///< more wait to be accepted
    static constexpr unsigned most_per_address = 64;  ///< more are closed
    static constexpr std::chrono::seconds idle_limit{10};
    /// For a request and its answer, from the end of the one before.
    static constexpr std::chrono::seconds request_limit{30};
    /// Answers that are no longer the newest ones, and are being sent.
    static constexpr std::size_t most_bytes_behind = std::size_t{256} << 20;

    /// Throws std::runtime_error.
    HttpServer(std::vector<FileDescriptor> listeners, Documents& documents);

    /// Until `stop` can be read; then what is being answered gets a moment.
    void run(int stop);

  private:
    using Clock = std::chrono::steady_clock;
    struct Connection {
        int socket;
        Clock::time_point deadline;
        AnswerPtr answer; ///< being sent
    };

    static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                                 const char* method, const char* version, const char* upload,
                                 size_t* upload_size, void** state);
    static void on_connection(void* self, MHD_Connection* connection, void** state,
                              MHD_ConnectionNotificationCode code);
    static void on_completed(void* self, MHD_Connection* connection, void** state,
                             MHD_RequestTerminationCode code);
    MHD_Result send(MHD_Connection* connection, AnswerPtr answer);

    /// Returns false when it makes no sense to try again soon.
    bool accept_from(int listener);
    void wait(int stop);
    void cut_late();
    void cut_behind();
    bool is_answering() const;

    struct Stop {
        void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
    };
    std::vector<FileDescriptor> listeners_;
    Documents& documents_;
    AnswerPtr wrong_method_;
    std::map<MHD_Connection*, Connection> connections_;
    bool may_accept_ = true;
    bool is_stopping_ = false;
    Clock::time_point tidied_{};
    std::unique_ptr<MHD_Daemon, Stop> daemon_; ///< the last one: its end calls us
};

} // namespace xlat646
