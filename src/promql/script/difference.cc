#include "promql/script/difference.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/histogram.h"
#include "promql/script/compare.h"

namespace gauntlet::promql {
namespace {

constexpr size_t kLinesMax = 20;

struct Line {
  Labels labels;
  std::vector<SequenceValue> values;
};

SequenceValue ValueOf(double value) {
  SequenceValue out;
  out.value = value;
  return out;
}

SequenceValue ValueOf(const Histogram& histogram) {
  SequenceValue out;
  out.histogram = histogram;
  return out;
}

SequenceValue Nothing() {
  SequenceValue out;
  out.omitted = true;
  return out;
}

SequenceValue ValueAt(const Column& column, uint32_t step) {
  if (const Histogram* histogram = column.FindHistogram(step)) return ValueOf(*histogram);
  return column.Has(step) ? ValueOf(column.values()[step]) : Nothing();
}

// Samples as values at start, start + step, ..; those at other times are left out.
Line LineOf(const RawSeries& series, const EvalCommand& eval) {
  Line line{series.labels, {}};
  if (eval.step_ms <= 0) return line;
  const Samples& samples = series.samples;
  size_t i = 0;
  auto histogram = samples.histograms.begin();
  for (int64_t t = eval.start_ms; t <= eval.end_ms; t += eval.step_ms) {
    while (i < samples.size() && samples.times_ms[i] < t) ++i;
    while (histogram != samples.histograms.end() && histogram->position < i) ++histogram;
    if (i == samples.size() || samples.times_ms[i] != t) {
      line.values.push_back(Nothing());
    } else if (histogram != samples.histograms.end() && histogram->position == i) {
      line.values.push_back(ValueOf(histogram->histogram));
    } else {
      line.values.push_back(ValueOf(samples.values[i]));
    }
  }
  return line;
}

std::vector<Line> LinesOf(const EvalCommand& eval, const QueryResult& result, uint32_t step) {
  std::vector<Line> lines;
  for (const RawSeries& series : result.matrix) lines.push_back(LineOf(series, eval));
  for (const Row& row : result.rows) {
    Line line{row.labels, {}};
    bool all = eval.range;
    for (uint32_t s = all ? 0 : step; s < (all ? result.grid.steps : step + 1); ++s) {
      line.values.push_back(ValueAt(row.column, s));
    }
    bool any = std::any_of(line.values.begin(), line.values.end(), [](const auto& v) { return !v.omitted; });
    if (any) lines.push_back(std::move(line));
  }
  if (result.type == ValueType::kScalar) lines.push_back({Labels(), {ValueOf(result.scalar)}});
  return lines;
}

bool SameLine(const Line& expected, const Line& actual) {
  if (!(expected.labels == actual.labels)) return false;
  size_t size = std::max(expected.values.size(), actual.values.size());
  for (size_t i = 0; i < size; ++i) {
    const SequenceValue e = i < expected.values.size() ? expected.values[i] : Nothing();
    const SequenceValue a = i < actual.values.size() ? actual.values[i] : Nothing();
    if (e.omitted != a.omitted || (!e.omitted && !SameValue(e, a))) return false;
  }
  return true;
}

std::string Text(const Line& line) {
  std::string text = line.labels.ToString();
  for (const SequenceValue& value : line.values) text += " " + ValueText(value);
  return text;
}

void AddMissing(char sign, const std::vector<Line>& lines, const std::vector<Line>& among, bool expected,
                std::vector<std::string>* out) {
  size_t found = 0;
  for (const Line& line : lines) {
    auto same = [&](const Line& other) { return expected ? SameLine(line, other) : SameLine(other, line); };
    if (std::any_of(among.begin(), among.end(), same)) continue;
    if (++found <= kLinesMax) out->push_back(fmt::format("{} {}", sign, Text(line)));
  }
  if (found > kLinesMax) out->push_back(fmt::format("{} {} more", sign, found - kLinesMax));
}

}  // namespace

std::vector<std::string> Difference(const EvalCommand& eval, const QueryResult& result, uint32_t step) {
  std::vector<Line> expected, actual = LinesOf(eval, result, step);
  for (const auto& e : eval.expected) expected.push_back({e.labels, e.values});
  if (eval.scalar_expected) expected.push_back({Labels(), {ValueOf(eval.expected_scalar)}});
  std::vector<std::string> out;
  AddMissing('-', expected, actual, true, &out);
  AddMissing('+', actual, expected, false, &out);
  return out;
}

}  // namespace gauntlet::promql
