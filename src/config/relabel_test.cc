#include "config/relabel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauntlet::config {
namespace {

using testing::HasSubstr;

TEST(ParseRelabelConfigs, ReadsRulesWithDefaults) {
  auto rules = ParseRelabelConfigs(
      "- source_labels: [a, b]\n  separator: ''\n  regex: x.*\n  target_label: t\n  replacement: r\n"
      "- source_labels: [c]\n  action: HASHMOD\n  modulus: 8\n  target_label: shard\n"
      "- {regex: tmp_.*, action: labeldrop}\n");
  ASSERT_TRUE(rules.ok()) << rules.status().message();
  ASSERT_EQ(rules->size(), 3u);
  EXPECT_THAT((*rules)[0].source_labels, testing::ElementsAre("a", "b"));
  EXPECT_EQ((*rules)[0].separator, "");
  EXPECT_EQ((*rules)[0].replacement, "r");
  EXPECT_EQ((*rules)[1].action, RelabelAction::kHashMod);
  EXPECT_EQ((*rules)[1].modulus, 8u);
  EXPECT_EQ((*rules)[1].separator, ";");
  EXPECT_EQ((*rules)[2].regex, "tmp_.*");
  EXPECT_TRUE(ParseRelabelConfigs("")->empty());
}

TEST(ParseRelabelConfigs, SaysWhatIsWrong) {
  auto error = [](std::string_view yaml) { return std::string(ParseRelabelConfigs(yaml).status().message()); };
  EXPECT_THAT(error("- {action: maybe}\n"), HasSubstr("line 1: unknown relabel action \"maybe\""));
  EXPECT_THAT(error("- {sources: [a]}\n"), HasSubstr("line 1: field sources not found in type relabel.Config"));
  EXPECT_THAT(error("- {modulus: -1}\n"), HasSubstr("cannot unmarshal !!int `-1` into uint64"));
  EXPECT_THAT(error("a: b\n"), HasSubstr("cannot unmarshal !!map into []relabel.Config"));
  EXPECT_THAT(error("- [\n"), HasSubstr("yaml: line 2: "));
}

TEST(ParseSelectorRelabel, TakesOnlyWhatSelects) {
  EXPECT_EQ(ParseSelectorRelabel("- {action: keep, source_labels: [a], regex: b}\n- {action: drop, regex: x, "
                                 "source_labels: [a]}\n")
                ->size(),
            2u);
  EXPECT_EQ(ParseSelectorRelabel("- {target_label: a, replacement: b}\n").status().message(),
            "parsing relabel configuration: unsupported relabel action: replace");
}

}  // namespace
}  // namespace gauntlet::config
