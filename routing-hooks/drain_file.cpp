// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/drain_file.hpp"

#include "routing-hooks/replace_file.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

namespace xlat646 {

constexpr std::string_view by_shutdown_words = "# by the stop of xlat646d";

std::optional<DrainState> parse_drain(std::string_view text) {
    constexpr std::string_view start = "define XLAT646_DRAIN = ";
    if (!text.starts_with(start)) return std::nullopt;
    text.remove_prefix(start.size());
    if (text.starts_with("0;")) return DrainState::none;
    if (!text.starts_with("1;")) return std::nullopt;
    return text.find(by_shutdown_words) != std::string_view::npos ? DrainState::by_shutdown
                                                                  : DrainState::by_operator;
}

std::string drain_text(DrainState state) {
    std::string text = "define XLAT646_DRAIN = ";
    text += state == DrainState::none ? "0;" : "1;";
    if (state == DrainState::by_operator) text += " # by the operator";
    if (state == DrainState::by_shutdown) text += " " + std::string(by_shutdown_words);
    return text + "\n";
}

DrainState read_drain(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT) return DrainState::none;
    std::array<char, 256> bytes;
    const ssize_t size = fd < 0 ? -1 : ::read(fd, bytes.data(), bytes.size());
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (size < 0) throw std::system_error(error, std::generic_category(), path);
    const auto state = parse_drain({bytes.data(), static_cast<std::size_t>(size)});
    if (!state)
        throw std::runtime_error(path + ": expected \"define XLAT646_DRAIN = 0;\" or 1 "
                                        "(xlat646 drain and undrain write it)");
    return *state;
}

void write_drain(const std::string& path, DrainState state) {
    replace_file(path, drain_text(state));
}

} // namespace xlat646
