// HttpClientTest: what tests of the HTTP client share: a server that echoes, and clients of it. Test code only.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"
#include "net/http/client.h"
#include "net/http/server.h"

namespace gauntlet::net {

class HttpClientTest : public testing::Test {
 protected:
  void Start(HttpService service, HttpServerOptions options = {}) {
    auto server = HttpServer::Start(std::move(options), std::move(service), pool_);
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
  }
  // Answers with the request line, its interesting headers and the body.
  void StartEcho(HttpServerOptions options = {}) {
    Start(
        [this](HttpRequest& request, const Cancel&, HttpReply& reply) {
          {
            MutexLock lock(mutex_);
            peers_.push_back(request.remote_address);
          }
          std::string text = request.method + " " + request.target + "\n";
          for (const char* name :
               {"Authorization", "User-Agent", "Content-Type", "X-Test", "Expect", "Content-Length"}) {
            if (request.headers.Has(name))
              text += std::string(name) + "=" + std::string(request.headers.Get(name)) + "\n";
          }
          if (request.peer) text += "peer=" + request.peer->common_name + "\n";
          (void)reply.Write(text + request.body);
        },
        std::move(options));
  }
  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  static std::unique_ptr<HttpClient> Make(HttpClientOptions options = {}) {
    auto client = HttpClient::Make(std::move(options));
    EXPECT_TRUE(client.ok()) << client.status().message();
    return *std::move(client);
  }
  static Result<HttpAnswer> Get(HttpClient& client, const std::string& url, const Cancel& cancel = {}) {
    return client.Do({.url = url}, cancel);
  }
  std::vector<std::string> peers() {
    MutexLock lock(mutex_);
    return peers_;
  }

  ThreadPool pool_{"handlers", 16};
  Mutex mutex_;
  std::vector<std::string> peers_ GN_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
};

}  // namespace gauntlet::net
