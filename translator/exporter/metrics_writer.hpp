// SPDX-License-Identifier: BSD-2-Clause
//
// Series as text, by prometheus-cpp's serializer. A million series need no more memory than their
// text: the library gets a few hundred at a time.
#pragma once

#include <initializer_list>
#include <ostream>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

struct Metric;

class MetricsWriter {
  public:
    /// Appends to `out`.
    explicit MetricsWriter(std::string& out);

    void begin(const Metric& metric);
    /// Values of the metric's labels, in their order; a label that is empty is left out. Any
    /// bytes: those that are no UTF-8 become U+FFFD.
    void add(double value, std::initializer_list<std::string_view> labels = {});
    /// To be called after the last series. Without any there is no trace of the metric.
    void end();

  private:
    class Sink : public std::streambuf {
      public:
        explicit Sink(std::string& out) : out_(out) {}

      protected:
        std::streamsize xsputn(const char* text, std::streamsize length) override;
        int_type overflow(int_type c) override;

      private:
        std::string& out_;
    };
    void flush();

    std::string& out_;
    Sink sink_;
    std::ostream stream_;
    prometheus::TextSerializer serializer_;
    std::vector<prometheus::MetricFamily> families_; ///< one
    std::vector<std::string> labels_;
    std::size_t count_ = 0;
    bool has_head_ = false;
};

/// The same if it is UTF-8.
std::string valid_utf8(std::string_view text);

} // namespace xlat646
