#include "json/writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gauntlet::json {
namespace {

std::string Quoted(std::string_view s, bool html = true) {
  std::string out;
  AppendQuoted(out, s, html);
  return out;
}

TEST(JsonWriter, PlacesCommasInEveryNesting) {
  std::string out;
  Writer w(&out);
  w.BeginObject().Key("a").BeginArray().Int(1).Int(-2).BeginObject().EndObject().BeginArray().EndArray().Null();
  w.EndArray().StringMember("b", "x").BoolMember("c", true).IntMember("d", 7);
  w.Key("e").BeginObject().Key("f").Raw("[1]").EndObject().EndObject();
  EXPECT_EQ(out, R"({"a":[1,-2,{},[],null],"b":"x","c":true,"d":7,"e":{"f":[1]}})");
}

TEST(JsonWriter, EscapesStringsForHtml) {
  EXPECT_EQ(Quoted("plain é 世 😀"), "\"plain é 世 😀\"");
  EXPECT_EQ(Quoted("<a href=\"x\">&\\"), R"("\u003ca href=\"x\"\u003e\u0026\\")");
  EXPECT_EQ(Quoted(std::string_view("\n\r\t\b\f\0\x1f\x7f", 8)), "\"\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\x7f\"");
  EXPECT_EQ(Quoted("a\xe2\x80\xa8z\xe2\x80\xa9"), R"("a\u2028z\u2029")");
  EXPECT_EQ(Quoted("\xff-\xc3"), R"("\ufffd-\ufffd")");
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Quoted("<&>", false), "\"<&>\"");
  EXPECT_EQ(Quoted("<\"\xff", false), R"("<\"\ufffd")");
}

TEST(JsonWriter, NumbersAreThoseOfGo) {
  std::string out;
  Writer w(&out);
  w.BeginArray().Double(1.5).Double(1e-9).Double(1e21).Double(std::nan("")).Uint(UINT64_MAX).Int(INT64_MIN);
  w.EndArray();
  EXPECT_EQ(out, "[1.5,1e-9,1e+21,null,18446744073709551615,-9223372036854775808]");
}

TEST(JsonWriter, ApiFormsAreThoseOfPrometheus) {
  const double inf = std::numeric_limits<double>::infinity();
  std::string out;
  Writer w(&out);
  w.BeginArray().ApiFloat(std::nan("")).ApiFloat(inf).ApiFloat(-inf).ApiFloat(9.5367431640625e-07).ApiFloat(1023);
  w.EndArray();
  EXPECT_EQ(out, R"(["NaN","+Inf","-Inf","9.5367431640625e-07","1023"])");
  out.clear();
  Writer t(&out);
  t.BeginArray().ApiTime(1435781451781).ApiTime(1100).ApiTime(-1).ApiTime(5000).ApiTime(0).ApiTime(-12034);
  t.ApiTime(INT64_MIN).EndArray();
  EXPECT_EQ(out, "[1435781451.781,1.100,-0.001,5,0,-12.034,-9223372036854775.808]");
  out.clear();
  Writer s(&out);
  s.BeginArray().ApiSample(1435781451781, 1).ApiSample(60'000, -0.5).EndArray();
  EXPECT_EQ(out, R"([[1435781451.781,"1"],[60,"-0.5"]])");
}

}  // namespace
}  // namespace gauntlet::json
