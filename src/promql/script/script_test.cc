#include "promql/script/script.h"

#include <gtest/gtest.h>

#include "model/stale.h"
#include "promql/script/runner.h"

namespace gauntlet::promql {
namespace {

std::vector<std::string> Failures(std::string_view text) {
  InlineExecutor executor;
  Engine engine(ScriptEngineOptions(), executor, nullptr, SystemClock());
  auto report = RunScript(text, engine);
  if (!report.ok()) return {"script: " + std::string(report.status().message())};
  std::vector<std::string> out;
  for (const auto& failure : report->failures) out.push_back(failure.what);
  return out;
}

bool Fails(std::string_view text, std::string_view with) {
  auto failures = Failures(text);
  EXPECT_EQ(failures.size(), 1u);
  return failures.size() == 1 && failures[0].find(with) != std::string::npos;
}

constexpr std::string_view kLoad = "load 1m\n  m{a=\"1\"} 1 2 3\n  m{a=\"2\"} 10 20 30\n\n";

std::string With(std::string_view rest) { return std::string(kLoad) + std::string(rest); }

TEST(SeriesLine, SequencesExpand) {
  auto line = ParseSeriesLine("m{a=\"x y\"} 1+2x2 _x2 stale -1.5x1 NaN Inf {{sum:3 count:2}}x1");
  ASSERT_TRUE(line.ok()) << line.status().message();
  EXPECT_EQ(line->labels.Get("a"), "x y");
  ASSERT_EQ(line->values.size(), 12u);
  EXPECT_EQ(line->values[2].value, 5);
  EXPECT_TRUE(line->values[3].omitted);
  EXPECT_TRUE(line->values[4].omitted);
  EXPECT_TRUE(IsStaleNaN(line->values[5].value));
  EXPECT_EQ(line->values[7].value, -1.5);
  EXPECT_EQ(line->values[11].histogram->count, 2);
}

TEST(SeriesLine, BadItemsAreErrors) {
  for (const char* line : {"m 1x", "m 1+2", "m {{sum:1", "m {{colour:1}}", "m{ 1", "m 1y2", "m 1x99999999999"}) {
    EXPECT_FALSE(ParseSeriesLine(line).ok()) << line;
  }
}

TEST(Script, PassingEvalsPass) {
  EXPECT_EQ(Failures(With("eval instant at 1m m\n  m{a=\"1\"} 2\n  m{a=\"2\"} 20\n\n"
                          "eval range from 0 to 2m step 1m sum(m)\n  {} 11 22 33\n\n"
                          "eval instant at 0 1 + 1\n  2\n\n"
                          "eval instant at 0 m +\n")),
            (std::vector<std::string>{"1:4: parse error: unexpected end of input"}));
}

TEST(Script, WrongValueFails) {
  EXPECT_TRUE(Fails(With("eval instant at 1m m{a=\"1\"}\n  m{a=\"1\"} 3\n"), "expected 3"));
}

TEST(Script, MissingAndUnexpectedSeriesFail) {
  EXPECT_TRUE(Fails(With("eval instant at 1m m{a=\"1\"}\n  m{a=\"1\"} 2\n  m{a=\"2\"} 20\n"), "not found"));
  EXPECT_TRUE(Fails(With("eval instant at 1m m\n  m{a=\"1\"} 2\n"), "unexpected metric"));
}

TEST(Script, PointsBesideTheExpectedFail) {
  EXPECT_TRUE(Fails(With("eval range from 0 to 2m step 1m m{a=\"1\"}\n  m{a=\"1\"} 1 2\n"), "expected 2 points"));
  EXPECT_TRUE(Fails(With("eval range from 0 to 2m step 1m m{a=\"1\"}\n  m{a=\"1\"} 1 2 3 4\n"), "cannot return"));
}

TEST(Script, OrderMattersOnlyWhenAsked) {
  EXPECT_EQ(Failures(With("eval instant at 1m sort_desc(m)\n  m{a=\"1\"} 2\n  m{a=\"2\"} 20\n")).size(), 0u);
  EXPECT_TRUE(
      Fails(With("eval instant at 1m sort_desc(m)\n  expect ordered\n  m{a=\"1\"} 2\n  m{a=\"2\"} 20\n"), "position"));
}

TEST(Script, AnnotationsAreCompared) {
  EXPECT_TRUE(Fails(With("eval instant at 1m m\n  expect warn\n  m{a=\"1\"} 2\n  m{a=\"2\"} 20\n"), "expected warn"));
  EXPECT_TRUE(Fails(With("eval instant at 2m rate(m{a=\"1\"}[2m])\n  expect no_info\n  {a=\"1\"} 0.016666667\n"),
                    "unexpected infos"));
}

TEST(Script, FailureMustHappenAndRead) {
  EXPECT_TRUE(Fails(With("eval instant at 1m m\n  expect fail\n"), "expected an error"));
  EXPECT_TRUE(Fails(With("eval instant at 1m m + on() m\n  expect fail msg: something else\n"), "another error"));
  EXPECT_EQ(Failures(With("eval instant at 1m m + on() m\n  expect fail regex: many-to-many\n")).size(), 0u);
}

TEST(Script, UnknownCommandsAreScriptErrors) {
  EXPECT_FALSE(ParseScript("frobnicate\n").ok());
  EXPECT_FALSE(ParseScript("eval instant at 1m m\n  m 1 2\n").ok());
  EXPECT_FALSE(ParseScript("load 1m\n  m@st -1m\n").ok());
}

}  // namespace
}  // namespace gauntlet::promql
