// The HTTP server asked by the curl that people use.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "base/executor.h"
#include "net/http_server.h"
#include "net/test_certs.h"

namespace gauntlet::net {
namespace {

class HttpInteropTest : public testing::Test {
 protected:
  void SetUp() override {
    if (access("/usr/bin/curl", X_OK) != 0) GTEST_SKIP() << "no /usr/bin/curl";
    std::ofstream(dir_ / "body") << body_;
  }
  void Start(HttpServerOptions options = {}) {
    auto server = HttpServer::Start(
        std::move(options),
        [](HttpRequest& request, const Cancel&, HttpReply& reply) {
          (void)reply.Write(request.method + " " + request.target + " " + std::to_string(request.body.size()) + "\n");
          if (request.path == "/long") (void)reply.Write(std::string(3'000'000, 'x'));
          if (request.path == "/echo") (void)reply.Write(request.body);
        },
        pool_);
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
  }
  std::string at(const std::string& path, const char* scheme = "http") const {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  static std::string Curl(const std::string& arguments) {
    FILE* pipe = popen(("/usr/bin/curl -q -sS --max-time 20 --noproxy '*' " + arguments + " 2>&1").c_str(), "r");
    std::string out;
    char part[65536];
    for (size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;) out.append(part, n);
    pclose(pipe);
    return out;
  }

  TestDir dir_;
  const std::string body_ = std::string(2'000'000, 'b');
  ThreadPool pool_{"handlers", 8};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpInteropTest, SeveralRequestsOnOneConnection) {
  Start();
  std::string out = Curl("-w '%{num_connects} ' " + at("/a") + " " + at("/b?x=1") + " " + at("/c"));
  EXPECT_EQ(out, "GET /a 0\n1 GET /b?x=1 0\n0 GET /c 0\n0 ");
}

TEST_F(HttpInteropTest, UploadsWithContinueAndInChunks) {
  Start();
  std::string file = dir_ / "body";
  EXPECT_EQ(Curl("--data-binary @" + file + " " + at("/u")), "POST /u 2000000\n");  // asks for 100-continue
  EXPECT_EQ(Curl("-T - " + at("/u") + " < " + file), "PUT /u 2000000\n");           // in chunks
  std::string echo = Curl("--data-binary @" + file + " " + at("/echo"));
  EXPECT_EQ(echo, "POST /echo 2000000\n" + body_);
}

TEST_F(HttpInteropTest, RefusedUploadIsToldWithoutBeingSent) {
  Start({.body_bytes_max = 1000});
  EXPECT_EQ(Curl("-o /dev/null -w '%{http_code} %{size_upload}' --data-binary @" + (dir_ / "body") + " " + at("/")),
            "413 0");
  EXPECT_EQ(Curl("-o /dev/null -w '%{http_code}' -H Expect: --data-binary @" + (dir_ / "body") + " " + at("/")), "413");
}

TEST_F(HttpInteropTest, LongAnswersWhateverTheProtocol) {
  Start();
  std::string whole = "GET /long 0\n" + std::string(3'000'000, 'x');
  EXPECT_TRUE(Curl(at("/long")) == whole);
  EXPECT_TRUE(Curl("--compressed " + at("/long")) == whole);
  EXPECT_TRUE(Curl("--http1.0 " + at("/long")) == whole);
  EXPECT_TRUE(Curl("--http1.0 --compressed " + at("/long")) == whole);
  EXPECT_TRUE(Curl("--limit-rate 20M " + at("/long")) == whole);
  EXPECT_NE(Curl("-I " + at("/long")).find("HTTP/1.1 200 OK"), std::string::npos);
}

TEST_F(HttpInteropTest, Tls) {
  TestAuthority authority("authority");
  authority.WriteCaFile(dir_ / "ca");
  auto files = authority.Issue(dir_, "server", "server", {"IP:127.0.0.1"});
  TlsServerOptions tls{.cert_file = files.cert, .key_file = files.key};
  Start({.tls = [tls]() -> Result<std::optional<TlsServerOptions>> { return std::optional(tls); }});
  std::string ca = "--cacert " + (dir_ / "ca") + " ";
  EXPECT_EQ(Curl(ca + at("/a", "https") + " " + at("/b", "https")), "GET /a 0\nGET /b 0\n");
  EXPECT_EQ(Curl(ca + "--tls-max 1.2 " + at("/a", "https")), "GET /a 0\n");
  EXPECT_EQ(Curl(ca + "--data-binary @" + (dir_ / "body") + " " + at("/echo", "https")),
            "POST /echo 2000000\n" + body_);
  EXPECT_NE(Curl(at("/a", "https")).find("certificate"), std::string::npos);
}

}  // namespace
}  // namespace gauntlet::net
