// Series descriptions.

#include <fmt/format.h>

#include <bitset>
#include <charconv>

#include "model/stale.h"
#include "promql/syntax/parser_core.h"
#include "promql/syntax/series_description.h"

namespace gauntlet::promql {
namespace {

constexpr const char* kWhere = "series values";

// One span from `offset` for all buckets.
std::vector<HistogramSpan> SpanOf(const std::vector<double>& buckets, int64_t offset) {
  if (buckets.empty()) return {};
  return {{static_cast<int32_t>(offset), static_cast<uint32_t>(buckets.size())}};
}

}  // namespace

Result<SeriesDescription> ParseSeriesDescription(std::string_view text) {
  ParserOptions options;
  GN_TRY(CheckQuerySize(text, options));
  Parser parser(text, options, Lexer::Language::kSeriesDescription);
  SeriesDescription series = parser.ParseSeries();
  GN_TRY(parser.status());
  return series;
}

SeriesDescription Parser::ParseSeries() {
  SeriesDescription series;
  Pairs pairs;
  if (!MetricPairs(pairs)) return series;
  series.labels = Labels::From(pairs);
  if (Peek() != Tok::kEof && Peek() != Tok::kSpace) {
    Context context(*this, kWhere, nullptr);
    Unexpected();
  }
  while (!failed() && Accept(Tok::kSpace)) {
    if (!StartsItem(Peek())) continue;
    Context context(*this, kWhere, nullptr);
    if (!Item(series.items.emplace_back())) return series;
  }
  if (!failed()) Expect(Tok::kEof);
  return series;
}

bool Parser::StartsItem(Tok type) {
  switch (type) {
    case Tok::kBlank:
    case Tok::kOpenHistogram:
    case Tok::kIdentifier:
    case Tok::kNumber:
      return true;
    default:
      return IsSign(type);
  }
}

bool Parser::Item(SeriesItem& item) {
  if (Accept(Tok::kBlank)) {
    if (Accept(Tok::kTimes)) item.count = Repetition();
    return !failed();
  }
  if (Peek() == Tok::kOpenHistogram) return HistogramItem(item);
  item.kind = SeriesItem::Kind::kFloat;
  if (Peek() == Tok::kIdentifier) {
    if (Take().text != "stale") {
      Context context(*this, kWhere, "number or \"stale\"");
      Unexpected();
      return false;
    }
    item.value = StaleNaN();
  } else {
    std::optional<double> value = SignedNumber();
    if (!value) return false;
    item.value = *value;
  }
  bool repeats = false;
  if (IsSign(Peek())) {
    std::optional<double> step = SignedNumber();
    if (!step || !Expect(Tok::kTimes)) return false;
    item.step = *step;
    repeats = true;
  }
  if (repeats || Accept(Tok::kTimes)) item.count = CountAfterFirst(Repetition());
  return !failed();
}

// {{..}}, {{..}}xN, {{..}}+{{..}}xN
bool Parser::HistogramItem(SeriesItem& item) {
  item.kind = SeriesItem::Kind::kHistogram;
  if (!HistogramValue(item.histogram, item.reset_hint_set)) return false;
  bool repeats = false;
  if (IsSign(Peek())) {
    item.change = Take().type == Tok::kAdd ? SeriesItem::Change::kAdd : SeriesItem::Change::kSub;
    if (Peek() != Tok::kOpenHistogram) {
      Unexpected();
      return false;
    }
    if (!HistogramValue(item.histogram_step, item.reset_hint_set) || !Expect(Tok::kTimes)) return false;
    repeats = true;
  }
  if (repeats || Accept(Tok::kTimes)) item.count = CountAfterFirst(Repetition());
  return !failed();
}

// {{key:value key:value}}
bool Parser::HistogramValue(Histogram& histogram, bool& hint_set) {
  Take();
  hint_set = false;
  HistogramFields fields;
  if (Accept(Tok::kSpace)) return Expect(Tok::kCloseHistogram);
  if (Accept(Tok::kCloseHistogram)) return true;
  if (!HistogramField(histogram, fields)) return false;
  Context context(*this, "histogram description", "histogram description key, e.g. buckets:[5 10 7]");
  while (!Accept(Tok::kCloseHistogram)) {
    if (!Expect(Tok::kSpace)) return false;
    if (Accept(Tok::kCloseHistogram)) break;
    if (!HistogramField(histogram, fields)) return false;
  }
  hint_set = fields.seen[static_cast<size_t>(Tok::kCounterResetHintKey)];
  histogram.positive_spans = SpanOf(histogram.positive_buckets, fields.offset);
  histogram.negative_spans = SpanOf(histogram.negative_buckets, fields.negative_offset);
  return true;
}

bool Parser::HistogramField(Histogram& histogram, HistogramFields& fields) {
  const Tok key = Peek();
  if (key < Tok::kSumKey || key > Tok::kCounterResetHintKey) {
    Unexpected();
    return false;
  }
  std::string name(Take().text);
  if (!Expect(Tok::kColon)) return false;
  switch (key) {
    case Tok::kSchemaKey:
      histogram.schema = static_cast<int32_t>(SignedInteger());
      break;
    case Tok::kOffsetKey:
      fields.offset = SignedInteger();
      break;
    case Tok::kNegativeOffsetKey:
      fields.negative_offset = SignedInteger();
      break;
    case Tok::kSumKey:
      histogram.sum = SignedNumber().value_or(0);
      break;
    case Tok::kCountKey:
      histogram.count = SignedNumber().value_or(0);
      break;
    case Tok::kZeroBucketKey:
      histogram.zero_count = SignedNumber().value_or(0);
      break;
    case Tok::kZeroBucketWidthKey:
      if (IsSign(Peek())) Unexpected();
      histogram.zero_threshold = SignedNumber().value_or(0);
      break;
    case Tok::kBucketsKey:
      BucketSet(histogram.positive_buckets);
      break;
    case Tok::kNegativeBucketsKey:
      BucketSet(histogram.negative_buckets);
      break;
    case Tok::kCustomValuesKey:
      BucketSet(histogram.custom_values);
      break;
    default:
      if (Peek() < Tok::kHintUnknown) {
        Unexpected();
        return false;
      }
      histogram.reset_hint =
          static_cast<ResetHint>(static_cast<int>(Take().type) - static_cast<int>(Tok::kHintUnknown));
  }
  if (!failed() && fields.seen[static_cast<size_t>(key)]) {
    Fail(0, fmt::format("duplicate key \"{}\" in histogram", name));
  }
  fields.seen.set(static_cast<size_t>(key));
  return !failed();
}

// [1 2 3 ]
bool Parser::BucketSet(std::vector<double>& values) {
  if (!Expect(Tok::kLeftBracket)) return false;
  while (true) {
    std::optional<double> value = SignedNumber();
    if (!value) return false;
    values.push_back(*value);
    if (Accept(Tok::kRightBracket)) return true;
    if (!Expect(Tok::kSpace)) return false;
    if (Accept(Tok::kRightBracket)) return true;
  }
}

uint64_t Parser::Repetition() {
  if (Peek() != Tok::kNumber) {
    Unexpected();
    return 0;
  }
  Token token = Take();
  uint64_t value = 0;
  auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
  if (error == std::errc() && end == token.text.data() + token.text.size()) return value;
  const char* why = error == std::errc::result_out_of_range ? "value out of range" : "invalid syntax";
  Fail(token.pos,
       fmt::format("invalid repetition in series values: strconv.ParseUint: parsing {}: {}", GoQuote(token.text), why));
  return 0;
}

// The first value is for time zero, and not counted.
uint64_t Parser::CountAfterFirst(uint64_t repetitions) {
  return repetitions == std::numeric_limits<uint64_t>::max() ? repetitions : repetitions + 1;
}

int64_t Parser::SignedInteger() {
  const bool minus = Accept(Tok::kSub);
  int64_t value = static_cast<int64_t>(Repetition());
  return minus ? -value : value;
}

}  // namespace gauntlet::promql
