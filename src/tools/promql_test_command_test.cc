#include "tools/promql_test_command.h"

#include <gtest/gtest.h>

#include "io/fake_file_system.h"

namespace gauntlet::tools {
namespace {

class PromqlTestCommand : public testing::Test {
 protected:
  void Write(const std::string& path, std::string_view text) {
    auto file = files_.Create(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(text).ok());
  }
  int Run(const std::vector<std::string>& paths) { return RunPromqlTests(files_, paths, &out_); }

  io::FakeFileSystem files_;
  std::string out_;
};

constexpr std::string_view kGood =
    "load 1m\n  m{a=\"1\"} 1 2 3\n  m{a=\"2\"} 10 20 30\n\n"
    "eval instant at 1m sum(m)\n  {} 22\n\n"
    "eval range from 0 to 2m step 1m m{a=\"1\"} * 2\n  {a=\"1\"} 2 4 6\n";

TEST_F(PromqlTestCommand, CountsWhatPasses) {
  Write("/a.test", kGood);
  Write("/b.test", kGood);
  EXPECT_EQ(Run({"/a.test", "/b.test"}), 0);
  EXPECT_EQ(out_, "4 passed, 0 failed\n");
}

TEST_F(PromqlTestCommand, ShowsWhereAndHowAnEvalDiffers) {
  Write("/a.test",
        "load 1m\n  m{a=\"1\"} 1 2 3\n  m{a=\"2\"} 10 20 30\n\n"
        "eval instant at 1m m\n  m{a=\"1\"} 2\n  m{a=\"2\"} 21\n  m{a=\"3\"} 5\n\n"
        "eval range from 0 to 2m step 1m m{a=\"1\"}\n  m{a=\"1\"} 1 _ 3\n\n"
        "eval instant at 1m count(m)\n  {} 2\n");
  EXPECT_EQ(Run({"/a.test"}), 1);
  EXPECT_EQ(out_,
            "/a.test:5: expected 21 for {__name__=\"m\", a=\"2\"} but got 20\n"
            "    m\n"
            "    - {__name__=\"m\", a=\"2\"} 21\n"
            "    - {__name__=\"m\", a=\"3\"} 5\n"
            "    + {__name__=\"m\", a=\"2\"} 20\n"
            "/a.test:10: expected 2 points for {__name__=\"m\", a=\"1\"}, but got 3\n"
            "    m{a=\"1\"}\n"
            "    - {__name__=\"m\", a=\"1\"} 1 _ 3\n"
            "    + {__name__=\"m\", a=\"1\"} 1 2 3\n"
            "1 passed, 2 failed\n");
}

TEST_F(PromqlTestCommand, AFileThatCannotBeRunIsNamed) {
  Write("/a.test", "evaluate this\n");
  Write("/b.test", kGood);
  EXPECT_EQ(Run({"/a.test", "/none.test", "/b.test"}), 2);
  EXPECT_NE(out_.find("/a.test: line 1: "), std::string::npos) << out_;
  EXPECT_NE(out_.find("/none.test: "), std::string::npos) << out_;
  EXPECT_TRUE(out_.ends_with("2 passed, 0 failed\n")) << out_;
}

}  // namespace
}  // namespace gauntlet::tools
