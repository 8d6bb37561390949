// SPDX-License-Identifier: BSD-2-Clause
//
// The segment as its readers see it, and what they do with files that are none.
#include "tests/unit/catch.hpp"
#include "tests/unit/temporary_directory.hpp"
#include "translator/stats/segment_reader.hpp"
#include "translator/stats/segment_writer.hpp"

#include <atomic>
#include <cstring>
#include <fstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace xlat646;
using Catch::Matchers::Contains;

namespace {

std::unique_ptr<const MappingTable> some_table() {
    MappingList list;
    for (std::uint32_t i = 0; i < 3; ++i) {
        Eam m;
        m.ipv4 = Ipv4Prefix(Ipv4Address(0xc0000200 + 16 * i), i == 2 ? 28 : 32);
        m.ipv6 = Ipv6Prefix(Ipv6Address(0x20010db800060000, 16 * i), i == 2 ? 124 : 128);
        if (i != 0) {
            m.name = static_cast<std::uint32_t>(list.text.size());
            list.text += "name" + std::to_string(i) + '\0';
            m.tenant = static_cast<std::uint32_t>(list.text.size());
            list.text += "tenant" + std::to_string(i) + '\0';
        }
        list.mappings.push_back(m);
    }
    return MappingTable::build(std::move(list), nullptr, 1);
}

SegmentWriter::Description description(std::string path) {
    return {std::move(path), 2, true, 7, 1234567890, std::string(64, 'd')};
}

std::vector<std::uint8_t> bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const void* bytes, std::size_t size) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
}

/// Whoever reads behind the end of it is ended.
class Guarded {
  public:
    explicit Guarded(const std::vector<std::uint8_t>& content) : size_(content.size()) {
        REQUIRE(size_ % segment_page == 0);
        void* const where = ::mmap(nullptr, size_ + segment_page, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(where != MAP_FAILED);
        data_ = static_cast<std::uint8_t*>(where);
        REQUIRE(::mprotect(data_ + size_, segment_page, PROT_NONE) == 0);
        std::memcpy(data_, content.data(), size_);
    }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
    ~Guarded() { ::munmap(data_, size_ + segment_page); }
    std::uint8_t* data() { return data_; }

    /// Everything that a reader can ask for; returns what came out.
    std::uint64_t read_all() const {
        const SegmentView view(data_);
        std::uint64_t sum = view.digest().size();
        for (std::size_t i = 0; i < view.mapping_count() + 1; ++i)
            if (const auto m = view.mapping(i)) sum += m->name.size() + m->tenant.size() + m->slot;
        for (std::uint32_t slot = 0; slot <= view.header().counts.slots; ++slot)
            sum += view.pair(slot)[0].packets + view.pair(slot)[1].bytes;
        sum += view.pair(0xffffffff)[0].packets;
        sum += view.sum([](const WorkerCounters& c) -> const Counter& { return c.futile_polls; });
        sum += view.fastpath(1).passed[1][fastpath_pass_count - 1].get();
        for (const SegmentView::Drop& drop : view.drops())
            sum += drop.sample.to_string().size() + sentence_of(drop.reason).size();
        return sum + view.report().size() + view.life().beat_ms;
    }

  private:
    std::size_t size_;
    std::uint8_t* data_ = nullptr;
};

} // namespace

TEST_CASE("segment: what is written is read", "[segment]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    const auto table = some_table();
    SegmentWriter writer(description(path), *table);
    CHECK_THROWS_AS(SegmentReader(path), std::system_error); // not yet
    writer.publish();
    const SegmentReader reader(path);
    const SegmentView& view = reader.view();
    CHECK(view.state() == SegmentState::current);
    CHECK(view.header().pid == static_cast<std::uint32_t>(::getpid()));
    CHECK(view.header().generation == 7);
    CHECK(view.header().started == 1234567890);
    CHECK(view.digest() == std::string(64, 'd'));
    REQUIRE(view.mapping_count() == 3);
    for (std::uint32_t i = 0; i < 3; ++i) {
        const auto m = view.mapping(i);
        REQUIRE(m);
        const Eam& eam = table->list().mappings[i];
        CHECK(m->ipv4 == eam.ipv4);
        CHECK(m->ipv6 == eam.ipv6);
        CHECK(m->slot == eam.slot);
        CHECK(m->name == (i == 0 ? "" : "name" + std::to_string(i)));
        CHECK(m->tenant == (i == 0 ? "" : "tenant" + std::to_string(i)));
    }
    CHECK(!view.mapping(3));

    // Each writer has its own place, and all are summed.
    const auto blocks = writer.blocks();
    REQUIRE(blocks.size() == 2);
    for (std::size_t worker = 0; worker < 2; ++worker) {
        blocks[worker].counters->futile_polls.add(worker + 1);
        for (std::uint32_t slot = 0; slot < 3; ++slot)
            blocks[worker].pairs[slot].direction[1].add(10 * slot + worker);
    }
    writer.fastpath_pairs()[2].direction[1].add(1000);
    writer.fastpath().lost[1].add(5);
    writer.life().is_ready = 1;
    CHECK(view.sum([](const WorkerCounters& c) -> const Counter& { return c.futile_polls; }) == 3);
    CHECK(view.pair(0) == PairTotal{TrafficTotal{}, TrafficTotal{2, 1}});
    CHECK(view.pair(1) == PairTotal{TrafficTotal{}, TrafficTotal{2, 21}});
    CHECK(view.pair(2) == PairTotal{TrafficTotal{}, TrafficTotal{3, 1041}});
    CHECK(view.pair(2, SegmentView::With::user_space_only)[1].packets == 2);
    CHECK(view.fastpath(0).lost[1].get() == 5);
    CHECK(view.life().is_ready == 1);

    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0640);
    CHECK(static_cast<std::size_t>(found.st_blocks) * 512 >= view.header().offsets.size);
    writer.end(SegmentState::stopped);
    CHECK(view.state() == SegmentState::stopped);
    CHECK(view.pair(2)[1].packets == 3); // for whoever has it open
    CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("segment: readers follow, and keep what they have", "[segment]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    const auto table = some_table();
    auto description2 = description(path);
    description2.generation = 8;
    auto first = std::make_unique<SegmentWriter>(description(path), *table);
    first->blocks()[0].pairs[0].direction[0].add(100);
    first->publish();
    SegmentReader reader(path);
    CHECK_FALSE(reader.follow());

    auto second = std::make_unique<SegmentWriter>(description2, *table);
    CHECK_FALSE(reader.follow());
    CHECK(reader.view().state() == SegmentState::current);
    second->carry(first->view(), *table, SegmentWriter::From::generation);
    second->publish();
    first->end(SegmentState::superseded);
    first.reset();
    CHECK(reader.view().state() == SegmentState::superseded);
    CHECK(reader.view().pair(0)[0] == TrafficTotal{1, 100});
    CHECK(reader.follow());
    CHECK(reader.view().header().generation == 8);
    CHECK(reader.view().state() == SegmentState::current);
    CHECK(reader.view().pair(0)[0] == TrafficTotal{1, 100});

    // A crash: nobody has said anything, and the last values are there, also for new readers.
    second->blocks()[1].pairs[0].direction[0].add(11);
    second.reset();
    CHECK(reader.view().state() == SegmentState::current);
    CHECK(SegmentReader(path).view().pair(0)[0] == TrafficTotal{2, 111});
    // What is no segment is not followed.
    write_bytes(path + "2", "nonsense", 8);
    REQUIRE(::rename((path + "2").c_str(), path.c_str()) == 0);
    CHECK_FALSE(reader.follow());
    REQUIRE(::unlink(path.c_str()) == 0);
    CHECK_FALSE(reader.follow());
    CHECK(reader.view().pair(0)[0] == TrafficTotal{2, 111});
    SegmentWriter third(description(path), *table);
    third.publish();
    CHECK(reader.follow());
    CHECK(reader.view().pair(0)[0] == TrafficTotal{});

    // From another process: by its descriptor.
    supersede_segment(third.descriptor());
    CHECK(reader.view().state() == SegmentState::superseded);
}

TEST_CASE("segment: the last discarded packets", "[segment][DC-17]") {
    const TemporaryDirectory directory;
    const auto table = some_table();
    SegmentWriter writer(description(directory.at("stats")), *table);
    writer.publish();
    CHECK(writer.view().drops().empty());
    const auto number = [](std::uint32_t n) {
        DropSample sample;
        sample.source.fill(static_cast<std::uint8_t>(n));
        sample.destination.fill(static_cast<std::uint8_t>(n + 1));
        sample.length = n;
        sample.source_port = static_cast<std::uint16_t>(n);
        sample.destination_port = static_cast<std::uint16_t>(n + 7);
        sample.ip_version = n % 2 == 0 ? 4 : 6;
        sample.protocol = 17;
        sample.has_ports = true;
        return SegmentView::Drop{1000 + n, static_cast<Direction>(n % 2),
                                 static_cast<DropReason>(n % drop_reason_count), sample};
    };
    const auto is = [&](const SegmentView::Drop& drop, std::uint32_t n) {
        const SegmentView::Drop wanted = number(n);
        return drop.time_ms == wanted.time_ms && drop.direction == wanted.direction &&
               drop.reason == wanted.reason &&
               drop.sample.to_string() == wanted.sample.to_string() && drop.sample.length == n;
    };
    writer.add_drop(number(1));
    writer.add_drop(number(2));
    REQUIRE(writer.view().drops().size() == 2);
    CHECK(is(writer.view().drops()[0], 1));
    CHECK(is(writer.view().drops()[1], 2));

    // A reader at the same time sees whole entries only, in order.
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::thread reader([&] {
        while (!done) {
            std::uint32_t last = 0;
            for (const SegmentView::Drop& drop : writer.view().drops()) {
                if (!is(drop, drop.sample.length) || drop.sample.length <= last) ++wrong;
                last = drop.sample.length;
            }
        }
    });
    constexpr std::uint32_t many = 20000, kept = 255;
    for (std::uint32_t n = 3; n <= many; ++n)
        writer.add_drop(number(n));
    done = true;
    reader.join();
    CHECK(wrong == 0);
    const auto all = writer.view().drops();
    REQUIRE(all.size() == kept);
    CHECK(is(all.front(), many - kept + 1));
    CHECK(is(all.back(), many));

    SegmentWriter next(description(directory.at("stats")), *table);
    next.add_drop(number(many + 1)); // while workers still had the old table
    next.carry(writer.view(), *table, SegmentWriter::From::process);
    REQUIRE(next.view().drops().size() == kept);
    CHECK(is(next.view().drops().front(), many - kept + 2));
    CHECK(is(next.view().drops().back(), many + 1));
}

TEST_CASE("segment: the report is one of those written, whole", "[segment]") {
    const TemporaryDirectory directory;
    SegmentWriter writer(description(directory.at("stats")), *some_table());
    const SegmentView& view = writer.view();
    CHECK(view.report().empty());
    for (const std::size_t length : std::initializer_list<std::size_t>{1, 7, 8, 9, 5000, 3}) {
        CHECK(writer.write_report(std::string(length, 'x')));
        CHECK(view.report() == std::string(length, 'x'));
    }
    constexpr std::size_t most = sizeof(SegmentReport::words);
    CHECK(writer.write_report(std::string(most, 'y')));
    CHECK(view.report() == std::string(most, 'y'));
    CHECK_FALSE(writer.write_report(std::string(most + 1, 'z')));
    CHECK(view.report().empty());

    const auto text = [](std::size_t n) {
        return std::string(100 + n % 7 * 300, static_cast<char>('a' + n % 7));
    };
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::thread reader([&] {
        while (!done) {
            const std::string found = view.report();
            if (!found.empty() && found != text(static_cast<std::size_t>(found[0] - 'a'))) ++wrong;
        }
    });
    for (std::size_t n = 0; n < 50000; ++n)
        (void)writer.write_report(text(n));
    done = true;
    reader.join();
    CHECK(wrong == 0);
    CHECK(view.report() == text(49999));
}

TEST_CASE("segment: an aborted generation leaves no file", "[segment]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    const auto table = some_table();
    { const SegmentWriter writer(description(path), *table); }
    CHECK(::access((path + ".new").c_str(), F_OK) != 0);
    write_bytes(path + ".new", "left by a crash", 15);
    SegmentWriter writer(description(path), *table);
    writer.publish();
    CHECK(SegmentReader(path).view().mapping_count() == 3);
    CHECK_THROWS_AS(SegmentWriter(description(directory.at("no/such/directory")), *table),
                    std::system_error);
}

TEST_CASE("segment: hostile headers are refused", "[segment]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    SegmentWriter writer(description(path), *some_table());
    writer.publish();
    writer.add_drop({1, Direction::v6_to_v4, DropReason::spoof, {}});
    const std::vector<std::uint8_t> good = bytes_of(path);
    REQUIRE(SegmentView::check(good.data(), good.size()).empty());
    Guarded bytes(good);
    const std::uint64_t told = bytes.read_all();
    CHECK(told > 64);

    for (std::size_t i = 0; i < sizeof(SegmentHeader); ++i)
        for (unsigned bit = 0; bit < 8; ++bit) {
            INFO("byte " << i << ", bit " << bit);
            bytes.data()[i] ^= static_cast<std::uint8_t>(1u << bit);
            CHECK(!SegmentView::check(bytes.data(), good.size()).empty());
            // Whoever changes it may also know how to put the sum right.
            SegmentHeader header;
            std::memcpy(&header, bytes.data(), sizeof header);
            header.check = segment_check(header);
            std::memcpy(bytes.data(), &header, sizeof header);
            if (SegmentView::check(bytes.data(), good.size()).empty())
                (void)bytes.read_all();
            else
                CHECK(i < offsetof(SegmentHeader, generation));
            std::memcpy(bytes.data(), good.data(), sizeof header);
        }
    CHECK(bytes.read_all() == told);

    // The table may be nonsense, too: no reader leaves the segment.
    const SegmentHeader& header = writer.view().header();
    for (std::size_t at = header.offsets.mappings; at < header.offsets.size; ++at)
        bytes.data()[at] = 0xff;
    std::memset(bytes.data() + header.offsets.drops + 64 + 8, 0xff, 56); // the first entry
    std::uint8_t* const report = bytes.data() + header.offsets.report;
    std::memset(report, 0xff, 16); // for ever being written, and longer than there is room
    CHECK(SegmentView(bytes.data()).report().empty());
    std::memset(report, 0, 8);
    CHECK(SegmentView(bytes.data()).report().size() == sizeof(SegmentReport::words));
    (void)bytes.read_all();
    CHECK(!SegmentView(bytes.data()).mapping(0));
    CHECK(SegmentView(bytes.data()).drops().empty());
    for (std::size_t at = 0; at < 3 * sizeof(SegmentMapping); at += sizeof(SegmentMapping)) {
        std::uint8_t* const m = bytes.data() + header.offsets.mappings + at;
        m[offsetof(SegmentMapping, ipv4_length)] = 32;
        m[offsetof(SegmentMapping, ipv6_length)] = 128;
        std::memset(m + offsetof(SegmentMapping, slot), 0, 4);
        const auto last = static_cast<std::uint32_t>(header.counts.text_bytes - 1 - at % 2);
        std::memcpy(m + offsetof(SegmentMapping, name), &last, 4);
    }
    (void)bytes.read_all();
    CHECK(SegmentView(bytes.data()).mapping(0)->name.size() == 1); // no end but that of the text
    CHECK(SegmentView(bytes.data()).mapping(0)->tenant.empty());
}

TEST_CASE("segment: files that are none are refused with a sentence", "[segment]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats"), other = directory.at("other");
    SegmentWriter writer(description(path), *some_table());
    writer.publish();
    const std::vector<std::uint8_t> good = bytes_of(path);
    const auto refused = [&](const std::vector<std::uint8_t>& content, const std::string& why) {
        write_bytes(other, content.data(), content.size());
        CHECK_THROWS_WITH(SegmentReader(other), Contains(other + ": ") && Contains(why));
    };
    for (std::size_t size = 0; size < good.size(); size += 512)
        refused({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)},
                size < segment_page ? "too short" : "cut off: " + std::to_string(size));
    refused(std::vector<std::uint8_t>(good.size()), "not a statistics segment");
    const auto changed = [&](std::size_t offset, std::uint8_t to) {
        auto bytes = good;
        bytes[offset] = to;
        return bytes;
    };
    refused(changed(6, '\n'), "not a statistics segment");
    refused(changed(offsetof(SegmentHeader, byte_order), 1), "byte order");
    refused(changed(offsetof(SegmentHeader, version), 2),
            "version 2; this program reads version 1");
    refused(changed(offsetof(SegmentHeader, digest), 'x'), "header is damaged");
    const auto with = [&](const auto& change) {
        auto bytes = good;
        SegmentHeader header;
        std::memcpy(&header, bytes.data(), sizeof header);
        change(header);
        header.check = segment_check(header);
        std::memcpy(bytes.data(), &header, sizeof header);
        return bytes;
    };
    refused(with([](SegmentHeader& h) { ++h.sizes.block; }), "another build");
    refused(with([](SegmentHeader& h) { ++h.sizes.reasons; }), "another build");
    refused(with([](SegmentHeader& h) { h.counts.workers = 0; }), "makes no sense");
    refused(with([](SegmentHeader& h) { h.counts.workers = 0xffffffff; }), "makes no sense");
    refused(with([](SegmentHeader& h) { h.counts.mappings = h.counts.slots + 1; }), "no sense");
    refused(with([](SegmentHeader& h) { h.counts.fastpath_slots = 1; }), "makes no sense");
    refused(with([](SegmentHeader& h) { h.counts.text_bytes = 0; }), "makes no sense");
    refused(with([](SegmentHeader& h) { h.counts.text_bytes = segment_most_text + 1; }),
            "no sense");
    refused(with([](SegmentHeader& h) { h.offsets.text -= segment_page; }), "where they cannot");
    refused(with([](SegmentHeader& h) {
                h.counts.slots = h.counts.fastpath_slots = 1u << 30;
                h.offsets = segment_offsets(h.counts);
            }),
            "cut off");

    CHECK_THROWS_WITH(SegmentReader(directory.at("none")), Contains("No such file"));
    CHECK_THROWS_WITH(SegmentReader(directory.at("")), Contains("not an ordinary file"));
    REQUIRE(::mkfifo(directory.at("pipe").c_str(), 0600) == 0);
    CHECK_THROWS_WITH(SegmentReader(directory.at("pipe")), Contains("not an ordinary file"));
    REQUIRE(::chmod(path.c_str(), 0642) == 0);
    CHECK_THROWS_WITH(SegmentReader(path), Contains("written by everybody"));
}
