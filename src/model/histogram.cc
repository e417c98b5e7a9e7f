#include "model/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "model/float_text.h"
#include "model/histogram_buckets.h"

namespace gauntlet {
namespace {

constexpr int32_t kSchemaMin = -4, kSchemaMax = 8;

bool SameBits(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

bool SameBuckets(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), SameBits);
}

// Spans without those of no length, whose gaps go to their successors.
std::vector<HistogramSpan> WithoutEmpty(const std::vector<HistogramSpan>& spans) {
  std::vector<HistogramSpan> kept;
  int32_t gap = 0;
  for (HistogramSpan span : spans) {
    span.offset = static_cast<int32_t>(static_cast<uint32_t>(span.offset) + static_cast<uint32_t>(gap));  // may wrap
    gap = span.length == 0 ? span.offset : 0;
    if (span.length > 0) kept.push_back(span);
  }
  return kept;
}

// Spans differ only in how a layout is written when empty ones are left out.
bool SameSpans(const std::vector<HistogramSpan>& a, const std::vector<HistogramSpan>& b) {
  return a == b || WithoutEmpty(a) == WithoutEmpty(b);
}

// No empty buckets or spans, and no gap so small that it would be filled. Most histograms are like that.
bool IsCompact(const std::vector<HistogramSpan>& spans, const std::vector<double>& buckets, int64_t empty_max) {
  uint64_t covered = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].length == 0 || (i > 0 && spans[i].offset <= empty_max)) return false;
    covered += spans[i].length;
  }
  return covered == buckets.size() && std::find(buckets.begin(), buckets.end(), 0) == buckets.end();
}

void CompactSide(const Histogram& histogram, BucketCursor::Side side, int64_t empty_max,
                 std::vector<HistogramSpan>* spans, std::vector<double>* buckets) {
  if (IsCompact(*spans, *buckets, empty_max)) return;
  std::vector<HistogramSpan> new_spans;
  std::vector<double> new_buckets;
  int64_t last = 0;
  for (BucketCursor cursor(histogram, side); cursor.Next();) {
    if (cursor.count() == 0) continue;
    int64_t index = cursor.index(), gap = index - last - 1;
    if (!new_spans.empty() && gap >= 0 && gap <= empty_max) {
      new_buckets.insert(new_buckets.end(), static_cast<size_t>(gap), 0.0);
      new_spans.back().length += static_cast<uint32_t>(gap) + 1;
    } else {
      new_spans.push_back({static_cast<int32_t>(new_spans.empty() ? index : gap), 1});
    }
    new_buckets.push_back(cursor.count());
    last = index;
  }
  *spans = std::move(new_spans);
  *buckets = std::move(new_buckets);
}

Status BadHistogram(std::string message) { return Status(Code::kInvalid, std::move(message)); }

constexpr std::string_view kNegativeOffset = "histogram has a span whose offset is negative";
constexpr std::string_view kNegativeBucket = "histogram has a bucket whose observation count is negative";

// `first`: whether the first span may not have a negative offset either.
Status CheckSpans(const std::vector<HistogramSpan>& spans, size_t buckets, bool first) {
  uint64_t need = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].offset < 0 && (i > 0 || first)) {
      return BadHistogram(fmt::format("span number {} with offset {}: {}", i + 1, spans[i].offset, kNegativeOffset));
    }
    need += spans[i].length;
  }
  if (need == buckets) return Status();
  return BadHistogram(
      fmt::format("spans need {} buckets, have {} buckets: histogram spans specify different number of buckets than "
                  "provided",
                  need, buckets));
}

Status CheckBuckets(const std::vector<double>& buckets, double* sum) {
  for (size_t i = 0; i < buckets.size(); ++i) {
    if (buckets[i] < 0) {
      return BadHistogram(fmt::format("bucket number {} has observation count of {}: {}", i + 1,
                                      FormatFloatG(buckets[i]), kNegativeBucket));
    }
    *sum += buckets[i];
  }
  return Status();
}

Status CheckCustomBounds(const Histogram& h) {
  const std::vector<double>& bounds = h.custom_values;
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (std::isnan(bounds[i])) return BadHistogram("histogram custom bounds must not be NaN");
    if (i > 0 && bounds[i] <= bounds[i - 1]) {
      return BadHistogram(
          fmt::format("previous bound is {:f} and current is {:f}: histogram custom bounds must be in strictly "
                      "increasing order",
                      bounds[i - 1], bounds[i]));
    }
  }
  if (!bounds.empty() && std::isinf(bounds.back()) && bounds.back() > 0) {
    return BadHistogram("last +Inf bound must not be explicitly defined: histogram custom bounds must be finite");
  }
  GN_TRY(CheckSpans(h.positive_spans, h.positive_buckets.size(), true));
  uint64_t covered = 0;
  for (const HistogramSpan& span : h.positive_spans) covered += span.length + static_cast<uint64_t>(span.offset);
  if (bounds.size() + 1 >= covered) return Status();
  return BadHistogram(
      fmt::format("only {} custom bounds defined which is insufficient to cover total span length of {}: histogram "
                  "custom bounds are too few",
                  bounds.size(), covered));
}

Status CheckCustom(const Histogram& h) {
  if (Status status = CheckCustomBounds(h); !status.ok()) return std::move(status).Wrap("custom buckets");
  if (h.zero_count != 0) return BadHistogram("custom buckets: must have zero count of 0");
  if (h.zero_threshold != 0) return BadHistogram("custom buckets: must have zero threshold of 0");
  if (!h.negative_spans.empty()) return BadHistogram("custom buckets: must not have negative spans");
  if (!h.negative_buckets.empty()) return BadHistogram("custom buckets: must not have negative buckets");
  return Status();
}

Status CheckExponential(const Histogram& h, double* sum) {
  auto side = [](Status status, std::string_view name) { return std::move(status.Wrap(name)); };
  GN_TRY(side(CheckSpans(h.positive_spans, h.positive_buckets.size(), false), "positive side"));
  GN_TRY(side(CheckSpans(h.negative_spans, h.negative_buckets.size(), false), "negative side"));
  GN_TRY(side(CheckBuckets(h.negative_buckets, sum), "negative side"));
  if (h.zero_count < 0) {
    return BadHistogram(
        fmt::format("zero bucket has observation count of {}: {}", FormatFloatG(h.zero_count), kNegativeBucket));
  }
  if (!h.custom_values.empty()) return BadHistogram("histogram with exponential schema must not have custom bounds");
  return Status();
}

std::string BucketText(const HistogramBucket& bucket) {
  return fmt::format("{}{},{}{}:{}", bucket.lower_inclusive ? '[' : '(', FormatFloatG(bucket.lower),
                     FormatFloatG(bucket.upper), bucket.upper_inclusive ? ']' : ')', FormatFloatG(bucket.count));
}

// "1 2 3"
std::string ListText(const std::vector<double>& values) {
  std::string text;
  for (double v : values) text += (text.empty() ? "" : " ") + FormatFloatG(v);
  return text;
}

}  // namespace

bool SameHistogram(const Histogram& a, const Histogram& b) {
  if (a.schema != b.schema || !SameBits(a.count, b.count) || !SameBits(a.sum, b.sum)) return false;
  if (a.uses_custom_buckets() && a.custom_values != b.custom_values) return false;
  return a.zero_threshold == b.zero_threshold && SameBits(a.zero_count, b.zero_count) &&
         SameSpans(a.negative_spans, b.negative_spans) && SameBuckets(a.negative_buckets, b.negative_buckets) &&
         SameSpans(a.positive_spans, b.positive_spans) && SameBuckets(a.positive_buckets, b.positive_buckets);
}

void CompactHistogram(Histogram& h, int64_t empty_max) {
  CompactSide(h, BucketCursor::Side::kPositive, empty_max, &h.positive_spans, &h.positive_buckets);
  CompactSide(h, BucketCursor::Side::kNegative, empty_max, &h.negative_spans, &h.negative_buckets);
}

Status ValidateHistogram(const Histogram& h) {
  double sum = h.zero_count;
  if (h.uses_custom_buckets()) {
    GN_TRY(CheckCustom(h));
  } else if (h.schema >= kSchemaMin && h.schema <= kSchemaMax) {
    GN_TRY(CheckExponential(h, &sum));
  } else {
    return BadHistogram(
        fmt::format("histogram has an invalid schema, which must be between {} and {} for exponential buckets, or {} "
                    "for custom buckets, got schema {}",
                    kSchemaMin, kSchemaMax, kCustomBucketsSchema, h.schema));
  }
  if (h.count < 0) {
    return BadHistogram("observation count is  " + FormatFloatG(h.count) +
                        ": histogram's observation count is negative");
  }
  if (Status status = CheckBuckets(h.positive_buckets, &sum); !status.ok()) {
    return std::move(status).Wrap("positive side");
  }
  // Rounding makes this useless for floats.
  bool fits = h.is_float || (std::isnan(h.sum) ? sum <= h.count : sum == h.count);
  if (fits) return Status();
  return BadHistogram(fmt::format(
      "{:.0f} observations found in buckets, but the Count field is {:.0f}: histogram's observation count "
      "should {} the number of observations found in the buckets{}",
      sum, h.count, std::isnan(h.sum) ? "be at least" : "equal", std::isnan(h.sum) ? "" : " (in absence of NaN)"));
}

std::string HistogramString(const Histogram& h) {
  std::string text = "{count:" + FormatFloatG(h.count) + ", sum:" + FormatFloatG(h.sum);
  std::vector<std::string> negative;
  for (BucketCursor cursor(h, BucketCursor::Side::kNegative); cursor.Next();) {
    if (cursor.count() != 0) negative.push_back(BucketText(cursor.bucket()));
  }
  for (auto bucket = negative.rbegin(); bucket != negative.rend(); ++bucket) text += ", " + *bucket;
  if (h.zero_count != 0 && !h.uses_custom_buckets()) {
    text += ", " + BucketText({-h.zero_threshold, h.zero_threshold, h.zero_count, true, true, 0});
  }
  for (BucketCursor cursor(h, BucketCursor::Side::kPositive); cursor.Next();) {
    if (cursor.count() != 0) text += ", " + BucketText(cursor.bucket());
  }
  return text + "}";
}

std::string HistogramExpression(const Histogram& histogram) {
  Histogram h = histogram;
  CompactHistogram(h, 1'000'000);  // one span a side
  std::vector<std::string> parts;
  auto number = [&](std::string_view key, double v) {
    if (v != 0) parts.push_back(fmt::format("{}:{}", key, FormatFloatG(v)));
  };
  if (h.schema != 0) parts.push_back(fmt::format("schema:{}", h.schema));
  number("count", h.count);
  number("sum", h.sum);
  number("z_bucket", h.zero_count);
  number("z_bucket_w", h.zero_threshold);
  if (h.uses_custom_buckets()) parts.push_back("custom_values:[" + ListText(h.custom_values) + "]");
  constexpr std::string_view kHints[] = {"", "reset", "not_reset", "gauge"};
  if (h.reset_hint != ResetHint::kUnknown) {
    parts.push_back(fmt::format("counter_reset_hint:{}", kHints[static_cast<size_t>(h.reset_hint)]));
  }
  auto side = [&](std::string_view key, std::string_view offset_key, const auto& spans, const auto& buckets) {
    if (!spans.empty() && spans[0].offset != 0) parts.push_back(fmt::format("{}:{}", offset_key, spans[0].offset));
    if (!buckets.empty()) parts.push_back(fmt::format("{}:[{}]", key, ListText(buckets)));
  };
  side("buckets", "offset", h.positive_spans, h.positive_buckets);
  side("n_buckets", "n_offset", h.negative_spans, h.negative_buckets);
  return fmt::format("{{{{{}}}}}", fmt::join(parts, " "));
}

}  // namespace gauntlet
