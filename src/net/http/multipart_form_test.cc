#include "net/http/multipart_form.h"

#include <gtest/gtest.h>

#include <string>

namespace gauntlet::net {
namespace {

constexpr std::string_view kType = "multipart/form-data; charset=utf-8; boundary=\"x y\"";

std::string Body() {
  return "preamble\r\n--x y \t\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nup\r\n--not it\r\n--x y\r\n"
         "content-disposition: form-data; name=\"match[]\"\r\nContent-Type: text/plain\r\n\r\n\r\n--x y\r\n"
         "Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n--x y\r\n"
         "Content-Disposition: form-data; name=\"a \\\" b\"\r\n\r\n1\r\n--x y\r\n\r\nnameless\r\n--x y--\r\nepilogue";
}

TEST(MultipartForm, FieldsComeInOrderAndFilesAreLeftOut) {
  FormValues form;
  ASSERT_TRUE(ParseMultipartForm(kType, Body(), &form).ok());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"query", "up\r\n--not it"}, {"match[]", ""}, {"a \" b", "1"}};
  EXPECT_EQ(form.pairs(), expected);
}

TEST(MultipartForm, IsKnownByItsTypeAlone) {
  EXPECT_TRUE(IsMultipartForm("Multipart/Form-Data ;boundary=x"));
  EXPECT_FALSE(IsMultipartForm("multipart/mixed; boundary=x"));
  EXPECT_FALSE(IsMultipartForm(""));
}

TEST(MultipartForm, WithoutABoundaryItIsInvalid) {
  for (const char* type : {"multipart/form-data", "multipart/form-data; boundary", "multipart/form-data; boundary=",
                           "multipart/form-data; boundary=\"", "multipart/form-data; x=\"boundary=x y\""}) {
    FormValues form;
    EXPECT_EQ(ParseMultipartForm(type, Body(), &form).code(), Code::kInvalid) << type;
  }
}

TEST(MultipartForm, CutAnywhereItIsInvalid) {
  const std::string body = Body();
  const size_t end = body.rfind("\r\nepilogue");
  for (size_t size = 0; size < end; ++size) {
    FormValues form;
    EXPECT_EQ(ParseMultipartForm(kType, body.substr(0, size), &form).code(), Code::kInvalid) << size;
  }
}

TEST(MultipartForm, ARequestHasItsFieldsAfterThoseOfItsUrl) {
  HttpRequest request;
  request.method = "POST";
  request.query = "query=1";
  request.headers.Add("Content-Type", kType);
  request.body = Body();
  Result<FormValues> form = request.Form();
  ASSERT_TRUE(form.ok());
  EXPECT_EQ(form->Get("query"), "1");
  EXPECT_EQ(form->All("query").size(), 2u);
  request.body.resize(20);
  EXPECT_FALSE(request.Form().ok());
}

}  // namespace
}  // namespace gauntlet::net
