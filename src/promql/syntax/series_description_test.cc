#include "promql/syntax/series_description.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/stale.h"
#include "promql/syntax/testing/table.h"

namespace gauntlet::promql {
namespace {

std::string Number(double v) {
  if (IsStaleNaN(v)) return "stale";
  std::string text = std::to_string(v);
  while (text.find('.') != text.npos && (text.back() == '0' || text.back() == '.')) {
    const bool dot = text.back() == '.';
    text.pop_back();
    if (dot) break;
  }
  return text;
}

std::string Numbers(const std::vector<double>& values) {
  std::string out;
  for (double v : values) out += (out.empty() ? "" : " ") + Number(v);
  return "[" + out + "]";
}

std::string Text(const Histogram& h) {
  std::string out = "schema:" + std::to_string(h.schema) + " count:" + Number(h.count) + " sum:" + Number(h.sum);
  if (h.zero_count != 0 || h.zero_threshold != 0)
    out += " zero:" + Number(h.zero_count) + "/" + Number(h.zero_threshold);
  for (const HistogramSpan& s : h.positive_spans) out += " +" + std::to_string(s.offset) + Numbers(h.positive_buckets);
  for (const HistogramSpan& s : h.negative_spans) out += " -" + std::to_string(s.offset) + Numbers(h.negative_buckets);
  if (!h.custom_values.empty()) out += " custom:" + Numbers(h.custom_values);
  if (h.reset_hint != ResetHint::kUnknown) out += " hint:" + std::to_string(static_cast<int>(h.reset_hint));
  return out;
}

// Labels, then each item as FIRST STEP xCOUNT; or the error.
std::string Parsed(std::string_view text) {
  Result<SeriesDescription> series = ParseSeriesDescription(text);
  if (!series.ok()) return std::string(series.status().message());
  std::string out = series->labels.ToString();
  for (const SeriesItem& item : series->items) {
    out += " | ";
    if (item.kind == SeriesItem::Kind::kOmitted) {
      out += "_";
    } else if (item.kind == SeriesItem::Kind::kFloat) {
      out += Number(item.value) + (item.step != 0 ? " by " + Number(item.step) : "");
    } else {
      out += Text(item.histogram) + (item.reset_hint_set ? " (set)" : "");
      if (item.change == SeriesItem::Change::kAdd) out += " plus " + Text(item.histogram_step);
      if (item.change == SeriesItem::Change::kSub) out += " minus " + Text(item.histogram_step);
    }
    if (item.count != 1) out += " x" + std::to_string(item.count);
  }
  return out;
}

TEST(SeriesDescription, Floats) {
  EXPECT_EQ(Parsed("up"), "{__name__=\"up\"}");
  EXPECT_EQ(Parsed("{}  1  -2 +3 "), "{} | 1 | -2 | 3");
  EXPECT_EQ(Parsed("up{a='b'} 1+2x3 4-1x0 5x2"), "{__name__=\"up\", a=\"b\"} | 1 by 2 x4 | 4 by -1 | 5 x3");
  EXPECT_EQ(Parsed("{\"m.n\"} _ _x4 stale 0x2 1_000"), "{__name__=\"m.n\"} | _ | _ x4 | stale | 0 x3 | 1000");
  EXPECT_EQ(Parsed("sum Inf -inf -1-2x2"), "{__name__=\"sum\"} | inf | -inf | -1 by -2 x3");
  EXPECT_TRUE(std::isnan(ParseSeriesDescription("a NaN")->items[0].value));
  EXPECT_FALSE(IsStaleNaN(ParseSeriesDescription("a NaN")->items[0].value));
}

TEST(SeriesDescription, Histograms) {
  EXPECT_EQ(Parsed("a {{}} {{ }} {{schema:1 }}"),
            "{__name__=\"a\"} | schema:0 count:0 sum:0 | schema:0 count:0 sum:0 | schema:1 count:0 sum:0");
  EXPECT_EQ(Parsed("a {{schema:-4 sum:-0.5 count:3 z_bucket:7 z_bucket_w:0.25 buckets:[5.5 10  7  ] offset:-3 "
                   "n_buckets:[4 -1] n_offset:2  counter_reset_hint:gauge}}"),
            "{__name__=\"a\"} | schema:-4 count:3 sum:-0.5 zero:7/0.25 +-3[5.5 10 7] -2[4 -1] hint:3 (set)");
  EXPECT_EQ(Parsed("a {{schema:-53 custom_values:[1 2] buckets:[1]}}x2"),
            "{__name__=\"a\"} | schema:-53 count:0 sum:0 +0[1] custom:[1 2] x3");
  EXPECT_EQ(Parsed("a {{sum:1 counter_reset_hint:reset}}+{{sum:2}}x3 {{}}-{{counter_reset_hint:unknown}}x1"),
            "{__name__=\"a\"} | schema:0 count:0 sum:1 hint:1 plus schema:0 count:0 sum:2 x4 | "
            "schema:0 count:0 sum:0 (set) minus schema:0 count:0 sum:0 x2");
  EXPECT_EQ(Parsed("a {{buckets:[inf]}}"), "{__name__=\"a\"} | schema:0 count:0 sum:0 +0[inf]");
}

TEST(SeriesDescription, HugeRepetitionsStayOneItem) {
  EXPECT_EQ(Parsed("a 1x18446744073709551615"), "{__name__=\"a\"} | 1 x18446744073709551615");
}

TEST(SeriesDescription, Errors) {
  const std::pair<const char*, const char*> cases[] = {
      {"a x", "1:3: parse error: unexpected \"x\""},
      {"a 1x", "1:5: parse error: unexpected end of input in series values"},
      {"a 1+2", "1:6: parse error: unexpected end of input in series values"},
      {"a 1x2x3", "1:6: parse error: unexpected \"x\""},
      {"a foo", "1:3: parse error: unexpected identifier \"foo\" in series values, expected number or \"stale\""},
      {"a 1x1.5",
       "1:5: parse error: invalid repetition in series values: strconv.ParseUint: parsing \"1.5\": invalid syntax"},
      {"a 1x18446744073709551616",
       "1:5: parse error: invalid repetition in series values: strconv.ParseUint: parsing \"18446744073709551616\": "
       "value out of range"},
      {"a{b=\"c\"}1", "1:9: parse error: unexpected number \"1\" in series values"},
      {"1", "1:1: parse error: unexpected number \"1\" in series values"},
      {"a 5m", "1:3: parse error: bad number syntax: \"5\""},
      {"a + 1", "1:4: parse error: unexpected \" \" in series values"},
      {"a $", "1:3: parse error: unexpected character in series sequence: '$'"},
      {"a {{schema:1 schema:2}}", "1:1: parse error: duplicate key \"schema\" in histogram"},
      {"a {{foo:1}}", "1:5: parse error: bad histogram descriptor found: \"foo\""},
      {"a {{sum}}", "1:5: parse error: missing `:` for histogram descriptor"},
      {"a {{sum:}}", "1:9: parse error: unexpected \"}}\" in series values"},
      {"a {{buckets:[]}}", "1:14: parse error: unexpected \"]\" in series values"},
      {"a {{buckets:[ 1]}}", "1:14: parse error: unexpected \" \" in series values"},
      {"a {{z_bucket_w:-1}}", "1:16: parse error: unexpected <op:-> in series values"},
      {"a {{counter_reset_hint:1}}", "1:24: parse error: unexpected number \"1\" in series values"},
      {"a {{schema:1}}+1x3", "1:16: parse error: unexpected number \"1\" in series values"},
      {"a {{sum:1}}{{sum:2}}", "1:12: parse error: unexpected \"{{\""},
      {"a {{sum:1 : }}",
       "1:11: parse error: unexpected \":\" in histogram description, expected histogram description key, e.g. "
       "buckets:[5 10 7]"},
      {"a {{sum:1", "1:10: parse error: histogram description incomplete unexpected: '\ufffd'"},
  };
  for (auto [text, error] : cases) EXPECT_EQ(Parsed(text), error) << text;
}

TEST(SeriesDescription, EveryCutIsAnswered) {
  const std::string text =
      "a{b='c',\"d\"='e'} 1+2x3 {{schema:-4 buckets:[5.5 -1 ] counter_reset_hint:gauge}}-{{sum:1}}x2 _x3";
  for (size_t n = 0; n <= text.size(); n++) {
    EXPECT_FALSE(Parsed(text.substr(0, n)).empty());
    EXPECT_FALSE(Parsed(text.substr(n)).empty());
  }
}

}  // namespace
}  // namespace gauntlet::promql
