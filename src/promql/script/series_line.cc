#include "promql/script/series_line.h"

#include <fmt/format.h>

#include <charconv>

#include "model/time.h"
#include "promql/script/histogram_values.h"
#include "promql/syntax/parser.h"
#include "promql/syntax/series_description.h"

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

Result<uint64_t> TakeCount(std::string_view* text) {
  uint64_t count = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc() || count > kRepetitionsMax) return Bad("bad number of repetitions", *text);
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return count;
}

// The values of an item, spelled out.
Status Expand(const SeriesItem& item, std::vector<SequenceValue>* values) {
  if (item.count > kRepetitionsMax) return Status(Code::kInvalid, "too many repetitions");
  SequenceValue value;
  value.omitted = item.kind == SeriesItem::Kind::kOmitted;
  value.value = item.value;
  value.reset_hint_set = item.reset_hint_set;
  if (item.kind == SeriesItem::Kind::kHistogram) value.histogram = item.histogram;
  for (uint64_t i = 0; i < item.count; ++i) {
    if (i > 0) value.value += item.step;
    if (i > 0 && item.change != SeriesItem::Change::kNone) {
      double sign = item.change == SeriesItem::Change::kAdd ? 1 : -1;
      GN_ASSIGN(value.histogram, AddHistograms(*value.histogram, item.histogram_step, sign));
    }
    values->push_back(value);
  }
  return Status();
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
  GN_ASSIGN(SeriesDescription description, ParseSeriesDescription(line));
  out.labels = std::move(description.labels);
  for (const SeriesItem& item : description.items) GN_TRY(Expand(item, &out.values));
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
