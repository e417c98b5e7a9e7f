// HttpServerTest: a server of one handler, for tests of the HTTP server. Test code only.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "base/executor.h"
#include "net/http/server.h"

namespace gauntlet::net {

class HttpServerTest : public testing::Test {
 protected:
  void Start(HttpService service, HttpServerOptions options = {}) {
    auto server = HttpServer::Start(std::move(options), std::move(service), pool_);
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
  }
  void StartEcho(HttpServerOptions options = {}) {
    Start(
        [](HttpRequest& request, const Cancel&, HttpReply& reply) {
          (void)reply.Write(request.method + " " + request.path + " " + request.query + "|" + request.body);
        },
        std::move(options));
  }
  int port() const { return server_->port(); }

  ThreadPool pool_{"handlers", 16};
  std::unique_ptr<HttpServer> server_;
};

}  // namespace gauntlet::net
