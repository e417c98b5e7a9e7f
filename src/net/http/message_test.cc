#include "net/http/message.h"

#include <gtest/gtest.h>

namespace gauntlet::net {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(HttpHeaders, NamesCompareWithoutCase) {
  HttpHeaders headers;
  headers.Add("Content-Type", "a");
  headers.Add("content-type", "b");
  EXPECT_EQ(headers.Get("CONTENT-TYPE"), "a");
  headers.Set("content-TYPE", "c");
  EXPECT_EQ(headers.all(), (Pairs{{"Content-Type", "c"}}));
  headers.Remove("CONTENT-type");
  EXPECT_FALSE(headers.Has("Content-Type"));
  EXPECT_EQ(headers.Get("Content-Type"), "");
}

TEST(FormValues, ParsesPairsInOrder) {
  FormValues form;
  ASSERT_TRUE(form.Parse("match[]=%7Ba%3D%22b%22%7D&&x&y=&match%5B%5D=a+b&=z").ok());
  EXPECT_EQ(form.pairs(), (Pairs{{"match[]", "{a=\"b\"}"}, {"x", ""}, {"y", ""}, {"match[]", "a b"}, {"", "z"}}));
  EXPECT_EQ(form.All("match[]"), (std::vector<std::string_view>{"{a=\"b\"}", "a b"}));
  EXPECT_TRUE(form.Has("x"));
  EXPECT_FALSE(form.Has("z"));
}

TEST(FormValues, EncodeComesBackTheSame) {
  FormValues form, again;
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  form.Add("k&=%+", bytes);
  form.Add("", "");
  ASSERT_TRUE(again.Parse(form.Encode()).ok());
  EXPECT_EQ(again.pairs(), form.pairs());
}

TEST(FormValues, MalformedEscapesAreInvalid) {
  for (const char* text : {"a=%", "a=%4", "a=%zz", "%g0=1", "a=1&b=%"}) {
    FormValues form;
    EXPECT_EQ(form.Parse(text).code(), Code::kInvalid) << text;
  }
  FormValues form;
  Status status = form.Parse("query=%zz");
  EXPECT_EQ(status.message(), "invalid URL escape \"%zz\"");
}

TEST(HttpRequest, FormTakesTheBodyFirstOnlyForFormPosts) {
  HttpRequest request;
  request.method = "POST";
  request.query = "a=query&b=2";
  request.body = "a=body";
  EXPECT_EQ(request.Form()->Get("a"), "query");
  request.headers.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  EXPECT_EQ(request.Form()->Get("a"), "body");
  EXPECT_EQ(request.Form()->Get("b"), "2");
  request.method = "GET";
  EXPECT_EQ(request.Form()->Get("a"), "query");
}

TEST(HttpStatusText, KnowsTheUsualOnes) {
  EXPECT_EQ(HttpStatusText(404), "Not Found");
  EXPECT_EQ(HttpStatusText(599), "Unknown");
}

}  // namespace
}  // namespace gauntlet::net
