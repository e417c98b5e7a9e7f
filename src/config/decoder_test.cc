#include "config/decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauntlet::config {
namespace {

struct Target {
  std::string address = "default", name = "n";
  bool on = true;
  int small = 7;
  int64_t big = 8;
  uint64_t size = 9;
  double ratio = 0.5;
  Secret password;
  std::vector<std::string> list;
  std::map<std::string, std::string> map;
  std::string inner;
  std::vector<std::string> each;
};

Status Decode(std::string_view text, Target* t) {
  return DecodeYaml(text, "config.Target", [t](Decoder& d) {
    d.Field("address", &t->address);
    d.Field("name", &t->name);
    d.Field("on", &t->on);
    d.Field("small", &t->small);
    d.Field("big", &t->big);
    d.Bytes("size", &t->size);
    d.Field("ratio", &t->ratio);
    d.Field("password", &t->password);
    d.Field("list", &t->list);
    d.Field("map", &t->map);
    d.Object("inner", "config.Inner", [t](Decoder& i) { i.Field("x", &t->inner); });
    d.Each("each", "config.Item", [t](Decoder& i) {
      i.Require("x");
      i.Field("x", &t->each.emplace_back());
    });
  });
}

std::string Error(std::string_view text) {
  Target t;
  return std::string(Decode(text, &t).message());
}

TEST(Decoder, ReadsFieldsAndLeavesDefaults) {
  Target t;
  Status status = Decode(
      "address: 12\nname: ~\non: no\nsmall: -3\nbig: 0x10\nsize: 2KiB\nratio: 3\npassword: p\nlist: [a, 1, ~]\n"
      "map: {k: true}\ninner: {x: y}\neach: [{x: 1}, {x: 2}]\n",
      &t);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(t.address, "12");
  EXPECT_EQ(t.name, "");
  EXPECT_FALSE(t.on);
  EXPECT_EQ(t.small, -3);
  EXPECT_EQ(t.big, 16);
  EXPECT_EQ(t.size, 2048u);
  EXPECT_EQ(t.ratio, 3);
  EXPECT_EQ(t.password.value(), "p");
  EXPECT_EQ(t.password.ToString(), "<secret>");
  EXPECT_THAT(t.list, testing::ElementsAre("a", "1", ""));
  EXPECT_EQ(t.map["k"], "true");
  EXPECT_EQ(t.inner, "y");
  EXPECT_THAT(t.each, testing::ElementsAre("1", "2"));

  Target untouched;
  EXPECT_TRUE(Decode("", &untouched).ok());
  EXPECT_EQ(untouched.address, "default");
}

TEST(Decoder, NullIsEmptyOrZero) {
  Target t;
  t.password = Secret("p");
  t.list = {"x"};
  t.map = {{"k", "v"}};
  t.inner = "x";
  Status status =
      Decode("address:\non: ~\nsmall: null\nbig:\nsize:\nratio:\npassword:\nlist:\nmap:\ninner:\neach:\n", &t);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(t.address, "");
  EXPECT_FALSE(t.on);
  EXPECT_EQ(t.small, 0);
  EXPECT_EQ(t.big, 0);
  EXPECT_EQ(t.size, 0u);
  EXPECT_EQ(t.ratio, 0);
  EXPECT_TRUE(t.password.empty() && t.list.empty() && t.map.empty() && t.each.empty());
  EXPECT_EQ(t.inner, "x");  // a mapping below keeps its defaults
}

TEST(Decoder, TakesOneScalarForAListOfOne) {
  Target t;
  EXPECT_TRUE(Decode("list: a\n", &t).ok());
  EXPECT_THAT(t.list, testing::ElementsAre("a"));
}

TEST(Decoder, ReportsAllMistakesWithTheirLinesInGosWords) {
  EXPECT_EQ(Error("adress: x\non: maybe\nsmall: 99999999999\ninner:\n  y: 1\neach:\n- {}\nlist: {a: b}\nsize: 5XB\n"),
            "yaml: unmarshal errors:\n"
            "  line 1: field adress not found in type config.Target\n"
            "  line 2: cannot unmarshal !!str `maybe` into bool\n"
            "  line 3: cannot unmarshal !!int `9999999...` into int\n"
            "  line 5: field y not found in type config.Inner\n"
            "  line 7: field x is required in type config.Item\n"
            "  line 8: cannot unmarshal !!map into []string\n"
            "  line 9: unknown unit \"XB\" in size \"5XB\"");
  EXPECT_EQ(Error("inner: 1\neach: {}\naddress: [1]\n"),
            "yaml: unmarshal errors:\n"
            "  line 1: cannot unmarshal !!int `1` into config.Inner\n"
            "  line 2: cannot unmarshal !!map into []config.Item\n"
            "  line 3: cannot unmarshal !!seq into string");
  EXPECT_EQ(Error("- a\n"), "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into config.Target");
}

TEST(Decoder, WritesNothingOnAMistake) {
  Target t;
  EXPECT_FALSE(Decode("on: [1]\nsmall: 1.5\nbig: x\nratio: y\nsize: -1\nlist: [[1]]\n", &t).ok());
  EXPECT_TRUE(t.on);
  EXPECT_EQ(t.small, 7);
  EXPECT_EQ(t.big, 8);
  EXPECT_EQ(t.size, 9u);
  EXPECT_EQ(t.ratio, 0.5);
  EXPECT_TRUE(t.list.empty());
}

TEST(Decoder, GivesEntriesOfAFreeMapping) {
  std::vector<std::string> seen;
  Status status = DecodeYaml("users: {a: 1, b: 2}\n", "T", [&](Decoder& d) {
    d.Entries("users", [&](const std::string& name, const Node& value) { seen.push_back(name + value.text()); });
  });
  EXPECT_TRUE(status.ok());
  EXPECT_THAT(seen, testing::ElementsAre("a1", "b2"));
}

}  // namespace
}  // namespace gauntlet::config
