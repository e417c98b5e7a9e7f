#include "tools/promql_explain_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/fake_file_system.h"

namespace gauntlet::tools {
namespace {

using ::testing::HasSubstr;

TEST(PromqlExplainCommand, ShowsThePlan) {
  io::FakeFileSystem files;
  std::string out;
  EXPECT_EQ(RunPromqlExplain(files, {.query = "max(up) + 1"}, &out), 0);
  EXPECT_EQ(out, "+\n  max\n    select up\n  1\n");
}

TEST(PromqlExplainCommand, AnalyzesOnLoadedData) {
  io::FakeFileSystem files;
  auto file = files.Create("/data.test");
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("load 1m\n  up{a=\"1\"} 1x10\n  up{a=\"2\"} 1x10\n").ok());
  std::string out;
  EXPECT_EQ(
      RunPromqlExplain(
          files, {.query = "sum(up)", .end_ms = 300'000, .step_ms = 60'000, .load_file = "/data.test", .analyze = true},
          &out),
      0);
  EXPECT_THAT(out, HasSubstr("1 series, 6 samples"));
  EXPECT_THAT(out, HasSubstr("2 series, 12 samples"));
  EXPECT_THAT(out, HasSubstr("12 samples read"));
}

TEST(PromqlExplainCommand, SaysWhatIsWrong) {
  io::FakeFileSystem files;
  std::string out;
  EXPECT_EQ(RunPromqlExplain(files, {.query = "sum("}, &out), 1);
  EXPECT_EQ(out, "1:5: parse error: unclosed left parenthesis\n");
  out.clear();
  EXPECT_EQ(RunPromqlExplain(files, {.query = "up", .analyze = true}, &out), 1);
  EXPECT_THAT(out, HasSubstr("--load"));
}

}  // namespace
}  // namespace gauntlet::tools
