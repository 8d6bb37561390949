// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <glob.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace xlat646 {

namespace {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

using FileId = std::pair<dev_t, ino_t>;

void report(Diagnostics& out, Severity severity, const std::string& path, std::string message) {
    out.push_back({severity, path, 0, 0, std::move(message)});
}

/// Empty after success, else what failed. The file may grow or shrink meanwhile.
std::string read_all(int fd, std::size_t expected, std::size_t most_bytes, std::string& text) {
    text.resize(expected + 1); // one more, so that the end is seen without growing
    std::size_t size = 0;
    for (;;) {
        if (size == text.size()) text.resize(size * 2);
        const ssize_t got = ::read(fd, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::string("cannot be read: ") + std::strerror(errno);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
        if (size > most_bytes)
            return "too large: more than " + std::to_string(most_bytes) + " bytes";
    }
    text.resize(size);
    return {};
}

std::optional<FileText> read_file(const std::string& path, std::size_t most_bytes,
                                  Diagnostics& diagnostics, const FileRules& rules, FileId* id) {
    const auto fail = [&](std::string message) {
        report(diagnostics, Severity::error, path, std::move(message));
        return std::nullopt;
    };
    TrustedFile opened = open_trusted(path, rules.trust);
    const Descriptor file(opened.descriptor);
    if (!opened.fault.empty()) return fail(std::move(opened.fault));
    if (!opened.directory_fault.empty()) {
        if (rules.directories == Directories::are_judged)
            return fail(std::move(opened.directory_fault));
        report(diagnostics, Severity::warning, path, std::move(opened.directory_fault));
    }
    if (std::cmp_greater(opened.state.st_size, most_bytes))
        return fail("too large: " + std::to_string(opened.state.st_size) + " bytes, at most " +
                    std::to_string(most_bytes) + " are read");
    if (id != nullptr) *id = {opened.state.st_dev, opened.state.st_ino};
    FileText result{path, {}};
    if (std::string fault = read_all(file.get(), static_cast<std::size_t>(opened.state.st_size),
                                     most_bytes, result.text);
        !fault.empty())
        return fail(std::move(fault));
    return result;
}

bool is_glob(const std::string& name) { return name.find_first_of("*?[") != std::string::npos; }

/// Glob characters in the directory of the main file mean themselves.
std::string escape_glob(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '*' || c == '?' || c == '[' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

/// The paths a pattern stands for, sorted by bytes. False: an error was reported.
bool expand(const std::string& directory, const std::string& pattern,
            std::vector<std::string>& paths, Diagnostics& diagnostics, const FileRules& rules) {
    const std::string base = pattern.starts_with('/') ? "" : directory;
    if (!is_glob(pattern)) {
        paths.push_back(base + pattern);
        return true;
    }
    // Who can take files away from there takes pairs away, too.
    const std::string place = base + pattern.substr(0, pattern.rfind('/') + 1);
    if (std::string fault = is_glob(place.substr(base.size()))
                                ? std::string()
                                : fault_of_directory(place, rules.trust);
        !fault.empty()) {
        const bool is_error = rules.directories == Directories::are_judged;
        report(diagnostics, is_error ? Severity::error : Severity::warning, base + pattern,
               std::move(fault));
        if (is_error) return false;
    }
    glob_t found{};
    const int status = ::glob((escape_glob(base) + pattern).c_str(), GLOB_NOSORT, nullptr, &found);
    for (std::size_t i = 0; status == 0 && i < found.gl_pathc; ++i)
        paths.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    std::sort(paths.begin(), paths.end());
    if (status == GLOB_NOMATCH)
        report(diagnostics, Severity::warning, base + pattern, "no file matches");
    else if (status != 0)
        report(diagnostics, Severity::error, base + pattern, "cannot be searched");
    return status == 0 || status == GLOB_NOMATCH;
}

} // namespace

std::optional<FileText> read_config_file(const std::string& path, std::size_t most_bytes,
                                         Diagnostics& diagnostics, const FileRules& rules) {
    return read_file(path, most_bytes, diagnostics, rules, nullptr);
}

std::optional<FileText> read_standard_input(std::size_t most_bytes, Diagnostics& diagnostics) {
    FileText result{"-", {}};
    const std::string fault = read_all(STDIN_FILENO, 0, most_bytes, result.text);
    if (fault.empty()) return result;
    report(diagnostics, Severity::error, result.path, fault);
    return std::nullopt;
}

std::optional<std::vector<FileText>>
read_mapping_files(const std::string& config_path, std::span<const std::string> patterns,
                   std::size_t most_bytes, Diagnostics& diagnostics, const FileRules& rules) {
    const std::size_t slash = config_path.rfind('/');
    const std::string directory =
        slash == std::string::npos ? "" : config_path.substr(0, slash + 1);
    std::vector<FileText> files;
    std::set<std::string> tried;
    std::set<FileId> taken; // also finds a file by its second name
    std::size_t size = 0;
    bool good = true;
    for (const std::string& pattern : patterns) {
        std::vector<std::string> paths;
        good = expand(directory, pattern, paths, diagnostics, rules) && good;
        for (const std::string& path : paths) {
            if (!tried.insert(path).second) continue;
            FileId id;
            auto file = read_file(path, most_bytes - size, diagnostics, rules, &id);
            if (!file) {
                good = false;
            } else if (taken.insert(id).second) {
                size += file->text.size();
                files.push_back(std::move(*file));
            }
        }
    }
    if (good && files.empty()) {
        report(diagnostics, Severity::error, config_path,
               "mapping_files: no mapping file was found");
        good = false;
    }
    if (!good) return std::nullopt;
    return files;
}

std::vector<LoaderInput> loader_inputs(std::span<const FileText> files) {
    std::vector<LoaderInput> inputs;
    for (const FileText& f : files)
        inputs.push_back({f.path, f.text});
    return inputs;
}

} // namespace xlat646
