#include <gtest/gtest.h>

#include "objstore/http_date.h"
#include "objstore/s3/sign_v2.h"
#include "objstore/s3/sign_v4.h"
#include "objstore/sign.h"
#include "objstore/sources.h"

namespace gauntlet::objstore {
namespace {

constexpr int64_t kMay24 = 1369353600000;  // 2013-05-24T00:00:00Z, the time of AWS' examples
const Credentials kExample{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

std::string SignatureOf(const Request& request) {
  std::string text(request.headers.Get("Authorization"));
  return text.substr(text.find("Signature=") + 10);
}

Request Example(std::string method, std::string path) {
  Request request;
  request.method = std::move(method);
  request.host = "examplebucket.s3.amazonaws.com";
  request.path = std::move(path);
  return request;
}

void Sign(Request* request) {
  SignV4Options options;
  options.region = "us-east-1";
  options.now_ms = kMay24;
  SignV4(kExample, options, request);
}

TEST(SignV4, ExamplesOfAws) {
  Request get = Example("GET", "/test.txt");
  get.headers.Add("Range", "bytes=0-9");
  Sign(&get);
  EXPECT_EQ(SignatureOf(get), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

  Request put = Example("PUT", "/test$file.text");
  put.headers.Add("Date", "Fri, 24 May 2013 00:00:00 GMT");
  put.headers.Add("x-amz-storage-class", "REDUCED_REDUNDANCY");
  put.body = "Welcome to Amazon S3.";
  Sign(&put);
  EXPECT_EQ(SignatureOf(put), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

  Request lifecycle = Example("GET", "/");
  lifecycle.query = {{"lifecycle", ""}};
  Sign(&lifecycle);
  EXPECT_EQ(SignatureOf(lifecycle), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

  Request list = Example("GET", "/");
  list.query = {{"prefix", "J"}, {"max-keys", "2"}};
  Sign(&list);
  EXPECT_EQ(SignatureOf(list), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SignV4, ChunksOfAwsExample) {
  const std::string bytes(66560, 'a');
  BytesFile file(bytes);
  Request put = Example("PUT", "/examplebucket/chunkObject.txt");
  put.host = "s3.amazonaws.com";
  put.tls = false;
  put.headers.Add("x-amz-storage-class", "REDUCED_REDUNDANCY");
  put.headers.Add("Content-Length", "66824");
  put.file = &file;
  put.file_bytes = bytes.size();
  Sign(&put);
  EXPECT_EQ(SignatureOf(put), "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  EXPECT_EQ(put.headers.Get("x-amz-decoded-content-length"), "66560");
  ASSERT_EQ(put.framed_bytes, 66824u);
  for (size_t step : {size_t{1000}, size_t{66824}}) {  // twice: from the start again
    std::string framed, part;
    for (uint64_t at = 0; at < put.framed_bytes; at += step) {
      auto n = static_cast<size_t>(std::min<uint64_t>(step, put.framed_bytes - at));
      ASSERT_TRUE(put.framed_body(at, n, &part).ok());
      framed += part;
    }
    EXPECT_TRUE(framed.starts_with(
        "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\naaa"));
    EXPECT_NE(
        framed.find("\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\na"),
        std::string::npos);
    EXPECT_TRUE(framed.ends_with(
        "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"));
  }
}

TEST(SignV4, BytesOfAFileAreLeftToTls) {
  BytesFile file("bytes");
  Request put = Example("PUT", "/o");
  put.file = &file;
  put.file_bytes = 5;
  Sign(&put);
  EXPECT_EQ(put.headers.Get("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(put.framed_body, nullptr);
}

TEST(SignV2, ExamplesOfAws) {
  Request get;
  get.path = "/photos/puppy.jpg";
  get.headers.Set("Date", "Tue, 27 Mar 2007 19:36:42 +0000");
  SignV2(AwsV2Dialect(), kExample, 0, "/awsexamplebucket1/photos/puppy.jpg", &get);
  EXPECT_EQ(get.headers.Get("Authorization"), "AWS AKIAIOSFODNN7EXAMPLE:qgk2+6Sv9/oM7G3qLEjTH1a1l1g=");

  Request put;
  put.method = "PUT";
  put.headers.Set("Content-Type", "image/jpeg");
  put.headers.Set("Date", "Tue, 27 Mar 2007 21:15:45 +0000");
  SignV2(AwsV2Dialect(), kExample, 0, "/awsexamplebucket1/photos/puppy.jpg", &put);
  EXPECT_EQ(put.headers.Get("Authorization"), "AWS AKIAIOSFODNN7EXAMPLE:iqRzw+ileNPu1fhspnRs8nOjjIA=");

  Request list;
  list.query = {{"prefix", "photos"}, {"max-keys", "50"}, {"marker", "puppy"}};
  list.headers.Set("Date", "Tue, 27 Mar 2007 19:42:41 +0000");
  SignV2(AwsV2Dialect(), kExample, 0, "/awsexamplebucket1/", &list);
  EXPECT_EQ(list.headers.Get("Authorization"), "AWS AKIAIOSFODNN7EXAMPLE:m0WP8eCtspQl5Ahe6L1SozdX9YA=");

  Request acl;
  acl.query = {{"acl", ""}};
  acl.headers.Set("Date", "Tue, 27 Mar 2007 19:44:46 +0000");
  SignV2(AwsV2Dialect(), kExample, 0, "/awsexamplebucket1/", &acl);
  EXPECT_EQ(acl.headers.Get("Authorization"), "AWS AKIAIOSFODNN7EXAMPLE:82ZHiFIjc+WbcwFKGUVEQspPn+0=");
}

TEST(Sign, Base64AndHashes) {
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(*Base64Decode(Base64(text)), text);
  }
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64Url("\xFB\xFF\xFE"), "-__-");
  EXPECT_FALSE(Base64Decode("a").ok());
  EXPECT_EQ(Base64(Md5Bytes("")), "1B2M2Y8AsgTpgAmY7PhCfg==");
}

TEST(HttpDate, ReadsAndWrites) {
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
  EXPECT_EQ(FormatHttpDate(784111777000), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatAmzDate(kMay24), "20130524T000000Z");
  for (const char* bad : {"", "yesterday", "Sun, 06 Xyz 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"}) {
    EXPECT_FALSE(ParseHttpDate(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace gauntlet::objstore
