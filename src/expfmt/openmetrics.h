// OpenMetricsReader: the samples of an OpenMetrics text, one after the other.
//
// Quoted metric and label names (UTF-8) are read, too; metadata is checked only for being some; exemplars are skipped.
//
// Format:   https://prometheus.io/docs/specs/om/open_metrics_spec/      Upstream: prometheus
//           model/textparse/openmetricsparse.go
// Threads:  one thread at a time.           Owns: nothing; borrows the text.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"

namespace gauntlet::expfmt {

struct TextSample {
  std::string packed_labels;  // with __name__
  double value = 0;
  std::optional<int64_t> time_ms;

  LabelsView labels() const { return LabelsView(packed_labels); }
};

class OpenMetricsReader {
 public:
  explicit OpenMetricsReader(std::string_view text) : rest_(text) {}

  // Replaces *out; false at the end, which is "# EOF" and nothing after it. kCorrupt "line 3: ..." names what is wrong.
  Result<bool> Next(TextSample* out);

 private:
  Status Wrong(std::string_view what) const;
  // The line's parts, from p_ on.
  Status Sample(TextSample* out);
  Status Braces();
  Status Quoted(std::string* out);
  Status Name(std::string* out);
  Status Time(TextSample* out);
  Status Pack(std::string* packed);
  // The characters up to the next space or the end of the line.
  std::string_view Word();
  bool Take(char c);
  void SkipSpaces();

  std::string_view rest_, line_;
  size_t p_ = 0;  // in line_
  size_t line_number_ = 0;
  struct Pair {
    std::string name, value;
  };
  std::vector<Pair> pairs_;  // the first `used_` are those of the line
  size_t used_ = 0;
  std::vector<const Pair*> sorted_;
};

}  // namespace gauntlet::expfmt
