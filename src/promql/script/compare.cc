#include "promql/script/compare.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "model/histogram.h"
#include "promql/exec/rows/math.h"
#include "promql/script/histogram_values.h"

namespace gauntlet::promql {
namespace {

constexpr double kEpsilon = 1e-6;

Status Differs(std::string text) { return Status(Code::kInvalid, std::move(text)); }

// A float or a histogram.
struct Point {
  double value = 0;
  const Histogram* histogram = nullptr;
  std::string ToString() const {
    return histogram != nullptr ? HistogramExpression(*histogram) : fmt::format("{}", value);
  }
};

bool Same(const SequenceValue& expected, const Point& actual) {
  if (expected.histogram.has_value() != (actual.histogram != nullptr)) return false;
  if (actual.histogram == nullptr) return AlmostEqual(expected.value, actual.value, kEpsilon);
  return AlmostSameHistogram(*expected.histogram, *actual.histogram, kEpsilon, expected.reset_hint_set);
}

const EvalCommand::Expected* Find(const EvalCommand& eval, const Labels& labels) {
  // The last line of a metric counts.
  for (auto at = eval.expected.rbegin(); at != eval.expected.rend(); ++at) {
    if (at->labels == labels) return &*at;
  }
  return nullptr;
}

Status AllSeen(const EvalCommand& eval, const std::set<Labels>& seen) {
  for (const auto& expected : eval.expected) {
    if (!seen.contains(expected.labels)) return Differs("expected metric " + expected.labels.ToString() + " not found");
  }
  return Status();
}

using Points = std::map<int64_t, Point>;

Status CompareSeries(const EvalCommand& eval, const Labels& labels, const Points& points) {
  const EvalCommand::Expected* expected = Find(eval, labels);
  if (expected == nullptr) return Differs("unexpected metric " + labels.ToString() + " in result");
  size_t matched = 0;
  for (size_t i = 0; i < expected->values.size(); ++i) {
    const SequenceValue& value = expected->values[i];
    int64_t time_ms = eval.start_ms + static_cast<int64_t>(i) * eval.step_ms;
    if (time_ms > eval.end_ms) {
      return Differs(fmt::format("expected {} points for {}, but the time range cannot return this many",
                                 expected->values.size(), labels.ToString()));
    }
    if (value.omitted) continue;
    auto at = points.find(time_ms);
    if (at == points.end()) {
      return Differs(
          fmt::format("expected {} for {} at {}, but there is nothing", ValueText(value), labels.ToString(), time_ms));
    }
    ++matched;
    if (!Same(value, at->second)) {
      return Differs(fmt::format("expected {} for {} at {}, but got {}", ValueText(value), labels.ToString(), time_ms,
                                 at->second.ToString()));
    }
  }
  if (matched == points.size()) return Status();
  return Differs(fmt::format("expected {} points for {}, but got {}", matched, labels.ToString(), points.size()));
}

Points PointsOf(const Row& row, const StepGrid& grid) {
  Points points;
  ForEachBit(row.column.present(), row.column.words(),
             [&](uint32_t step) { points[grid.time_ms(step)] = {row.column.values()[step]}; });
  for (const HistogramPoint& p : row.column.histograms()) points[grid.time_ms(p.step)] = {0, p.histogram.get()};
  return points;
}

Points PointsOf(const Samples& samples) {
  Points points;
  for (size_t i = 0; i < samples.size(); ++i) points[samples.times_ms[i]] = {samples.values[i]};
  for (const auto& h : samples.histograms) points[samples.times_ms[h.position]] = {0, &h.histogram};
  return points;
}

Status CompareMatrix(const EvalCommand& eval, const QueryResult& result) {
  std::set<Labels> seen;
  const Labels* previous = nullptr;
  auto one = [&](const Labels& labels, const Points& points) -> Status {
    if (previous != nullptr && CompareLabels(*previous, labels) > 0) return Differs("the matrix is not sorted");
    previous = &labels;
    seen.insert(labels);
    return CompareSeries(eval, labels, points);
  };
  for (const Row& row : result.rows) GN_TRY(one(row.labels, PointsOf(row, result.grid)));
  for (const RawSeries& series : result.matrix) GN_TRY(one(series.labels, PointsOf(series.samples)));
  return AllSeen(eval, seen);
}

Status CompareVector(const EvalCommand& eval, const std::vector<Row>& rows, uint32_t step, bool ordered) {
  std::set<Labels> seen;
  size_t position = 0;
  for (const Row& row : rows) {
    Point actual{row.column.Has(step) ? row.column.values()[step] : 0, row.column.FindHistogram(step)};
    if (actual.histogram == nullptr && !row.column.Has(step)) continue;
    ++position;
    const EvalCommand::Expected* expected = Find(eval, row.labels);
    if (expected == nullptr) {
      return Differs(
          fmt::format("unexpected metric {} in result, has value {}", row.labels.ToString(), actual.ToString()));
    }
    if (ordered && expected->position != position) {
      return Differs(fmt::format("expected metric {} at position {} but was at {}", row.labels.ToString(),
                                 expected->position, position));
    }
    if (!Same(expected->values[0], actual)) {
      return Differs(fmt::format("expected {} for {} but got {}", ValueText(expected->values[0]), row.labels.ToString(),
                                 actual.ToString()));
    }
    seen.insert(row.labels);
  }
  return AllSeen(eval, seen);
}

Status CompareScalar(const EvalCommand& eval, double actual) {
  if (!eval.scalar_expected) return Differs(fmt::format("expected vector or matrix result, but got scalar {}", actual));
  if (AlmostEqual(eval.expected_scalar, actual, kEpsilon)) return Status();
  return Differs(fmt::format("expected scalar {} but got {}", eval.expected_scalar, actual));
}

Status CompareTexts(std::string_view kind, const std::vector<Expectation>& expected,
                    const std::set<std::string>& actual) {
  if (expected.empty()) return Status();
  for (const Expectation& e : expected) {
    bool found = false;
    for (const std::string& text : actual) found = found || e.Matches(text);
    if (!found) {
      return Differs(fmt::format("expected {} {} not found among [{}]", kind,
                                 e.regex != nullptr ? "matching a pattern" : e.message, fmt::join(actual, "; ")));
    }
  }
  for (const std::string& text : actual) {
    bool found = false;
    for (const Expectation& e : expected) found = found || e.Matches(text);
    if (!found) return Differs(fmt::format("unexpected {} \"{}\"", kind, text));
  }
  return Status();
}

}  // namespace

bool SameValue(const SequenceValue& expected, const SequenceValue& actual) {
  return Same(expected, {actual.value, actual.histogram ? &*actual.histogram : nullptr});
}

std::string ValueText(const SequenceValue& value) {
  if (value.omitted) return "_";
  return value.histogram ? HistogramExpression(*value.histogram) : fmt::format("{}", value.value);
}

Status CompareResult(const EvalCommand& eval, const QueryResult& result) {
  switch (result.type) {
    case ValueType::kMatrix:
      if (eval.ordered) return Differs("expected ordered result, but query returned a matrix");
      if (eval.scalar_expected) return Differs("expected scalar result, but got matrix");
      return CompareMatrix(eval, result);
    case ValueType::kVector:
      if (eval.scalar_expected) return Differs("expected scalar result, but got vector");
      return CompareVector(eval, result.rows, 0, eval.ordered);
    case ValueType::kScalar:
      return CompareScalar(eval, result.scalar);
    case ValueType::kString:
      if (result.string == eval.expected_string) return Status();
      return Differs(fmt::format("expected string \"{}\" but got \"{}\"", eval.expected_string, result.string));
    case ValueType::kNone:
      break;
  }
  return Differs("the result has no type");
}

Status CompareStep(const EvalCommand& eval, const QueryResult& result, uint32_t step, ValueType type) {
  if (type == ValueType::kScalar) return CompareScalar(eval, result.rows[0].column.values()[step]);
  for (size_t i = 1; i < result.rows.size(); ++i) {
    if (CompareLabels(result.rows[i - 1].labels, result.rows[i].labels) > 0) return Differs("the matrix is not sorted");
  }
  return CompareVector(eval, result.rows, step, false);
}

Status CompareAnnotations(const EvalCommand& eval, const Annotations& annotations) {
  if (eval.some_warning && annotations.warnings().empty()) return Differs("expected warnings but got none");
  if (eval.some_info && annotations.infos().empty()) return Differs("expected infos but got none");
  GN_TRY(CompareTexts("warning", eval.warnings, annotations.warnings()));
  GN_TRY(CompareTexts("info", eval.infos, annotations.infos()));
  if (eval.no_warnings && !annotations.warnings().empty()) {
    return Differs(fmt::format("unexpected warnings [{}]", fmt::join(annotations.warnings(), "; ")));
  }
  if (eval.no_infos && !annotations.infos().empty()) {
    return Differs(fmt::format("unexpected infos [{}]", fmt::join(annotations.infos(), "; ")));
  }
  return Status();
}

Status CompareFailure(const EvalCommand& eval, const Status& failure) {
  for (const Expectation& e : eval.failures) {
    if (!e.Matches(failure.message())) {
      return Differs(fmt::format("expected another error{} but got \"{}\"",
                                 e.regex != nullptr ? "" : " (\"" + e.message + "\")", failure.message()));
    }
  }
  return Status();
}

}  // namespace gauntlet::promql
