#include "model/relabel.h"

#include <gtest/gtest.h>

#include "model/relabel_template.h"

namespace gauntlet {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using enum RelabelAction;

const Pairs kInput = {{"a", "foo"}, {"b", "bar"}, {"c", "baz"}, {"__meta_x", "1"}, {"__meta_y", "2"}};

// The text of the result, or "dropped".
std::string Apply(RelabelConfig config, const Pairs& input = kInput) {
  auto relabeler = Relabeler::Make({std::move(config)});
  EXPECT_TRUE(relabeler.ok()) << relabeler.status().message();
  auto labels = relabeler->Apply(Labels::From(input));
  return labels ? labels->ToString() : "dropped";
}

std::string Error(RelabelConfig config) { return std::string(Relabeler::Make({std::move(config)}).status().message()); }

TEST(Relabel, ReplaceExpandsTargetAndReplacement) {
  Pairs ab = {{"a", "foo"}, {"b", "bar"}};
  EXPECT_EQ(Apply({.source_labels = {"a"}, .target_label = "d"}, ab), R"({a="foo", b="bar", d="foo"})");
  EXPECT_EQ(Apply({.source_labels = {"a", "b"},
                   .regex = "(?P<first>f.*);(.*)r",
                   .target_label = "d_${2}",
                   .replacement = "ch${first}-$2-$$1"},
                  ab),
            R"({a="foo", b="bar", d_ba="chfoo-ba-$1"})");
  EXPECT_EQ(Apply({.source_labels = {"a"}, .separator = "", .regex = "b(.*)", .target_label = "d"}, ab),
            R"({a="foo", b="bar"})");
  EXPECT_EQ(Apply({.source_labels = {"a"}, .target_label = "b", .replacement = ""}, ab), R"({a="foo"})");
  EXPECT_EQ(Apply({.target_label = "d", .replacement = "const"}, ab), R"({a="foo", b="bar", d="const"})");
  EXPECT_EQ(Apply({.source_labels = {"a", "b"}, .separator = "/", .target_label = "d"}, ab),
            R"({a="foo", b="bar", d="foo/bar"})");
}

TEST(Relabel, ReplaceSkipsAnInvalidTarget) {
  RelabelConfig config{.source_labels = {"a"}, .regex = "(.)(.*)", .target_label = "${1}-x", .legacy_names = false};
  EXPECT_EQ(Apply(config, {{"a", "foo"}}), R"({a="foo", "f-x"="f"})");
  config.target_label = "${3}";
  EXPECT_EQ(Apply(config, {{"a", "foo"}}), R"({a="foo"})");  // an empty name
  config.legacy_names = true;
  config.target_label = "${1}";
  EXPECT_EQ(Apply(config, {{"a", "-oo"}}), R"({a="-oo"})");
}

TEST(Relabel, KeepAndDropLookAtTheWholeValue) {
  EXPECT_EQ(Apply({.source_labels = {"a"}, .regex = "fo", .action = kKeep}), "dropped");
  EXPECT_NE(Apply({.source_labels = {"a"}, .regex = "fo.", .action = kKeep}), "dropped");
  EXPECT_EQ(Apply({.source_labels = {"a", "b"}, .regex = "foo;bar", .action = kDrop}), "dropped");
  EXPECT_NE(Apply({.source_labels = {"a"}, .regex = "oo", .action = kDrop}), "dropped");
  EXPECT_EQ(Apply({.source_labels = {"a"}, .target_label = "b", .action = kKeepEqual}), "dropped");
  EXPECT_EQ(Apply({.source_labels = {"a"}, .target_label = "b", .action = kDropEqual}, {{"a", "x"}, {"b", "x"}}),
            "dropped");
  EXPECT_NE(Apply({.source_labels = {"none"}, .target_label = "other", .action = kKeepEqual}), "dropped");
}

TEST(Relabel, HashModIsTheEndOfMd5) {
  EXPECT_EQ(Apply({.source_labels = {"c"}, .modulus = 1000, .target_label = "d", .action = kHashMod},
                  {{"a", "foo"}, {"b", "bar"}, {"c", "baz"}}),
            R"({a="foo", b="bar", c="baz", d="976"})");
  EXPECT_EQ(
      Apply({.source_labels = {"a"}, .modulus = 1000, .target_label = "d", .action = kHashMod}, {{"a", "foo\nbar"}}),
      R"({a="foo\nbar", d="734"})");
}

TEST(Relabel, LabelActionsMatchNames) {
  EXPECT_EQ(Apply({.regex = "__meta_(.*)", .replacement = "m_${1}", .action = kLabelMap},
                  {{"__meta_x", "1"}, {"__meta_y", "2"}, {"a", "b"}}),
            R"({__meta_x="1", __meta_y="2", a="b", m_x="1", m_y="2"})");
  EXPECT_EQ(Apply({.regex = "__meta_.*", .action = kLabelDrop}), R"({a="foo", b="bar", c="baz"})");
  EXPECT_EQ(Apply({.regex = "[ab]", .action = kLabelKeep}), R"({a="foo", b="bar"})");
}

TEST(Relabel, CaseActionsTakeUnicode) {
  EXPECT_EQ(Apply({.source_labels = {"a"}, .target_label = "u", .action = kUppercase}, {{"a", "Foo-é"}}),
            R"({a="Foo-é", u="FOO-É"})");
  EXPECT_EQ(Apply({.source_labels = {"a"}, .target_label = "a", .action = kLowercase}, {{"a", "Foo-É"}}),
            R"({a="foo-é"})");
}

TEST(Relabel, RulesSeeWhatEarlierOnesDid) {
  auto relabeler = Relabeler::Make({{.source_labels = {"a"}, .target_label = "tmp"},
                                    {.source_labels = {"tmp"}, .regex = "f(.*)", .target_label = "b"},
                                    {.regex = "tmp", .action = kLabelDrop},
                                    {.source_labels = {"b"}, .regex = "oo", .action = kKeep}});
  ASSERT_TRUE(relabeler.ok());
  EXPECT_EQ(relabeler->Apply(Labels::From({{"a", "foo"}}))->ToString(), R"({a="foo", b="oo"})");
  EXPECT_FALSE(relabeler->Apply(Labels::From({{"a", "fo"}})).has_value());
  EXPECT_TRUE(Relabeler().empty());
  EXPECT_EQ(Relabeler().Apply(Labels::From({{"a", "b"}}))->ToString(), R"({a="b"})");
}

TEST(Relabel, ErrorsAreWordedAsUpstreams) {
  EXPECT_EQ(Error({}), "relabel configuration for replace action requires 'target_label' value");
  EXPECT_EQ(Error({.target_label = "a", .action = kHashMod}),
            "relabel configuration for hashmod requires non-zero modulus");
  EXPECT_EQ(Error({.target_label = "\xff"}), "\"\\xff\" is invalid 'target_label' for replace action");
  EXPECT_EQ(Error({.target_label = "a-b", .legacy_names = true}),
            "\"a-b\" is invalid 'target_label' for replace action");
  EXPECT_EQ(Error({.target_label = "a$-", .legacy_names = true}),
            "\"a$-\" is invalid 'target_label' for replace action");
  EXPECT_EQ(Error({.target_label = "a", .replacement = "x", .action = kLowercase}),
            "'replacement' can not be set for lowercase action");
  EXPECT_EQ(Error({.replacement = "", .action = kLabelMap}), "\"\" is invalid 'replacement' for labelmap action");
  EXPECT_EQ(Error({.regex = "x", .target_label = "a", .action = kDropEqual}),
            "dropequal action requires only 'source_labels' and `target_label`, and no other fields");
  EXPECT_EQ(Error({.source_labels = {"a"}, .action = kLabelKeep}),
            "labelkeep action requires only 'regex', and no other fields");
  EXPECT_EQ(Error({.regex = "(", .target_label = "a"}), "error parsing regexp: missing closing ): `(`");
}

TEST(Relabel, ActionNamesRoundTripInAnyCase) {
  for (int i = 0; i <= static_cast<int>(kUppercase); ++i) {
    auto action = static_cast<RelabelAction>(i);
    EXPECT_EQ(*ParseRelabelAction(RelabelActionName(action)), action);
  }
  EXPECT_EQ(*ParseRelabelAction("HashMod"), kHashMod);
  EXPECT_EQ(ParseRelabelAction("x").status().message(), "unknown relabel action \"x\"");
}

TEST(RelabelTemplate, ExpandsAsGo) {
  std::vector<std::string> names = {"", "n", "", "n"};
  std::vector<std::string_view> captures = {"whole", std::string_view(), "two", "three"};
  auto expand = [&](std::string_view text) { return RelabelTemplate(text, names).Expand(captures); };
  EXPECT_EQ(expand("$0 $2 ${2}x $2x"), "whole two twox ");
  EXPECT_EQ(expand("$n ${n}"), "three three");  // the first of the name that took part
  EXPECT_EQ(expand("$$ $ ${ ${2 $- a$"), "$ $ ${ ${2 $- a$");
  EXPECT_EQ(expand("${02} $9 ${missing}"), "  ");
  EXPECT_TRUE(RelabelTemplate("plain$$", names).is_constant());
  EXPECT_EQ(RelabelTemplate("plain$$", names).constant(), "plain$");
  EXPECT_FALSE(RelabelTemplate("$2", names).is_constant());
}

}  // namespace
}  // namespace gauntlet
