#include "promql/exec/functions/label_functions.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gauntlet::promql {
namespace {

TEST(ExpandTemplate, AsGo) {
  std::vector<std::string_view> captures = {"whole", "one", "two"};
  std::vector<std::string> names = {"", "first", ""};
  auto expand = [&](std::string_view text) { return ExpandTemplate(text, captures, names, 100); };
  EXPECT_EQ(expand("$0-$1-${2}"), "whole-one-two");
  EXPECT_EQ(expand("$first ${first}x $firstx"), "one onex ");
  EXPECT_EQ(expand("$$1 $ ${ $9 $01"), "$1 $ ${  ");
  EXPECT_EQ(expand("$1x"), "");
  EXPECT_EQ(expand("plain"), "plain");
}

TEST(ExpandTemplate, EndsBeyondTheLimit) {
  std::string much;
  for (int i = 0; i < 100'000; ++i) much += "$0";
  const std::vector<std::string_view> captures = {"0123456789"};
  const std::string out = ExpandTemplate(much, captures, {""}, 95);
  EXPECT_EQ(out.substr(0, 100).size(), 100u);
  EXPECT_LT(out.size(), much.size() + 101);
}

}  // namespace
}  // namespace gauntlet::promql
