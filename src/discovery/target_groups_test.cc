#include "discovery/target_groups.h"

#include <gtest/gtest.h>

namespace gauntlet::discovery {
namespace {

using Groups = std::vector<TargetGroup>;

const Groups kTwo = {{"f:0", {"h1:9090", "h2:9090"}, {{"a", "b"}, {"c", "1"}}}, {"f:1", {"h3:1"}, {}}};

TEST(TargetGroups, JsonAndYamlSayTheSame) {
  auto json = ParseTargetGroupsJson(
      R"([{"targets": ["h1:9090", "h2:9090"], "labels": {"a": "b", "c": "1"}}, {"targets": ["h3:1"]}])", "f");
  ASSERT_TRUE(json.ok()) << json.status().message();
  EXPECT_EQ(*json, kTwo);
  auto yaml = ParseTargetGroupsYaml(
      "- targets: [h1:9090, 'h2:9090']\n  labels:\n    a: b\n    c: \"1\"\n- targets:\n  - h3:1\n", "f");
  ASSERT_TRUE(yaml.ok()) << yaml.status().message();
  EXPECT_EQ(*yaml, kTwo);
}

TEST(TargetGroups, EmptyDocumentsAreNoGroups) {
  EXPECT_EQ(*ParseTargetGroupsYaml("", "f"), Groups{});
  EXPECT_EQ(*ParseTargetGroupsYaml("[]", "f"), Groups{});
  EXPECT_EQ(*ParseTargetGroupsJson("[]", "f"), Groups{});
  EXPECT_EQ(*ParseTargetGroupsJson("null", "f"), Groups{});
}

TEST(TargetGroups, WhatIsNotAListOfGroupsIsRefused) {
  for (const char* text : {"", "{}", "\"x\"", "[1]", "[null]", "[{\"targets\": \"x\"}]", "[{\"targets\": [1]}]",
                           "[{\"labels\": []}]", "[{\"labels\": {\"a\": 1}}]", "[{\"target\": []}]", "[{}] x", "[{}"}) {
    EXPECT_FALSE(ParseTargetGroupsJson(text, "f").ok()) << text;
  }
  for (const char* text : {"a: b", "x", "- 1", "-", "- targets: {a: b}", "- targets: [[a]]", "- labels: [a]",
                           "- target: []", "- targets: [a", "\t- x"}) {
    EXPECT_FALSE(ParseTargetGroupsYaml(text, "f").ok()) << text;
  }
}

TEST(TargetGroups, EveryCutOfJsonIsAnError) {
  std::string text = R"([{"targets": ["h1:9090"], "labels": {"a": "b"}}])";
  for (size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(ParseTargetGroupsJson(text.substr(0, n), "f").ok()) << n;
}

TEST(TargetGroups, TheEndingChoosesTheFormat) {
  EXPECT_TRUE(ParseTargetGroups("[]", "a.json").ok());
  EXPECT_TRUE(ParseTargetGroups("- targets: []", "a.yaml").ok());
  EXPECT_FALSE(ParseTargetGroups("- targets: []", "a.json").ok());
  EXPECT_FALSE(ParseTargetGroups("[]", "a.txt").ok());
}

}  // namespace
}  // namespace gauntlet::discovery
