// SPDX-License-Identifier: BSD-2-Clause
//
// The translator as a filter for the differential test: batches of packets on stdin, results on
// stdout. A batch is answered as a whole, so that neither side ever waits for a full pipe.
//
//   start   u32 length, JSON list of configurations (as in golden rows)
//   batch   u32 length, then cases: u32 configuration, offload header (10), u32 length, bytes
//   answer  u32 length, then per case: u8 is_segmented, u16 results, then per result:
//           u8 verdict, u8 reason (255: none), u8 packets, then per packet:
//           offload header (10), u32 length, bytes, u16 segments, then the first of them:
//           u32 length, bytes; at the end of the case what the second data path did with it:
//           u8 is_wrong, u32 length, text (empty: this driver has none)
//
// A super-packet that leaves is cut as the data plane does it where the kernel refuses one; its
// segments are shown, too. Numbers are in native order. Each packet meets a translator whose rate
// limits are switched off by its configuration; what else it remembers are Identification counters,
// which no result may depend on but in the fields that the comparison masks.
#include "tests/model/second_path.hpp"
#include "tests/support/golden.hpp"
#include "translator/siit/translator.hpp"
#include "translator/wire/segment.hpp"

#include <cstring>
#include <deque>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

using namespace xlat646;
using namespace xlat646::test;

namespace {

class Reader {
  public:
    explicit Reader(const Bytes& bytes) : at_(bytes.data()), left_(bytes.size()) {}
    bool is_empty() const { return left_ == 0; }
    const std::uint8_t* take(std::size_t size) {
        if (size > left_) throw std::runtime_error("a case is cut off");
        const std::uint8_t* const from = at_;
        at_ += size;
        left_ -= size;
        return from;
    }
    template <class T> T number() {
        T value;
        std::memcpy(&value, take(sizeof value), sizeof value);
        return value;
    }

  private:
    const std::uint8_t* at_;
    std::size_t left_;
};

class Writer {
  public:
    template <class T> void number(T value) {
        static_assert(std::is_trivially_copyable_v<T>);
        std::uint8_t raw[sizeof value];
        std::memcpy(raw, &value, sizeof value);
        bytes.insert(bytes.end(), raw, raw + sizeof value);
    }
    void text(const std::string& t) {
        number(static_cast<std::uint32_t>(t.size()));
        bytes.insert(bytes.end(), t.begin(), t.end());
    }
    void packet(const Packet& p) {
        number(p.offload);
        raw(p);
        const std::size_t count_at = bytes.size();
        std::uint16_t count = 0;
        number(count);
        Segmenter segmenter;
        if (!p.is_gso() || !segmenter.start(p)) return;
        for (Packet segment; segmenter.next(segment); ++count)
            if (count < segments_shown) raw(segment);
        std::memcpy(bytes.data() + count_at, &count, sizeof count);
    }
    Bytes bytes;

  private:
    static constexpr std::uint16_t segments_shown = 4;

    void raw(const Packet& p) {
        number(static_cast<std::uint32_t>(p.length));
        bytes.insert(bytes.end(), p.data, p.data + p.length);
    }
};

class Machine {
  public:
    explicit Machine(GoldenConfig config)
        : config_(std::make_shared<const GoldenConfig>(std::move(config))),
          translator_(config_->settings), second_(config_) {}

    Machine(const Machine&) = delete; // the translator refers to its neighbour
    Machine& operator=(const Machine&) = delete;

    void run(const std::uint8_t* data, std::size_t length, const OffloadHeader& offload,
             Writer& out) {
        translate(data, length, offload, out);
        const SecondPath::Answer answer = second_.run({data, data + length}, offload);
        out.number(static_cast<std::uint8_t>(answer.is_wrong));
        out.text(answer.text);
    }

  private:
    void translate(const std::uint8_t* data, std::size_t length, const OffloadHeader& offload,
                   Writer& out) {
        // Exactly the promised room on both sides: an address sanitizer sees each step beyond it.
        Bytes storage(packet_headroom + length + packet_tailroom, 0xa5);
        Packet packet;
        packet.data = storage.data() + packet_headroom;
        packet.length = length;
        packet.offload = offload;
        if (length != 0) std::memcpy(packet.data, data, length);

        // As the data plane's worker does it.
        Segmenter segmenter;
        if (!translator_.must_segment(packet) || !starts(segmenter, packet)) {
            out.number(std::uint8_t{0});
            out.number(std::uint16_t{1});
            one(packet, out);
            return;
        }
        out.number(std::uint8_t{1});
        const std::size_t count_at = out.bytes.size();
        out.number(std::uint16_t{0});
        std::uint16_t count = 0;
        for (Packet segment; segmenter.next(segment); ++count)
            one(segment, out);
        std::memcpy(out.bytes.data() + count_at, &count, sizeof count);
    }

    static bool starts(Segmenter& segmenter, Packet& packet) {
        if (segmenter.start(packet)) return true;
        packet.offload.gso_size = 0;
        return false;
    }

    void one(Packet& packet, Writer& out) {
        const Outcome outcome = translator_.translate(packet, *config_->table);
        const bool has_reason = !outcome.is_forward() && !outcome.is_echo_reply();
        out.number(static_cast<std::uint8_t>(outcome.verdict()));
        out.number(has_reason ? static_cast<std::uint8_t>(outcome.reason()) : std::uint8_t{255});
        const std::size_t count_at = out.bytes.size();
        out.number(std::uint8_t{0});
        if (outcome.verdict() == Verdict::drop) return;
        do {
            ++out.bytes[count_at];
            out.packet(packet);
        } while (translator_.next_piece(packet));
    }

    std::shared_ptr<const GoldenConfig> config_;
    Translator translator_;
    SecondPath second_;
};

bool read_block(Bytes& block) {
    std::uint32_t length = 0;
    if (!std::cin.read(reinterpret_cast<char*>(&length), sizeof length)) return false;
    block.resize(length);
    return static_cast<bool>(std::cin.read(reinterpret_cast<char*>(block.data()), length));
}

void serve() {
    Bytes block;
    if (!read_block(block)) throw std::runtime_error("no configurations");
    std::deque<Machine> machines;
    for (const auto& config : nlohmann::json::parse(block.begin(), block.end()))
        machines.emplace_back(make_config(config));

    Writer out;
    while (read_block(block)) {
        out.bytes.assign(sizeof(std::uint32_t), 0);
        for (Reader in(block); !in.is_empty();) {
            Machine& machine = machines.at(in.number<std::uint32_t>());
            const auto offload = in.number<OffloadHeader>();
            const auto length = in.number<std::uint32_t>();
            machine.run(in.take(length), length, offload, out);
        }
        const auto size = static_cast<std::uint32_t>(out.bytes.size() - sizeof(std::uint32_t));
        std::memcpy(out.bytes.data(), &size, sizeof size);
        std::cout.write(reinterpret_cast<const char*>(out.bytes.data()),
                        static_cast<std::streamsize>(out.bytes.size()));
        std::cout.flush();
    }
}

} // namespace

int main() {
    std::ios::sync_with_stdio(false);
    try {
        serve();
    } catch (const std::exception& e) {
        std::cerr << "driver: " << e.what() << '\n';
        return 1;
    }
    return 0;
}
