#include "promql/syntax/token.h"

#include <algorithm>
#include <span>

#include "base/utf8.h"
#include "model/labels.h"

namespace gauntlet::promql {
namespace {

struct Word {
  std::string_view text;
  Tok type;
};

// Sorted, for Find.
constexpr Word kKeywords[] = {
    {"anchored", Tok::kAnchored},
    {"and", Tok::kAnd},
    {"atan2", Tok::kAtan2},
    {"avg", Tok::kAvg},
    {"bool", Tok::kBool},
    {"bottomk", Tok::kBottomK},
    {"by", Tok::kBy},
    {"count", Tok::kCount},
    {"count_values", Tok::kCountValues},
    {"end", Tok::kEnd},
    {"fill", Tok::kFill},
    {"fill_left", Tok::kFillLeft},
    {"fill_right", Tok::kFillRight},
    {"group", Tok::kGroup},
    {"group_left", Tok::kGroupLeft},
    {"group_right", Tok::kGroupRight},
    {"ignoring", Tok::kIgnoring},
    {"inf", Tok::kNumber},
    {"limit_ratio", Tok::kLimitRatio},
    {"limitk", Tok::kLimitK},
    {"max", Tok::kMax},
    {"max_of", Tok::kMaxOf},
    {"min", Tok::kMin},
    {"min_of", Tok::kMinOf},
    {"nan", Tok::kNumber},
    {"offset", Tok::kOffset},
    {"on", Tok::kOn},
    {"or", Tok::kOr},
    {"quantile", Tok::kQuantile},
    {"range", Tok::kRange},
    {"smoothed", Tok::kSmoothed},
    {"start", Tok::kStart},
    {"stddev", Tok::kStddev},
    {"stdvar", Tok::kStdvar},
    {"step", Tok::kStep},
    {"sum", Tok::kSum},
    {"topk", Tok::kTopK},
    {"unless", Tok::kUnless},
    {"without", Tok::kWithout},
};
static_assert(std::ranges::is_sorted(kKeywords, {}, &Word::text));

constexpr Word kHistogramWords[] = {
    {"buckets", Tok::kBucketsKey},
    {"count", Tok::kCountKey},
    {"counter_reset_hint", Tok::kCounterResetHintKey},
    {"custom_values", Tok::kCustomValuesKey},
    {"gauge", Tok::kHintGauge},
    {"n_buckets", Tok::kNegativeBucketsKey},
    {"n_offset", Tok::kNegativeOffsetKey},
    {"not_reset", Tok::kHintNotReset},
    {"offset", Tok::kOffsetKey},
    {"reset", Tok::kHintReset},
    {"schema", Tok::kSchemaKey},
    {"sum", Tok::kSumKey},
    {"unknown", Tok::kHintUnknown},
    {"z_bucket", Tok::kZeroBucketKey},
    {"z_bucket_w", Tok::kZeroBucketWidthKey},
};
static_assert(std::ranges::is_sorted(kHistogramWords, {}, &Word::text));

Tok Find(std::span<const Word> words, std::string_view word) {
  char lower[24];
  if (word.size() > sizeof(lower)) return Tok::kIdentifier;
  for (size_t i = 0; i < word.size(); i++) {
    lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] + 32) : word[i];
  }
  std::string_view key(lower, word.size());
  auto at = std::ranges::lower_bound(words, key, {}, &Word::text);
  return at != words.end() && at->text == key ? at->type : Tok::kIdentifier;
}

// The first ten runes of a long text, quoted, and dots.
std::string QuoteShort(std::string_view text) {
  if (text.size() <= 10) return GoQuote(text);
  size_t bytes = 0;
  for (int runes = 0; runes < 10 && bytes < text.size(); runes++) bytes += DecodeRune(text.substr(bytes)).bytes;
  return GoQuote(text.substr(0, bytes)) + "...";
}

}  // namespace

std::string Describe(const Token& token) {
  std::string text(token.text);
  switch (token.type) {
    case Tok::kError:
      return "error " + text;
    case Tok::kEof:
      return "end of input";
    case Tok::kIdentifier:
      return "identifier " + GoQuote(text);
    case Tok::kMetricIdentifier:
      return "metric identifier " + GoQuote(text);
    case Tok::kString:
      return "string " + QuoteShort(text);
    case Tok::kNumber:
      return "number " + QuoteShort(text);
    case Tok::kDuration:
      return "duration " + QuoteShort(text);
    default:
      break;
  }
  if (IsKeyword(token.type)) return "<" + text + ">";
  if (IsOperator(token.type)) return "<op:" + text + ">";
  if (IsAggregation(token.type)) return "<aggr:" + text + ">";
  return QuoteShort(text);
}

Tok FindKeyword(std::string_view word) { return Find(kKeywords, word); }

Tok FindHistogramWord(std::string_view word) { return Find(kHistogramWords, word); }

}  // namespace gauntlet::promql
