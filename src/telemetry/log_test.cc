#include "telemetry/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace gauntlet::telemetry {
namespace {

using testing::MatchesRegex;

struct Lines {
  std::vector<std::string> lines;
  Logger Make(LogFormat format, LogLevel level = LogLevel::kInfo, std::string name = "") {
    return Logger({level, format, std::move(name), [this](std::string_view line) { lines.emplace_back(line); }});
  }
};

TEST(Logger, WritesLogfmtAsGoKit) {
  Lines out;
  Logger logger = out.Make(LogFormat::kLogfmt);
  GN_LOG(logger, kWarn, "endpoint went away", {"address", "127.0.0.1:1"}, {"err", Status(Code::kInternal, "a=b")},
         {"n", 3}, {"empty", ""}, {"ok", true}, {"f", 0.5});
  ASSERT_EQ(out.lines.size(), 1u);
  EXPECT_THAT(out.lines[0],
              MatchesRegex("ts=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,8}[1-9])?Z "
                           "caller=log_test.cc:[0-9]+ level=warn msg=\"endpoint went away\" address=127.0.0.1:1 "
                           "err=\"a=b\" n=3 empty= ok=true f=0.5\n"));
}

TEST(Logger, QuotesWhatWouldNotReadBack) {
  Lines out;
  Logger logger = out.Make(LogFormat::kLogfmt);
  GN_LOG(logger, kInfo, "null", {"a", "tab\tline\nquote\"back\\"}, {"b", "bad\xff"}, {"c", "\x01"}, {"d", "é"},
         {"e", "a\\b"}, {"f", "\xed\xa0\x80"});
  EXPECT_THAT(out.lines.at(0), testing::EndsWith("msg=\"null\" a=\"tab\\tline\\nquote\\\"back\\\\\" b=\"bad\\ufffd\" "
                                                 "c=\"\\u0001\" d=é e=a\\b f=\"\\ufffd\\ufffd\\ufffd\"\n"));
}

TEST(Logger, WritesJson) {
  Lines out;
  Logger logger = out.Make(LogFormat::kJson, LogLevel::kDebug, "two").With({{"component", "query"}});
  GN_LOG(logger, kDebug, "say \"hi\"", {"n", -3}, {"ok", false}, {"s", "x"}, {"nan", std::nan("")});
  EXPECT_THAT(
      out.lines.at(0),
      MatchesRegex("\\{\"ts\":\"[^\"]+Z\",\"caller\":\"log_test.cc:[0-9]+\",\"level\":\"debug\",\"name\":\"two\","
                   "\"component\":\"query\",\"msg\":\"say \\\\\"hi\\\\\"\",\"n\":-3,\"ok\":false,\"s\":\"x\","
                   "\"nan\":\"NaN\"\\}\n"));
}

TEST(Logger, DropsLowerLevels) {
  Lines out;
  Logger logger = out.Make(LogFormat::kLogfmt, LogLevel::kWarn);
  int evaluated = 0;
  GN_LOG(logger, kInfo, "no", {"n", ++evaluated});
  GN_LOG(logger, kError, "yes", {"n", ++evaluated});
  EXPECT_EQ(out.lines.size(), 1u);
  EXPECT_EQ(evaluated, 1);
  GN_LOG(Logger::Discard(), kError, "nowhere");
}

TEST(Logger, GivesWholeLinesToTheSinkFromManyThreads) {
  Lines out;
  Logger logger = out.Make(LogFormat::kLogfmt);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&logger, t] {
      Logger mine = logger.With({{"t", t}});
      for (int i = 0; i < 100; ++i) GN_LOG(mine, kInfo, "m", {"i", i});
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(out.lines.size(), 400u);
}

TEST(ParseLogLevel, KnowsTheFourNames) {
  EXPECT_EQ(ParseLogLevel("warn"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("warning"), std::nullopt);
}

}  // namespace
}  // namespace gauntlet::telemetry
