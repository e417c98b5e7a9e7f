#include "net/http/request_parser.h"

#include <gtest/gtest.h>

namespace gauntlet::net {
namespace {

using State = RequestParser::State;

struct Outcome {
  State state;
  int error = 0;
  std::string method, path, query, body;
  size_t left = 0;
};

Outcome Parse(std::string_view bytes, size_t step, RequestParser::Limits limits = {}) {
  RequestParser parser(limits);
  for (size_t i = 0; i < bytes.size() && parser.state() != State::kFailed; i += step) {
    parser.Feed(bytes.substr(i, step));
  }
  const HttpRequest& r = parser.request();
  return {parser.state(), parser.error_status(), r.method, r.path, r.query, r.body, parser.buffered()};
}

TEST(RequestParser, SameResultForAnyCut) {
  std::string bytes =
      "\r\nPOST /a%20b/c?x=%7B HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nX: y\r\n\r\n"
      "5;ext=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: t\r\n\r\n";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    Outcome out = Parse(bytes, step);
    ASSERT_EQ(out.state, State::kComplete) << step;
    EXPECT_EQ(out.method, "POST");
    EXPECT_EQ(out.path, "/a b/c");
    EXPECT_EQ(out.query, "x=%7B");
    EXPECT_EQ(out.body, "hello world");
    EXPECT_EQ(out.left, 0u);
  }
}

TEST(RequestParser, CutShortIsNeverComplete) {
  std::string bytes = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  for (size_t n = 0; n < bytes.size(); ++n) {
    Outcome out = Parse(std::string_view(bytes).substr(0, n), n + 1);
    EXPECT_NE(out.state, State::kComplete) << n;
    EXPECT_NE(out.state, State::kFailed) << n;
  }
  EXPECT_EQ(Parse(bytes, 1).body, "abc");
}

TEST(RequestParser, PipelinedRequestsComeOneByOne) {
  RequestParser parser({});
  parser.Feed(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nokGET /3 HTTP/1.0\r\n"
      "\r\n");
  ASSERT_EQ(parser.state(), State::kComplete);
  EXPECT_EQ(parser.request().path, "/1");
  EXPECT_TRUE(parser.keep_alive());
  parser.Next();
  ASSERT_EQ(parser.state(), State::kComplete);
  EXPECT_EQ(parser.request().path, "/2");
  EXPECT_EQ(parser.request().body, "ok");
  parser.Next();
  ASSERT_EQ(parser.state(), State::kComplete);
  EXPECT_TRUE(parser.http10());
  EXPECT_FALSE(parser.keep_alive());
  parser.Next();
  EXPECT_EQ(parser.state(), State::kIdle);
}

TEST(RequestParser, LimitsFailWithTheirStatusBeforeMoreIsBuffered) {
  RequestParser::Limits limits{.head_bytes_max = 1000, .body_bytes_max = 100};
  std::string long_target = "GET /?q=" + std::string(2000, 'x');
  std::string long_header = "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(2000, 'x');
  std::string many_headers = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 200; ++i) many_headers += "X: yyyyyyyy\r\n";
  std::string length = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n";
  std::string chunks = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" +
                       std::string(100, 'x') + "\r\n1\r\nx\r\n";
  for (size_t step : {size_t{1}, size_t{7}, size_t{4096}}) {
    EXPECT_EQ(Parse(long_target, step, limits).error, 414) << step;
    EXPECT_EQ(Parse(long_header, step, limits).error, 431) << step;
    EXPECT_EQ(Parse(many_headers, step, limits).error, 431) << step;
    EXPECT_EQ(Parse(length, step, limits).error, 413) << step;
    EXPECT_EQ(Parse(chunks, step, limits).error, 413) << step;
    EXPECT_LE(Parse(long_target, step, limits).left, 1000 + step);
  }
}

TEST(RequestParser, EndlessChunkLinesAndTrailersFail) {
  std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Parse(head + "5;" + std::string(1 << 20, 'x'), 1000).error, 400);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 100'000; ++i) trailers += "T: x\r\n";
  EXPECT_EQ(Parse(head + trailers, 1000).error, 400);
}

TEST(RequestParser, RefusesWhatCouldBeReadTwoWays) {
  const std::pair<const char*, int> cases[] = {
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 501},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nExpect: magic\r\n\r\n", 417},
      {"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 400},
  };
  for (const auto& [bytes, status] : cases) {
    Outcome out = Parse(bytes, 10'000);
    EXPECT_EQ(out.state, State::kFailed) << bytes;
    EXPECT_EQ(out.error, status) << bytes;
  }
}

TEST(RequestParser, AbsoluteTargetsLoseTheirAuthority) {
  RequestParser parser({});
  parser.Feed("GET http://other:80/p?q=1 HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(parser.state(), State::kComplete);
  EXPECT_EQ(parser.request().path, "/p");
  EXPECT_EQ(parser.request().query, "q=1");
}

TEST(RequestParser, ExpectContinueShowsOnceTheHeadIsThere) {
  RequestParser parser({});
  parser.Feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(parser.state(), State::kBody);
  EXPECT_TRUE(parser.expects_continue());
  parser.Feed("ab");
  EXPECT_EQ(parser.state(), State::kComplete);
}

}  // namespace
}  // namespace gauntlet::net
