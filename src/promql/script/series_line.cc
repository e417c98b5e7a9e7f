#include "promql/script/series_line.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "model/float_text.h"
#include "model/stale.h"
#include "model/time.h"
#include "promql/script/histogram_text.h"
#include "promql/syntax/parser.h"

namespace gauntlet::promql {
namespace {

constexpr uint64_t kRepetitionsMax = 10'000'000;

Status Bad(std::string_view what, std::string_view where) {
  return Status(Code::kInvalid, fmt::format("{}: {}", what, where));
}

bool IsSpace(char c) { return c == ' ' || c == '\t'; }

void SkipSpaces(std::string_view* text) {
  while (!text->empty() && IsSpace(text->front())) text->remove_prefix(1);
}

// Cuts off the metric: up to the brace that ends its labels, or to the first space.
Result<std::string_view> TakeMetric(std::string_view* line) {
  char quote = 0;
  int depth = 0;
  size_t i = 0;
  for (; i < line->size(); ++i) {
    char c = (*line)[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '{') {
      if (line->substr(i).starts_with("{{")) break;  // a value already
      ++depth;
    } else if (c == '}') {
      if (--depth == 0) {
        ++i;
        break;
      }
    } else if (depth == 0 && IsSpace(c)) {
      // "metric {a="b"}" is one metric; a value never starts with a single brace.
      size_t next = line->find_first_not_of(" \t", i);
      bool labels = next != std::string_view::npos && (*line)[next] == '{' && !line->substr(next).starts_with("{{");
      if (!labels) break;
    }
  }
  if (quote != 0 || depth != 0) return Bad("the metric does not end", *line);
  std::string_view metric = line->substr(0, std::min(i, line->size()));
  line->remove_prefix(metric.size());
  return metric;
}

Result<uint64_t> TakeCount(std::string_view* text) {
  uint64_t count = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc() || count > kRepetitionsMax) return Bad("bad number of repetitions", *text);
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return count;
}

// A number without sign: digits, point, exponent, or Inf and NaN.
std::string_view TakeUnsigned(std::string_view* text) {
  size_t n = 0;
  for (std::string_view name : {"Inf", "NaN", "inf", "nan"}) {
    if (text->starts_with(name)) n = 3;
  }
  if (n == 0) {
    auto digits = [&] {
      while (n < text->size() && (((*text)[n] >= '0' && (*text)[n] <= '9') || (*text)[n] == '_')) ++n;
    };
    digits();
    if (n < text->size() && (*text)[n] == '.') {
      ++n;
      digits();
    }
    if (n < text->size() && ((*text)[n] == 'e' || (*text)[n] == 'E')) {
      size_t mantissa = n++;
      if (n < text->size() && ((*text)[n] == '+' || (*text)[n] == '-')) ++n;
      size_t exponent = n;
      digits();
      if (n == exponent) n = mantissa;
    }
  }
  std::string_view word = text->substr(0, n);
  text->remove_prefix(n);
  return word;
}

Result<double> TakeNumber(std::string_view* text) {
  bool negative = text->starts_with('-');
  if (negative || text->starts_with('+')) text->remove_prefix(1);
  std::string_view word = TakeUnsigned(text);
  GN_ASSIGN(double v, ParseFloat(word));
  return negative ? -v : v;
}

Result<SequenceValue> TakeHistogram(std::string_view* text) {
  size_t end = text->find("}}");
  if (end == std::string_view::npos) return Bad("a histogram without end", *text);
  SequenceValue value;
  GN_ASSIGN(value.histogram, ParseHistogramText(text->substr(2, end - 2), &value.reset_hint_set));
  text->remove_prefix(end + 2);
  return value;
}

// HIST, HISTxN, HIST+HISTxN, HIST-HISTxN.
Status TakeHistograms(std::string_view* text, std::vector<SequenceValue>* values) {
  GN_ASSIGN(SequenceValue value, TakeHistogram(text));
  if (text->starts_with('x')) {
    text->remove_prefix(1);
    GN_ASSIGN(uint64_t count, TakeCount(text));
    values->insert(values->end(), count + 1, value);
    return Status();
  }
  if (!text->starts_with('+') && !text->starts_with('-')) {
    values->push_back(std::move(value));
    return Status();
  }
  double sign = text->front() == '+' ? 1 : -1;
  text->remove_prefix(1);
  GN_ASSIGN(SequenceValue step, TakeHistogram(text));
  if (!text->starts_with('x')) return Bad("expected x and a number of repetitions", *text);
  text->remove_prefix(1);
  GN_ASSIGN(uint64_t count, TakeCount(text));
  values->push_back(value);
  for (uint64_t i = 0; i < count; ++i) {
    GN_ASSIGN(value.histogram, AddHistograms(*value.histogram, *step.histogram, sign));
    values->push_back(value);
  }
  return Status();
}

// NUM, NUMxN, NUM+NUMxN, NUM-NUMxN.
Status TakeNumbers(std::string_view* text, std::vector<SequenceValue>* values) {
  GN_ASSIGN(double value, TakeNumber(text));
  double step = 0;
  if (text->starts_with('+') || text->starts_with('-')) {
    GN_ASSIGN(step, TakeNumber(text));
    if (!text->starts_with('x')) return Bad("expected x and a number of repetitions", *text);
  } else if (!text->starts_with('x')) {
    values->push_back({.value = value});
    return Status();
  }
  text->remove_prefix(1);
  GN_ASSIGN(uint64_t count, TakeCount(text));
  for (uint64_t i = 0; i <= count; ++i, value += step) values->push_back({.value = value});
  return Status();
}

Status TakeItem(std::string_view* text, std::vector<SequenceValue>* values) {
  if (text->starts_with("{{")) return TakeHistograms(text, values);
  if (text->starts_with('_')) {
    text->remove_prefix(1);
    uint64_t count = 1;
    if (text->starts_with('x')) {
      text->remove_prefix(1);
      GN_ASSIGN(count, TakeCount(text));
    }
    values->insert(values->end(), count, SequenceValue{.omitted = true});
    return Status();
  }
  if (text->starts_with("stale")) {
    text->remove_prefix(5);
    uint64_t count = 0;
    if (text->starts_with('x')) {
      text->remove_prefix(1);
      GN_ASSIGN(count, TakeCount(text));
    }
    values->insert(values->end(), count + 1, SequenceValue{.value = StaleNaN()});
    return Status();
  }
  return TakeNumbers(text, values);
}

Result<int64_t> TakeDuration(std::string_view* text) {
  bool negative = text->starts_with('-');
  if (negative || text->starts_with('+')) text->remove_prefix(1);
  size_t n = 0;
  while (n < text->size() && (*text)[n] >= '0' && (*text)[n] <= '9') ++n;
  while (n < text->size() && (*text)[n] >= 'a' && (*text)[n] <= 'z' && (*text)[n] != 'x') ++n;
  GN_ASSIGN(int64_t ms, ParsePromDuration(text->substr(0, n)));
  text->remove_prefix(n);
  return negative ? -ms : ms;
}

Status TakeOffset(std::string_view* text, std::vector<std::optional<int64_t>>* offsets) {
  if (text->starts_with('_')) {
    text->remove_prefix(1);
    uint64_t count = 1;
    if (text->starts_with('x')) {
      text->remove_prefix(1);
      GN_ASSIGN(count, TakeCount(text));
    }
    offsets->insert(offsets->end(), count, std::nullopt);
    return Status();
  }
  GN_ASSIGN(int64_t offset, TakeDuration(text));
  int64_t step = 0;
  uint64_t count = 0;
  if (text->starts_with('+') || text->starts_with('-')) {
    GN_ASSIGN(step, TakeDuration(text));
    if (!text->starts_with('x')) return Bad("expected x and a number of repetitions", *text);
  }
  if (text->starts_with('x')) {
    text->remove_prefix(1);
    GN_ASSIGN(count, TakeCount(text));
  }
  for (uint64_t i = 0; i <= count; ++i, offset += step) offsets->push_back(offset);
  return Status();
}

Status ExpectSpace(std::string_view text) {
  return text.empty() || IsSpace(text.front()) ? Status() : Bad("unexpected text after a value", text);
}

}  // namespace

Result<SeriesLine> ParseSeriesLine(std::string_view line) {
  SeriesLine out;
  GN_ASSIGN(std::string_view metric, TakeMetric(&line));
  GN_ASSIGN(out.labels, ParseMetric(metric));
  for (SkipSpaces(&line); !line.empty(); SkipSpaces(&line)) {
    GN_TRY(TakeItem(&line, &out.values));
    GN_TRY(ExpectSpace(line));
  }
  return out;
}

bool IsStartTimeLine(std::string_view line) { return line.substr(0, line.find_first_of(" \t")).ends_with("@st"); }

Result<StartTimeLine> ParseStartTimeLine(std::string_view line) {
  StartTimeLine out;
  size_t space = line.find_first_of(" \t");
  GN_ASSIGN(out.labels, ParseMetric(line.substr(0, space - 3)));
  line.remove_prefix(std::min(space, line.size()));
  for (SkipSpaces(&line); !line.empty(); SkipSpaces(&line)) {
    GN_TRY(TakeOffset(&line, &out.offsets_ms));
    GN_TRY(ExpectSpace(line));
  }
  return out;
}

}  // namespace gauntlet::promql
