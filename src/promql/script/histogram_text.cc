#include "promql/script/histogram_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "model/float_text.h"
#include "promql/exec/math.h"

namespace gauntlet::promql {
namespace {

Status Bad(std::string_view what) { return Status(Code::kInvalid, fmt::format("histogram: {}", what)); }

std::string_view TakeWord(std::string_view* text, std::string_view end_chars) {
  size_t end = text->find_first_of(end_chars);
  std::string_view word = text->substr(0, end);
  text->remove_prefix(std::min(word.size(), text->size()));
  return word;
}

void SkipSpaces(std::string_view* text) {
  while (!text->empty() && (text->front() == ' ' || text->front() == '\t')) text->remove_prefix(1);
}

Result<std::vector<double>> TakeList(std::string_view* text) {
  std::vector<double> out;
  if (!text->starts_with('[')) return Bad("expected a list in brackets");
  text->remove_prefix(1);
  while (true) {
    SkipSpaces(text);
    if (text->starts_with(']')) break;
    std::string_view word = TakeWord(text, " \t]");
    if (word.empty()) return Bad("a list without end");
    GN_ASSIGN(double v, ParseFloat(word));
    out.push_back(v);
  }
  text->remove_prefix(1);
  return out;
}

// Bucket counts by index.
std::map<int64_t, double> ByIndex(const std::vector<HistogramSpan>& spans, const std::vector<double>& buckets) {
  std::map<int64_t, double> out;
  int64_t index = 0;
  size_t next = 0;
  for (const HistogramSpan& span : spans) {
    index += span.offset;
    for (uint32_t i = 0; i < span.length && next < buckets.size(); ++i) out[index++] = buckets[next++];
  }
  return out;
}

void FromIndex(const std::map<int64_t, double>& by_index, std::vector<HistogramSpan>* spans,
               std::vector<double>* buckets) {
  int64_t end = 0;
  for (const auto& [index, count] : by_index) {
    if (spans->empty() || index != end) {
      spans->push_back({static_cast<int32_t>(index - (spans->empty() ? 0 : end)), 0});
    }
    ++spans->back().length;
    buckets->push_back(count);
    end = index + 1;
  }
}

// The same counts in buckets of a lower schema, each of which covers 2^levels of the old ones.
std::map<int64_t, double> Reduced(const std::map<int64_t, double>& buckets, int32_t levels) {
  std::map<int64_t, double> out;
  for (const auto& [index, count] : buckets) out[((index - 1) >> levels) + 1] += count;
  return out;
}

std::map<int64_t, double> Sum(std::map<int64_t, double> a, const std::map<int64_t, double>& b, double sign) {
  for (const auto& [index, count] : b) a[index] += sign * count;
  return a;
}

bool SameBuckets(std::map<int64_t, double> a, std::map<int64_t, double> b, double epsilon) {
  std::erase_if(a, [](const auto& e) { return e.second == 0; });
  std::erase_if(b, [](const auto& e) { return e.second == 0; });
  if (a.size() != b.size()) return false;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (i->first != j->first || !AlmostEqual(i->second, j->second, epsilon)) return false;
  }
  return true;
}

constexpr std::string_view kHints[] = {"unknown", "reset", "not_reset", "gauge"};

}  // namespace

Result<Histogram> ParseHistogramText(std::string_view text, bool* reset_hint_set) {
  Histogram h;
  double offset = 0, n_offset = 0;
  *reset_hint_set = false;
  for (SkipSpaces(&text); !text.empty(); SkipSpaces(&text)) {
    std::string_view key = TakeWord(&text, ":");
    if (text.empty()) return Bad("expected key:value");
    text.remove_prefix(1);
    if (key == "buckets") {
      GN_ASSIGN(h.positive_buckets, TakeList(&text));
    } else if (key == "n_buckets") {
      GN_ASSIGN(h.negative_buckets, TakeList(&text));
    } else if (key == "custom_values") {
      GN_ASSIGN(h.custom_values, TakeList(&text));
    } else if (key == "counter_reset_hint") {
      std::string_view word = TakeWord(&text, " \t");
      size_t i = 0;
      while (i < std::size(kHints) && kHints[i] != word) ++i;
      if (i == std::size(kHints)) return Bad(fmt::format("unknown counter_reset_hint {}", word));
      h.reset_hint = static_cast<ResetHint>(i);
      *reset_hint_set = true;
    } else {
      GN_ASSIGN(double v, ParseFloat(TakeWord(&text, " \t")));
      if (key == "schema") {
        h.schema = static_cast<int32_t>(v);
      } else if (key == "sum") {
        h.sum = v;
      } else if (key == "count") {
        h.count = v;
      } else if (key == "z_bucket") {
        h.zero_count = v;
      } else if (key == "z_bucket_w") {
        h.zero_threshold = v;
      } else if (key == "offset") {
        offset = v;
      } else if (key == "n_offset") {
        n_offset = v;
      } else {
        return Bad(fmt::format("unknown key {}", key));
      }
    }
  }
  if (!h.positive_buckets.empty()) {
    h.positive_spans = {{static_cast<int32_t>(offset), static_cast<uint32_t>(h.positive_buckets.size())}};
  }
  if (!h.negative_buckets.empty()) {
    h.negative_spans = {{static_cast<int32_t>(n_offset), static_cast<uint32_t>(h.negative_buckets.size())}};
  }
  return h;
}

std::string HistogramText(const Histogram& h) {
  std::string out = fmt::format("{{{{schema:{} count:{} sum:{}", h.schema, h.count, h.sum);
  if (h.zero_count != 0) out += fmt::format(" z_bucket:{}", h.zero_count);
  if (h.zero_threshold != 0) out += fmt::format(" z_bucket_w:{}", h.zero_threshold);
  auto list = [&out](std::string_view name, const std::map<int64_t, double>& buckets) {
    for (const auto& [index, count] : buckets) out += fmt::format(" {}[{}]:{}", name, index, count);
  };
  list("bucket", ByIndex(h.positive_spans, h.positive_buckets));
  list("n_bucket", ByIndex(h.negative_spans, h.negative_buckets));
  if (!h.custom_values.empty()) out += fmt::format(" custom_values:[{}]", fmt::join(h.custom_values, " "));
  return out + fmt::format(" counter_reset_hint:{}}}}}", kHints[static_cast<size_t>(h.reset_hint)]);
}

Result<Histogram> AddHistograms(const Histogram& a, const Histogram& b, double sign) {
  if (a.uses_custom_buckets() != b.uses_custom_buckets() || a.zero_threshold != b.zero_threshold ||
      a.custom_values != b.custom_values) {
    return Status(Code::kUnsupported, "sequences of histograms of different layouts");
  }
  Histogram out;
  out.schema = std::min(a.schema, b.schema);
  auto add = [&](auto spans, auto buckets) {
    return Sum(Reduced(ByIndex(a.*spans, a.*buckets), a.schema - out.schema),
               Reduced(ByIndex(b.*spans, b.*buckets), b.schema - out.schema), sign);
  };
  out.reset_hint = a.reset_hint == b.reset_hint ? a.reset_hint : ResetHint::kUnknown;
  out.zero_threshold = a.zero_threshold;
  out.custom_values = a.custom_values;
  out.zero_count = a.zero_count + sign * b.zero_count;
  out.count = a.count + sign * b.count;
  out.sum = a.sum + sign * b.sum;
  FromIndex(add(&Histogram::positive_spans, &Histogram::positive_buckets), &out.positive_spans, &out.positive_buckets);
  FromIndex(add(&Histogram::negative_spans, &Histogram::negative_buckets), &out.negative_spans, &out.negative_buckets);
  return out;
}

bool SameHistogram(const Histogram& a, const Histogram& b, double epsilon, bool compare_hint) {
  return a.schema == b.schema && AlmostEqual(a.count, b.count, epsilon) && AlmostEqual(a.sum, b.sum, epsilon) &&
         a.custom_values == b.custom_values && a.zero_threshold == b.zero_threshold &&
         AlmostEqual(a.zero_count, b.zero_count, epsilon) &&
         SameBuckets(ByIndex(a.positive_spans, a.positive_buckets), ByIndex(b.positive_spans, b.positive_buckets),
                     epsilon) &&
         SameBuckets(ByIndex(a.negative_spans, a.negative_buckets), ByIndex(b.negative_spans, b.negative_buckets),
                     epsilon) &&
         (!compare_hint || a.reset_hint == b.reset_hint);
}

}  // namespace gauntlet::promql
