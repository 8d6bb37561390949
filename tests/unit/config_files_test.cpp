// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_files.hpp"

#include "tests/unit/diagnostic_text.hpp"
#include "tests/unit/temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace xlat646 {

namespace {

class Directory : public TemporaryDirectory {
  public:
    std::string write(const std::string& name, const std::string& text,
                      unsigned mode = 0644) const {
        std::filesystem::create_directories(std::filesystem::path(at(name)).parent_path());
        std::ofstream(at(name), std::ios::binary) << text;
        REQUIRE(::chmod(at(name).c_str(), mode) == 0);
        return at(name);
    }
};

Lines read(const std::string& path, std::size_t most = 100) {
    Diagnostics diagnostics;
    const auto file = read_config_file(path, most, diagnostics);
    CHECK(file.has_value() == diagnostics.empty());
    return lines_of(diagnostics);
}

/// The names below `d` that `patterns` lead to.
Lines find(const Directory& d, const std::vector<std::string>& patterns, Lines& said) {
    Diagnostics diagnostics;
    const auto files = read_mapping_files(d.at("xlat646.yaml"), patterns, 1000, diagnostics);
    CHECK(files.has_value() == !has_errors(diagnostics));
    said = lines_of(diagnostics);
    Lines names;
    if (files) {
        for (const FileText& f : *files)
            names.push_back(f.path.substr(d.at("").size()) + "=" + f.text);
    }
    return names;
}

} // namespace

TEST_CASE("config files: a file is read whole", "[config]") {
    const Directory d;
    const std::string text = std::string("a\0b\n", 4);
    Diagnostics diagnostics;
    const auto file = read_config_file(d.write("f", text), 4, diagnostics);
    REQUIRE(file.has_value());
    CHECK(file->text == text);
    CHECK(file->path == d.at("f"));
    CHECK(diagnostics.empty());
    CHECK(read(d.write("empty", "")) == Lines{}); // the parser says so
}

TEST_CASE("config files: what cannot be read", "[config]") {
    const Directory d;
    CHECK(read(d.at("none")) ==
          Lines{d.at("none") + ": error: cannot be opened: No such file or directory"});
    CHECK(read(d.at("")) == Lines{d.at("") + ": error: is a directory, not a file"});
    CHECK(read("/dev/zero") == Lines{"/dev/zero: error: is not a regular file"});
    REQUIRE(::mkfifo(d.at("fifo").c_str(), 0644) == 0);
    CHECK(read(d.at("fifo")) == Lines{d.at("fifo") + ": error: is not a regular file"});
    CHECK(read(d.write("large", "12345"), 4) ==
          Lines{d.at("large") + ": error: too large: 5 bytes, at most 4 are read"});
    // A file of the kernel says that it has no bytes.
    CHECK(read("/proc/self/maps", 10) ==
          Lines{"/proc/self/maps: error: too large: more than 10 bytes"});
    std::filesystem::create_symlink("loop", d.at("loop"));
    CHECK(read(d.at("loop")) ==
          Lines{d.at("loop") + ": error: cannot be opened: Too many levels of symbolic links"});
    if (::geteuid() != 0)
        CHECK(read(d.write("secret", "x", 0)) ==
              Lines{d.at("secret") + ": error: cannot be opened: Permission denied"});
}

TEST_CASE("config files: only trusted files are read", "[config][SEC-02]") {
    const Directory d;
    CHECK(read(d.write("group", "x", 0664)) == Lines{});
    CHECK(read(d.write("world", "x", 0666)) ==
          Lines{d.at("world") + ": error: can be written to by everybody; run chmod o-w on it"});
    if (::geteuid() == 0) {
        CHECK(read(d.write("root's", "x", 0664)) == Lines{});
        const std::string group = d.write("theirs", "x");
        REQUIRE(::chown(group.c_str(), 0, 12345) == 0);
        REQUIRE(::chmod(group.c_str(), 0664) == 0);
        CHECK(read(group) ==
              Lines{group + ": error: can be written to by group 12345; run chmod g-w on it"});
        const std::string path = d.write("other", "x");
        REQUIRE(::chown(path.c_str(), 12345, 0) == 0);
        CHECK(read(path) == Lines{path + ": error: is owned by user 12345; it must be owned by "
                                         "root or by the user that runs this program"});
    }
}

TEST_CASE("config files: who can exchange a file", "[config][SEC-02]") {
    if (::geteuid() != 0) return; // nobody else can make directories of others
    const Directory d;
    constexpr uid_t foreign = 12345;
    const auto judge = [&](const std::string& path, Trust trust = Trust::of_this_process()) {
        Diagnostics strict, mild;
        const bool is_good =
            read_config_file(path, 100, strict, {Directories::are_judged, trust}).has_value();
        // Who only looks is warned by the same words, and reads.
        CHECK(read_config_file(path, 100, mild, {Directories::are_named, trust}).has_value());
        CHECK(is_good == mild.empty());
        REQUIRE(strict.size() == mild.size());
        return mild.empty() ? "" : strict[0].message;
    };
    const auto give = [&](const std::string& name, uid_t user, gid_t group, mode_t mode) {
        REQUIRE(::chown(d.at(name).c_str(), user, group) == 0);
        REQUIRE(::chmod(d.at(name).c_str(), mode) == 0);
    };
    const std::string file = d.write("place/f", "x");
    CHECK(judge(file) == "");
    give("place", 0, 0, 0777);
    CHECK(judge(file) == "its directory " + d.at("place/") +
                             " can be written to by everybody; run chmod o-w on it");
    give("place", 0, foreign, 0775);
    CHECK(judge(file) == "its directory " + d.at("place/") +
                             " can be written to by group 12345; run chmod g-w on it");
    CHECK(judge(file, {0, foreign}) == "");
    give("place", foreign, 0, 0755);
    CHECK(judge(file) == "its directory " + d.at("place/") +
                             " belongs to user 12345, who can put other files there; run chown "
                             "root on it");
    CHECK(judge(file, {foreign, 0}) == "");
    give("place", 0, 0, 01777);
    CHECK(judge(file) == "");

    // A link is as good as the place in which it lies, and in a sticky one as its owner.
    std::filesystem::create_directory(d.at("sticky"));
    give("sticky", 0, 0, 01777);
    std::filesystem::create_symlink("../place/f", d.at("sticky/link"));
    std::filesystem::create_symlink("sticky/link", d.at("first"));
    CHECK(judge(d.at("first")) == "");
    REQUIRE(::lchown(d.at("sticky/link").c_str(), foreign, foreign) == 0);
    CHECK(judge(d.at("first")) ==
          "the symbolic link sticky/link belongs to user 12345; run chown -h root on it");
    CHECK(judge(d.at("first"), {foreign, 0}) == "");
    std::filesystem::create_symlink(file, d.at("absolute"));
    CHECK(judge(d.at("absolute")) == "");
    give("place", 0, 0, 0777);
    CHECK(judge(d.at("absolute")) == "its directory " + d.at("place/") +
                                         " can be written to by everybody; run chmod o-w on it");
    CHECK(judge(d.at("sticky/link"), {foreign, 0}) ==
          "its directory ../place/ can be written to by everybody; run chmod o-w on it");
}

TEST_CASE("config files: names and globs", "[config]") {
    const Directory d;
    d.write("m.yaml", "m");
    d.write("d/b.yaml", "b");
    d.write("d/a.yaml", "a");
    d.write("d/c.txt", "c");
    d.write("d/.hidden.yaml", "h");
    std::filesystem::create_symlink("a.yaml", d.at("d/z.yaml"));
    Lines said;
    CHECK(find(d, {"m.yaml", "d/*.yaml"}, said) == Lines{"m.yaml=m", "d/a.yaml=a", "d/b.yaml=b"});
    CHECK(said == Lines{});
    CHECK(find(d, {"d/b.yaml", "d/*.yaml", "d/./b.yaml", d.at("m.yaml")}, said) ==
          Lines{"d/b.yaml=b", "d/a.yaml=a", "m.yaml=m"});
    CHECK(said == Lines{});
    CHECK(find(d, {"m.yaml", "none/*.yaml"}, said) == Lines{"m.yaml=m"});
    CHECK(said == Lines{d.at("none/*.yaml") + ": warning: no file matches"});
    CHECK(find(d, {"none/*.yaml"}, said) == Lines{});
    CHECK(said ==
          Lines{d.at("none/*.yaml") + ": warning: no file matches",
                d.at("xlat646.yaml") + ": error: mapping_files: no mapping file was found"});
    CHECK(find(d, {"x.yaml", "d", "y.yaml"}, said) == Lines{});
    CHECK(said == Lines{d.at("x.yaml") + ": error: cannot be opened: No such file or directory",
                        d.at("d") + ": error: is a directory, not a file",
                        d.at("y.yaml") + ": error: cannot be opened: No such file or directory"});
}

TEST_CASE("config files: a directory whose name looks like a glob", "[config]") {
    const Directory outer;
    outer.write("[a]*/m.yaml", "inner");
    outer.write("a/m.yaml", "wrong");
    Diagnostics diagnostics;
    const std::vector<std::string> patterns = {"*.yaml"};
    const auto files =
        read_mapping_files(outer.at("[a]*/xlat646.yaml"), patterns, 100, diagnostics);
    REQUIRE(files.has_value());
    REQUIRE(files->size() == 1);
    CHECK(files->front().text == "inner");
    CHECK(loader_inputs(*files).front().text == "inner");
}

} // namespace xlat646
