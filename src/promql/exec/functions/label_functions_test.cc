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
  auto expand = [&](std::string_view text) { return ExpandTemplate(text, captures, names); };
  EXPECT_EQ(expand("$0-$1-${2}"), "whole-one-two");
  EXPECT_EQ(expand("$first ${first}x $firstx"), "one onex ");
  EXPECT_EQ(expand("$$1 $ ${ $9 $01"), "$1 $ ${  ");
  EXPECT_EQ(expand("$1x"), "");
  EXPECT_EQ(expand("plain"), "plain");
}

}  // namespace
}  // namespace gauntlet::promql
