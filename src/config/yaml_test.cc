#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace gauntlet::config {
namespace {

using testing::HasSubstr;

NodePtr Parse(std::string_view text) {
  auto node = ParseYaml(text);
  EXPECT_TRUE(node.ok()) << node.status().message();
  return node.ok() ? *node : Node::Plain("");
}

std::string Error(std::string_view text, const YamlLimits& limits = {}) {
  return std::string(ParseYaml(text, limits).status().message());
}

TEST(ParseYaml, BuildsTreeWithPlaces) {
  NodePtr root = Parse("a: 1\nb:\n  - x\n  - {k: 'v'}\n");
  ASSERT_EQ(root->kind(), Node::Kind::kMapping);
  ASSERT_EQ(root->entries().size(), 2u);
  EXPECT_EQ(root->Find("a")->text(), "1");
  EXPECT_EQ(root->Find("a")->line(), 1);
  EXPECT_EQ(root->Find("a")->column(), 4);
  const Node* b = root->Find("b");
  ASSERT_EQ(b->items().size(), 2u);
  EXPECT_EQ(b->items()[1]->line(), 4);
  EXPECT_EQ(b->items()[1]->Find("k")->text(), "v");
  EXPECT_FALSE(b->items()[1]->Find("k")->plain());
  EXPECT_EQ(root->Find("c"), nullptr);
}

TEST(ParseYaml, ReadsTheFirstDocumentOnly) {
  EXPECT_EQ(Parse("a\n---\n{ not yaml\n")->text(), "a");
  EXPECT_TRUE(Parse("")->is_null());
  EXPECT_TRUE(Parse("# only a comment\n")->is_null());
}

TEST(ParseYaml, ResolvesScalarsAsYamlV2) {
  auto type = [](std::string_view text) { return Parse(text)->tag(); };
  for (const char* s : {"~", "null", "NULL", "''"}) EXPECT_EQ(type(s), s[0] == '\'' ? "!!str" : "!!null") << s;
  for (const char* s : {"yes", "On", "n", "TRUE", "off"}) EXPECT_EQ(type(s), "!!bool") << s;
  for (const char* s : {"1", "-0x1F", "0b11", "017", "0o17", "1_000", "9223372036854775807"}) {
    EXPECT_EQ(type(s), "!!int") << s;
  }
  for (const char* s : {"1.5", ".5", "-1e3", "6.", ".inf", "-.Inf", ".NaN", "9223372036854775808"}) {
    EXPECT_EQ(type(s), "!!float") << s;
  }
  for (const char* s : {"\"1\"", "'true'", "inf", "nan", "1.2.3", "0x", "1h", "!!str 1", "089x", "+", "tRue", "1e"}) {
    EXPECT_EQ(type(s), "!!str") << s;
  }
  EXPECT_EQ(type("!!int \"12\""), "!!int");

  int64_t i = 0;
  EXPECT_TRUE(ToInt(*Parse("-0x1F"), &i) && i == -31);
  EXPECT_TRUE(ToInt(*Parse("017"), &i) && i == 15);
  EXPECT_TRUE(ToInt(*Parse("-9223372036854775808"), &i) && i == std::numeric_limits<int64_t>::min());
  EXPECT_TRUE(ToInt(*Parse("1e3"), &i) && i == 1000);
  EXPECT_FALSE(ToInt(*Parse("1.5"), &i));
  EXPECT_FALSE(ToInt(*Parse("'1'"), &i));
  double d = 0;
  EXPECT_TRUE(ToFloat(*Parse("3"), &d) && d == 3);
  EXPECT_TRUE(ToFloat(*Parse("-.inf"), &d) && d == -HUGE_VAL);
  EXPECT_TRUE(ToFloat(*Parse("1e999"), &d) && d == HUGE_VAL);
  bool b = true;
  EXPECT_TRUE(ToBool(*Parse("No"), &b) && !b);
  EXPECT_FALSE(ToBool(*Parse("'No'"), &b));
}

TEST(ParseYaml, SharesAliases) {
  NodePtr root = Parse("a: &x {k: 1}\nb: *x\n");
  EXPECT_EQ(root->Find("a"), root->Find("b"));
  EXPECT_EQ(Error("a: *x\n"), "yaml: line 1: unknown anchor 'x' referenced");
  EXPECT_EQ(Error("a: &x [1, *x]\n"), "yaml: line 1: anchor 'x' value contains itself");
}

TEST(ParseYaml, MergesBelowOwnKeysFirstMappingWins) {
  NodePtr root = Parse(
      "d1: &d1 {a: 1, b: 1}\nd2: &d2 {b: 2, c: 2}\n"
      "m:\n  <<: [*d1, *d2]\n  a: own\n"
      "n: {<<: {x: y}}\n"
      "q: {'<<': plain}\n");
  const Node* m = root->Find("m");
  EXPECT_EQ(m->Find("a")->text(), "own");
  EXPECT_EQ(m->Find("b")->text(), "1");
  EXPECT_EQ(m->Find("c")->text(), "2");
  EXPECT_EQ(m->entries().size(), 3u);
  EXPECT_EQ(root->Find("n")->Find("x")->text(), "y");
  EXPECT_EQ(root->Find("q")->Find("<<")->text(), "plain");
  EXPECT_THAT(Error("<<: 1\n"), HasSubstr("map merge requires map or sequence of maps as the value"));
}

TEST(ParseYaml, RefusesDuplicateKeys) {
  EXPECT_EQ(Error("a: 1\nb: 2\na: 3\n"), "yaml: line 3: key \"a\" already set in map");
  EXPECT_EQ(Error("x:\n- {k: 1, 'k': 2}\n"), "yaml: line 2: key \"k\" already set in map");
  EXPECT_EQ(Error("[a]: 1\n"), "yaml: line 1: invalid map key: !!seq");
}

TEST(ParseYaml, NamesTheLineOfASyntaxError) {
  EXPECT_THAT(Error("a: 1\n  b: 2\n"), HasSubstr("yaml: line 2: mapping values are not allowed in this context"));
  EXPECT_THAT(Error("a: [1, 2\n"), HasSubstr("yaml: line 2: did not find expected ',' or ']'"));
  EXPECT_THAT(Error("a: \xff\n"), HasSubstr("yaml: byte 3: "));
}

TEST(ParseYaml, BoundsDepthAndExpansion) {
  EXPECT_THAT(Error(std::string(200, '[') + std::string(200, ']')), HasSubstr("nested deeper than 100 levels"));
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    std::string alias = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) laughs += (k > 0 ? ", " : "") + alias;
    laughs += "]\n";
  }
  EXPECT_THAT(Error(laughs), HasSubstr("document contains excessive aliasing"));
}

TEST(ParseYaml, AnyCutIsAnErrorOrATree) {
  std::string whole = "a: &x {k: \"v\\n\", l: [1, 'it''s']}\nb: |\n  text\n  more\nc: {<<: *x}\n";
  for (size_t n = 0; n <= whole.size(); ++n) {
    auto node = ParseYaml(std::string_view(whole).substr(0, n));
    if (!node.ok()) EXPECT_THAT(std::string(node.status().message()), HasSubstr("yaml: line ")) << n;
  }
}

TEST(EmitYaml, WritesInTheShapeOfYamlV2) {
  NodePtr root = Node::Mapping({
      {Node::String("global"), Node::Mapping({{Node::String("interval"), Node::String("1m")}})},
      {Node::String("list"), Node::Sequence({Node::Plain("1"), Node::String("1"), Node::String("true")})},
      {Node::String("empty"), Node::Sequence({})},
      {Node::String("none"), Node::Mapping({})},
      {Node::String("text"), Node::String("two\nlines")},
      {Node::String("odd"), Node::String(" lead: # x")},
      {Node::String("time"), Node::String("12:30")},
      {Node::String("void"), Node::String("")},
      {Node::String("jobs"), Node::Sequence({Node::Mapping({{Node::String("job_name"), Node::String("é")},
                                                            {Node::String("nothing"), Node::Plain("")}})})},
  });
  EXPECT_EQ(EmitYaml(*root),
            "global:\n  interval: 1m\nlist:\n- 1\n- \"1\"\n- \"true\"\nempty: []\nnone: {}\n"
            "text: |-\n  two\n  lines\nodd: ' lead: # x'\ntime: \"12:30\"\nvoid: \"\"\n"
            "jobs:\n- job_name: é\n  nothing: null\n");
}

TEST(EmitYaml, ReadsBackAsWritten) {
  std::string text = "a: 1\nb:\n- x: \"yes\"\n  y: |\n    l1\n      l2\n- []\nc: 'q: ''s'''\n";
  EXPECT_EQ(EmitYaml(*Parse(text)), text);
}

}  // namespace
}  // namespace gauntlet::config
