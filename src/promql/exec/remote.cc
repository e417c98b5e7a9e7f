#include "promql/exec/remote.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

namespace gauntlet::promql {
namespace {

// Beyond it, whether a sum overflows may depend on the order of adding.
constexpr double kSumMax = 1e300;

struct Message {
  bool warning;
  std::string text;       // without what starts it, and without the place
  std::optional<int> at;  // byte in the query
};

// The byte at "line:col" of `text`.
std::optional<int> OffsetOf(std::string_view text, std::string_view place) {
  int line = 0, column = 0;
  const char* end = place.data() + place.size();
  auto [after, error] = std::from_chars(place.data(), end, line);
  if (error != std::errc() || after == end || *after != ':') return std::nullopt;
  auto [last, column_error] = std::from_chars(after + 1, end, column);
  if (column_error != std::errc() || last != end || line < 1 || column < 1) return std::nullopt;
  size_t start = 0;
  for (int i = 1; i < line; ++i) {
    start = text.find('\n', start);
    if (start == std::string_view::npos) return std::nullopt;
    ++start;
  }
  const size_t offset = start + static_cast<size_t>(column) - 1;
  if (offset > text.size()) return std::nullopt;
  return static_cast<int>(offset);
}

// Nothing for what is not about PromQL.
std::optional<Message> ParseMessage(std::string_view full, std::string_view query) {
  Message message;
  constexpr std::string_view kWarning = "PromQL warning: ", kInfo = "PromQL info: ";
  message.warning = full.starts_with(kWarning);
  if (!message.warning && !full.starts_with(kInfo)) return std::nullopt;
  full.remove_prefix(message.warning ? kWarning.size() : kInfo.size());
  if (full.ends_with(')')) {
    const size_t open = full.rfind(" (");
    if (open != std::string_view::npos) {
      message.at = OffsetOf(query, full.substr(open + 2, full.size() - open - 3));
      if (message.at) full = full.substr(0, open);
    }
  }
  message.text = full;
  return message;
}

bool SameLayout(const Histogram& a, const Histogram& b) {
  return a.schema == b.schema && a.zero_threshold == b.zero_threshold && a.custom_values == b.custom_values;
}

class RemoteRows : public Operator {
 public:
  RemoteRows(ExecContext& context, const RemoteNode& node, SampleScope* scope)
      : Operator(context, node), remote_(node), scope_(scope) {
    for (const RemoteNode::Part& part : node.parts) {
      calls_.push_back(context.remote->Start({part.leaf, node.text, node.grid, node.lookback_ms, node.title},
                                             context.cancel, context.budget));
    }
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (!std::exchange(gathered_, true)) GN_TRY(Gather());
    while (next_ < rows_.size() && batch->size() < kBatchRows) batch->push_back(std::move(rows_[next_++]));
    if (!batch->empty()) return true;
    rows_.clear();
    answers_.clear();
    GN_TRY(held_.Set(0));
    return false;
  }

  size_t held_bytes() const override {
    size_t bytes = charge_.bytes();
    for (const auto& answer : answers_) bytes += answer->charge.bytes();
    return bytes;
  }

 private:
  static constexpr size_t kBatchRows = 64;

  Status Gather() {
    for (size_t i = 0; i < calls_.size(); ++i) {
      std::unique_ptr<RemoteAnswer> answer = calls_[i]->Take();
      calls_[i].reset();
      GN_TRY(context_.CheckCancel());
      if (answer->refused) return context_.NeedsLocal();
      GN_TRY(answer->status);
      if (!remote_.silent) GN_TRY(Say(answer->warnings));
      scope_->total += answer->samples;
      scope_->read += answer->samples;
      for (Row& row : answer->rows) {
        GN_TRY(CheckPlace(row, remote_.parts[i]));
        GN_TRY(CheckValues(row.column));
        rows_.push_back(std::move(row));
      }
      answer->rows.clear();
      answers_.push_back(std::move(answer));
    }
    Order();
    return held_.Set(CountSamples(rows_));
  }

  Status Say(const std::vector<std::string>& warnings) {
    for (const std::string& full : warnings) {
      std::optional<Message> message = ParseMessage(full, remote_.text);
      if (!message) {
        Annotations plain;
        plain.Warn(full);
        own_.Add(plain);
        continue;
      }
      // A leaf has left something out of its result; what it comes to with the other leaves' is unknown.
      if (remote_.aggregated && (message->text.find(" aggregation") != std::string::npos ||
                                 message->text.find("custom buckets") != std::string::npos)) {
        return context_.NeedsLocal();
      }
      PositionRange pos = remote_.expr->pos;
      if (message->at) pos.start = *message->at;
      message->warning ? own_.Warn(message->text, pos) : own_.Info(message->text, pos);
    }
    return Status();
  }

  // The series must have what tells its leaf apart, or else another leaf may have it too.
  Status CheckPlace(const Row& row, const RemoteNode::Part& part) {
    if (remote_.told_apart_by.empty()) return Status();
    std::vector<std::string> values;
    for (const std::string& name : remote_.told_apart_by) values.emplace_back(row.labels.Get(name));
    return part.values.contains(values) ? Status() : context_.NeedsLocal();
  }

  Status CheckValues(const Column& column) {
    using Check = RemoteNode::Check;
    if (remote_.check == Check::kNone) return Status();
    if (remote_.check == Check::kAverage && !column.histograms().empty()) return context_.NeedsLocal();
    for (const HistogramPoint& point : column.histograms()) {
      if (layout_ == nullptr) layout_ = point.histogram;
      if (!SameLayout(*layout_, *point.histogram)) return context_.NeedsLocal();
    }
    bool fits = true;
    ForEachBit(column.present(), column.words(), [&](uint32_t step) {
      const double v = column.values()[step];
      fits &=
          remote_.check == Check::kExtremum ? !(v == 0 && std::signbit(v)) : std::isnan(v) || std::fabs(v) < kSumMax;
    });
    return fits ? Status() : context_.NeedsLocal();
  }

  // As the series came when they were selected: by their labels, with the name that they had then.
  void Order() {
    const bool hidden_name =
        !remote_.name_before.empty() && std::any_of(rows_.begin(), rows_.end(), [](const Row& row) {
          return !row.labels.empty() && (*row.labels.begin()).name < kMetricName;
        });
    if (!hidden_name) {
      std::sort(rows_.begin(), rows_.end(),
                [](const Row& a, const Row& b) { return CompareLabels(a.labels, b.labels) < 0; });
      return;
    }
    std::vector<std::pair<Labels, size_t>> keys;
    for (size_t i = 0; i < rows_.size(); ++i) {
      LabelsBuilder builder(rows_[i].labels);
      builder.Set(kMetricName, remote_.name_before);
      keys.emplace_back(builder.Build(), i);
    }
    std::sort(keys.begin(), keys.end(),
              [](const auto& a, const auto& b) { return CompareLabels(a.first, b.first) < 0; });
    Rows sorted;
    for (const auto& [labels, i] : keys) sorted.push_back(std::move(rows_[i]));
    rows_ = std::move(sorted);
  }

  const RemoteNode& remote_;
  SampleScope* const scope_;
  std::vector<std::unique_ptr<RemoteCall>> calls_;
  std::vector<std::unique_ptr<RemoteAnswer>> answers_;  // for what they charge
  bool gathered_ = false;
  Rows rows_;
  size_t next_ = 0;
  std::shared_ptr<const Histogram> layout_;
};

}  // namespace

Result<Row> RowOf(LabelsView labels, const Samples& samples, const StepGrid& grid) {
  Row row;
  row.labels = Labels(labels);
  row.column = Column(grid.steps);
  size_t next = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const int64_t after = samples.times_ms[i] - grid.start_ms;
    const bool on_grid = after >= 0 && after % grid.step_ms == 0 && after / grid.step_ms < grid.steps;
    if (!on_grid && !(grid.steps == 1 && after == 0)) {
      return Status(Code::kCorrupt, fmt::format("a sample of {} lies at {}, which is no step of the query",
                                                row.labels.ToString(), samples.times_ms[i]));
    }
    const uint32_t step = static_cast<uint32_t>(after / grid.step_ms);
    if (next < samples.histograms.size() && samples.histograms[next].position == i) {
      row.column.histograms().push_back(
          {step, std::make_shared<const Histogram>(samples.histograms[next++].histogram)});
    } else {
      row.column.Set(step, samples.values[i]);
    }
  }
  return row;
}

std::unique_ptr<Operator> MakeRemoteRows(ExecContext& context, const RemoteNode& node, SampleScope* scope) {
  return std::make_unique<RemoteRows>(context, node, scope);
}

}  // namespace gauntlet::promql
