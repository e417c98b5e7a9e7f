#include "json/reader.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gauntlet::json {
namespace {

constexpr std::string_view kText =
    R"({"s":"a\u00e9\n","n":-12,"u":18446744073709551615,"d":0.1,"b":true,"x":null,"a":[1,[2],{}],"s":"last"})";

TEST(JsonReader, GivesTypedValues) {
  auto document = Document::Parse(kText);
  ASSERT_TRUE(document.ok()) << document.status().message();
  Value root = document->root();
  ASSERT_TRUE(root.is_object());
  EXPECT_EQ(root.size(), 8u);
  EXPECT_EQ(root.key(0), "s");
  EXPECT_EQ(root[0].String(), "a\xc3\xa9\n");
  EXPECT_EQ(root.Get("s").String(), "last");
  EXPECT_EQ(root.Get("n").Int(), -12);
  EXPECT_EQ(root.Get("n").Double(), -12.0);
  EXPECT_EQ(root.Get("n").Uint(), std::nullopt);
  EXPECT_EQ(root.Get("u").Uint(), UINT64_MAX);
  EXPECT_EQ(root.Get("u").Int(), std::nullopt);
  EXPECT_EQ(root.Get("d").Double(), 0.1);
  EXPECT_EQ(root.Get("d").Int(), std::nullopt);
  EXPECT_EQ(root.Get("b").Bool(), true);
  EXPECT_TRUE(root.Get("x").is_null());
  EXPECT_EQ(root.Get("a").size(), 3u);
  EXPECT_EQ(root.Get("a")[1][0].Int(), 2);
}

TEST(JsonReader, NumbersReadToTheBit) {
  auto number = [](std::string text) {
    auto document = Document::Parse(text);
    EXPECT_TRUE(document.ok()) << text << document.status().message();
    return document->root();
  };
  EXPECT_EQ(number("0e79").Double(), 0.0);
  EXPECT_TRUE(std::signbit(*number("-0").Double()));
  EXPECT_EQ(number("-0").Int(), std::nullopt);
  EXPECT_EQ(number("1e-400").Double(), 0.0);
  EXPECT_EQ(number("5e-324").Double(), 5e-324);
  EXPECT_EQ(number("123456789012345678901234567890").Double(), 123456789012345678901234567890.0);
  EXPECT_EQ(number("-9223372036854775808").Int(), INT64_MIN);
  EXPECT_EQ(number("-9223372036854775809").Double(), -9223372036854775809.0);
  EXPECT_EQ(number("0.30000000000000004").Double(), 0.1 + 0.2);
  EXPECT_EQ(Document::Parse("[1,1e400]").status().message(), "json at byte 3: Number too big to be stored in double.");
  for (const char* bad : {"01", "1.", ".5", "+1", "1e", "-", "0x1", "1e+"})
    EXPECT_FALSE(Document::Parse(bad).ok()) << bad;
}

TEST(JsonReader, AbsentIsNotAnError) {
  auto document = Document::Parse("[1]");
  Value absent = document->root().Get("x");
  EXPECT_FALSE(absent.exists());
  EXPECT_FALSE(absent.Get("y").Get("z").exists());
  EXPECT_EQ(absent.size(), 0u);
  EXPECT_EQ(absent.Int(), std::nullopt);
  EXPECT_EQ(absent.String(), std::nullopt);
  EXPECT_EQ(TypeName(absent.type()), "absent");
  EXPECT_EQ(document->root().String(), std::nullopt);
}

TEST(JsonReader, ValuesSurviveMovingTheDocument) {
  auto document = Document::Parse(kText);
  Value inner = document->root().Get("a");
  Document moved = *std::move(document);
  EXPECT_EQ(inner.size(), 3u);
  EXPECT_EQ(moved.root().Get("n").Int(), -12);
}

TEST(JsonReader, ErrorsNameTheByte) {
  EXPECT_EQ(Document::Parse("{\"a\":1 \"b\":2}").status().message(),
            "json at byte 7: Missing a comma or '}' after an object member.");
  EXPECT_EQ(Document::Parse("").status().code(), Code::kCorrupt);
  EXPECT_FALSE(Document::Parse("1 2").ok());
  EXPECT_FALSE(Document::Parse("[1,]").ok());
  EXPECT_FALSE(Document::Parse("NaN").ok());
  EXPECT_FALSE(Document::Parse("{'a':1}").ok());
  EXPECT_FALSE(Document::Parse(std::string_view("1\0", 2)).ok());
}

TEST(JsonReader, EveryTruncationIsAnError) {
  for (size_t n = 0; n < kText.size(); ++n) EXPECT_FALSE(Document::Parse(kText.substr(0, n)).ok()) << n;
}

TEST(JsonReader, DepthIsLimited) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(Document::Parse(nested(200)).ok());
  EXPECT_EQ(Document::Parse(nested(201)).status().message(), "json at byte 200: nested more than 200 deep");
  EXPECT_FALSE(Document::Parse(std::string(1'000'000, '[')).ok());
  EXPECT_FALSE(Document::Parse("{\"a\":{\"b\":1}}", {.depth_max = 1}).ok());
}

}  // namespace
}  // namespace gauntlet::json
