// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/http_server.hpp"

#include "translator/daemon/log.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <set>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>

namespace xlat646 {
namespace {

constexpr std::size_t connection_memory = std::size_t{16} << 10; ///< of a request
/// The kernel doubles it. What it buffers for all slow readers together is 64 MB.
constexpr int socket_buffer = 128 << 10;
constexpr int most_accepted_at_once = 64;
constexpr std::chrono::seconds tidy_interval{1};
constexpr std::chrono::seconds last_moment{2};

MHD_Result add_argument(void* out, MHD_ValueKind, const char* key, size_t key_size,
                        const char* value, size_t value_size) {
    static_cast<Arguments*>(out)->emplace_back(std::string(key, key_size),
                                               value == nullptr ? std::string()
                                                                : std::string(value, value_size));
    return MHD_YES;
}

void forget(void* answer) { delete static_cast<AnswerPtr*>(answer); }

} // namespace

HttpServer::HttpServer(std::vector<FileDescriptor> listeners, Documents& documents)
    : listeners_(std::move(listeners)), documents_(documents) {
    wrong_method_ = std::make_shared<const Answer>(Answer{MHD_HTTP_METHOD_NOT_ALLOWED,
                                                          "text/plain; charset=utf-8",
                                                          "GET and HEAD only\n",
                                                          {{MHD_HTTP_HEADER_ALLOW, "GET, HEAD"}}});
    // It gets its connections from us, for all listeners share the limits.
    daemon_.reset(MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr, &on_request, this,
        MHD_OPTION_CONNECTION_LIMIT, most_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        most_per_address, MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(idle_limit.count()),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory, MHD_OPTION_NOTIFY_CONNECTION,
        &on_connection, this, MHD_OPTION_NOTIFY_COMPLETED, &on_completed, this,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END));
    if (!daemon_) throw std::runtime_error("libmicrohttpd does not start");
}

void HttpServer::run(int stop) {
    Clock::time_point stopping{};
    for (;;) {
        wait(stop);
        (void)MHD_run(daemon_.get());
        const auto now = Clock::now();
        if (now - tidied_ >= tidy_interval) {
            tidied_ = now;
            may_accept_ = true;
            documents_.tidy(now);
            cut_late();
            cut_behind();
        }
        if (!is_stopping_) continue;
        if (stopping == Clock::time_point{}) stopping = now;
        if (!is_answering() || now - stopping > last_moment) return;
    }
}

/// For something to do, and does what concerns connections that are not there yet.
void HttpServer::wait(int stop) {
    const auto* const info = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD);
    std::vector<pollfd> watched{{info->epoll_fd, POLLIN, 0}};
    if (!is_stopping_) {
        watched.push_back({stop, POLLIN, 0});
        if (may_accept_ && connections_.size() < most_connections)
            for (const FileDescriptor& listener : listeners_)
                watched.push_back({listener.get(), POLLIN, 0});
    }
    auto most = static_cast<unsigned long long>(std::chrono::milliseconds(tidy_interval).count());
    MHD_UNSIGNED_LONG_LONG wanted = 0;
    if (MHD_get_timeout(daemon_.get(), &wanted) == MHD_YES)
        most = std::min<unsigned long long>(most, wanted);
    if (::poll(watched.data(), watched.size(), static_cast<int>(most)) <= 0) return;
    if (watched.size() > 1 && watched[1].revents != 0) is_stopping_ = true;
    for (std::size_t i = 2; i < watched.size() && may_accept_; ++i)
        if (watched[i].revents != 0) may_accept_ = accept_from(watched[i].fd);
}

bool HttpServer::accept_from(int listener) {
    for (int i = 0; i < most_accepted_at_once && connections_.size() < most_connections; ++i) {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        auto* const address = reinterpret_cast<sockaddr*>(&peer);
        FileDescriptor socket(::accept4(listener, address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket.get() < 0)
            return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EPROTO;
        (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &socket_buffer,
                           sizeof socket_buffer);
        (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &socket_buffer,
                           sizeof socket_buffer);
        (void)MHD_add_connection(daemon_.get(), socket.release(), address, length); // or closes it
    }
    return true;
}

void HttpServer::on_connection(void* self, MHD_Connection* connection, void**,
                               MHD_ConnectionNotificationCode code) {
    auto& server = *static_cast<HttpServer*>(self);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        server.connections_.erase(connection);
        return;
    }
    const auto* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    server.connections_[connection] = {info->connect_fd, Clock::now() + request_limit, nullptr};
}

void HttpServer::on_completed(void* self, MHD_Connection* connection, void**,
                              MHD_RequestTerminationCode) {
    auto& server = *static_cast<HttpServer*>(self);
    const auto found = server.connections_.find(connection);
    if (found == server.connections_.end()) return;
    found->second.answer.reset();
    found->second.deadline = Clock::now() + request_limit;
}

MHD_Result HttpServer::on_request(void* self, MHD_Connection* connection, const char* url,
                                  const char* method, const char*, const char*, size_t* upload_size,
                                  void** state) {
    auto& server = *static_cast<HttpServer*>(self);
    try {
        const std::string_view word = method;
        if (word != MHD_HTTP_METHOD_GET && word != MHD_HTTP_METHOD_HEAD)
            return server.send(connection, server.wrong_method_);
        static char seen;
        if (*state == nullptr) { // only the header is there
            *state = &seen;
            return MHD_YES;
        }
        if (*upload_size != 0) { // a body that nobody wants
            *upload_size = 0;
            return MHD_YES;
        }
        Arguments arguments;
        (void)MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, &add_argument,
                                          &arguments);
        return server.send(connection, server.documents_.answer(url, arguments));
    } catch (const std::exception& e) { // it must not cross a C library
        log_error("an answer could not be made: {}", e.what());
        return MHD_NO;
    }
}

MHD_Result HttpServer::send(MHD_Connection* connection, AnswerPtr answer) {
    auto owner = std::make_unique<AnswerPtr>(answer);
    // The library does not write to it; its interface is older than const.
    auto* const bytes = const_cast<char*>(answer->body.data());
    MHD_Response* const response = MHD_create_response_from_buffer_with_free_callback_cls(
        answer->body.size(), bytes, &forget, owner.get());
    if (response == nullptr) return MHD_NO;
    (void)owner.release();
    bool is_whole = true;
    const auto add = [&](const char* name, const char* value) {
        is_whole = is_whole && MHD_add_response_header(response, name, value) == MHD_YES;
    };
    add(MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    add(MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    add("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer->headers)
        add(name, value.c_str());
    const MHD_Result result =
        is_whole ? MHD_queue_response(connection, answer->status, response) : MHD_NO;
    MHD_destroy_response(response);
    if (const auto found = connections_.find(connection); found != connections_.end())
        found->second.answer = std::move(answer);
    return result;
}

/// The library sees it, and closes the connection.
void HttpServer::cut_late() {
    const auto now = Clock::now();
    for (const auto& [handle, connection] : connections_)
        if (connection.deadline < now) (void)::shutdown(connection.socket, SHUT_RDWR);
}

/// From the newest answers on; who reads an older one that is too much is cut off.
void HttpServer::cut_behind() {
    std::vector<const Connection*> sending;
    for (const auto& [handle, connection] : connections_)
        if (connection.answer) sending.push_back(&connection);
    std::sort(sending.begin(), sending.end(),
              [](const Connection* a, const Connection* b) { return a->deadline > b->deadline; });
    std::set<const Answer*> kept;
    std::size_t bytes = 0;
    for (const Connection* const connection : sending) {
        const Answer* const answer = connection->answer.get();
        if (kept.count(answer) != 0) continue;
        if (!kept.empty() && bytes + answer->body.size() > most_bytes_behind) {
            (void)::shutdown(connection->socket, SHUT_RDWR);
            continue;
        }
        if (!kept.empty()) bytes += answer->body.size();
        kept.insert(answer);
    }
}

bool HttpServer::is_answering() const {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const auto& c) { return c.second.answer != nullptr; });
}

} // namespace xlat646
