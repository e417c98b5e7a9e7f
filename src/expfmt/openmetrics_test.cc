#include "expfmt/openmetrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gauntlet::expfmt {
namespace {

// Lines "{labels} value time", and the error at the end.
std::vector<std::string> Read(std::string_view text) {
  OpenMetricsReader reader(text);
  TextSample sample;
  std::vector<std::string> lines;
  for (;;) {
    auto more = reader.Next(&sample);
    if (!more.ok()) lines.emplace_back(more.status().message());
    if (!more.ok() || !*more) return lines;
    lines.push_back(sample.labels().ToString() + " " + std::to_string(sample.value) + " " +
                    (sample.time_ms ? std::to_string(*sample.time_ms) : "-"));
  }
}
using Lines = std::vector<std::string>;

TEST(OpenMetrics, SamplesWithAllTheirParts) {
  EXPECT_EQ(Read("# HELP m some text\n# TYPE m counter\n# UNIT m s\n"
                 "m_total{b=\"2\",a=\"x\\\"y\\\\z\\nw\\q\"} 5 1767571200.5 # {trace=\"1\"} 1 1.5\n"
                 "m_total 6\nm_total{} +Inf -3\nm_total{ a = \"b\" , } 16 1.0015\nm_total 7 # {} 1\n# EOF\n"),
            (Lines{"{__name__=\"m_total\", a=\"x\\\"y\\\\z\\nw\\\\q\", b=\"2\"} 5.000000 1767571200500",
                   "{__name__=\"m_total\"} 6.000000 -", "{__name__=\"m_total\"} inf -3000",
                   "{__name__=\"m_total\", a=\"b\"} 16.000000 1001", "{__name__=\"m_total\"} 7.000000 -"}));
}

TEST(OpenMetrics, QuotedNames) {
  EXPECT_EQ(Read("{\"my.metric\",\"l.b\"=\"v\",c=\"\"} 1 2\n# EOF"),
            (Lines{"{__name__=\"my.metric\", \"l.b\"=\"v\"} 1.000000 2000"}));
}

TEST(OpenMetrics, WhatIsWrongIsNamedWithItsLine) {
  auto error = [](std::string_view line) { return Read(std::string(line) + "\n# EOF\n").back(); };
  EXPECT_EQ(Read("m 1\n"), (Lines{"{__name__=\"m\"} 1.000000 -", "data does not end with # EOF"}));
  EXPECT_EQ(Read(""), Lines{"data does not end with # EOF"});
  EXPECT_EQ(Read("# EOF\nm 1\n"), Lines{"line 1: unexpected data after # EOF"});
  EXPECT_EQ(error("# a comment"), "line 1: a comment that is no HELP, TYPE or UNIT");
  EXPECT_EQ(error("{a=\"b\"} 1"), "line 1: no metric name");
  EXPECT_EQ(error("m{a=\"b\",a=\"c\"} 1"), "line 1: a label name is given twice");
  EXPECT_EQ(error("m{__name__=\"c\"} 1"), "line 1: a label name is given twice");
  EXPECT_EQ(error("m{a=\"b} 1"), "line 1: a quoted text does not end");
  EXPECT_EQ(error("m{a=\"b\" c=\"d\"} 1"), "line 1: expected , or } behind a label");
  EXPECT_EQ(error("m{a} 1"), "line 1: expected = behind a label name");
  EXPECT_EQ(error("m x"), "line 1: the value is no number");
  EXPECT_EQ(error("m 1 x"), "line 1: invalid timestamp");
  EXPECT_EQ(error("m 1 NaN"), "line 1: invalid timestamp");
  EXPECT_EQ(error("m 1 2 3"), "line 1: unexpected text behind the timestamp");
  EXPECT_EQ(error("m 1 "), "line 1: unexpected text behind the value");
  EXPECT_EQ(error("m{a=\"\xff\"} 1"), "line 1: invalid UTF-8");
  EXPECT_EQ(error("\nm 1"), "line 1: no metric name");
}

TEST(OpenMetrics, EveryCutIsAnError) {
  std::string text = "# TYPE m gauge\nm{a=\"b\"} 1 2\nm 3 4 # {a=\"b\"} 1\n# EOF\n";
  for (size_t n = 0; n + 1 < text.size(); ++n) {  // the last line break may be missing
    EXPECT_NE(Read(text.substr(0, n)).back().find("data does not end"), std::string::npos) << n;
  }
}

}  // namespace
}  // namespace gauntlet::expfmt
