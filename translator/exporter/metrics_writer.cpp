// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/metrics_writer.hpp"

#include "translator/exporter/metric_table.hpp"

#include <algorithm>
#include <cassert>
#include <locale>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

constexpr std::size_t most_at_once = 512;

std::vector<std::string> split(std::string_view words) {
    std::vector<std::string> out;
    while (!words.empty()) {
        const std::size_t length = words.find(',');
        out.emplace_back(words.substr(0, length));
        words.remove_prefix(length == std::string_view::npos ? words.size() : length + 1);
    }
    return out;
}

} // namespace

std::string valid_utf8(std::string_view text) {
    const bool is_ascii = std::all_of(text.begin(), text.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (is_ascii) return std::string(text);
    using nlohmann::json;
    return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace))
        .get<std::string>();
}

std::streamsize MetricsWriter::Sink::xsputn(const char* text, std::streamsize length) {
    out_.append(text, static_cast<std::size_t>(length));
    return length;
}

MetricsWriter::Sink::int_type MetricsWriter::Sink::overflow(int_type c) {
    if (!traits_type::eq_int_type(c, traits_type::eof()))
        out_.push_back(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
}

MetricsWriter::MetricsWriter(std::string& out)
    : out_(out), sink_(out), stream_(&sink_), families_(1) {
    stream_.imbue(std::locale::classic());
}

void MetricsWriter::begin(const Metric& metric) {
    prometheus::MetricFamily& family = families_[0];
    family.name = metric.name;
    family.help = metric.help;
    family.type = metric.type;
    labels_ = split(metric.labels);
    count_ = 0;
    has_head_ = false;
}

void MetricsWriter::add(double value, std::initializer_list<std::string_view> labels) {
    assert(labels.size() == labels_.size());
    auto& metrics = families_[0].metric;
    if (metrics.size() == count_) metrics.emplace_back();
    prometheus::ClientMetric& metric = metrics[count_++];
    metric.counter.value = value;
    metric.gauge.value = value;
    metric.label.resize(labels_.size());
    std::size_t used = 0;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
        const std::string_view text = labels.begin()[i];
        if (text.empty()) continue;
        metric.label[used].name = labels_[i];
        metric.label[used].value = valid_utf8(text);
        ++used;
    }
    metric.label.resize(used);
    if (count_ == most_at_once) flush();
}

void MetricsWriter::flush() {
    if (count_ == 0) return;
    families_[0].metric.resize(count_);
    const std::size_t begin = out_.size();
    serializer_.Serialize(stream_, families_);
    if (has_head_) { // the library writes HELP and TYPE each time
        std::size_t end = begin;
        while (out_.compare(end, 2, "# ") == 0)
            end = out_.find('\n', end) + 1;
        out_.erase(begin, end - begin);
    }
    has_head_ = true;
    count_ = 0;
}

void MetricsWriter::end() {
    flush();
    families_[0].metric.clear();
}

} // namespace xlat646
