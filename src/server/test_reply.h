// FakeReply: what a handler answered, for tests.

#pragma once

#include <string>

#include "net/http.h"

namespace gauntlet::server {

class FakeReply final : public net::HttpReply {
 public:
  void SetStatus(int s) override { status = s; }
  net::HttpHeaders& headers() override { return head; }
  Status Write(std::string_view bytes) override {
    body += bytes;
    return Status();
  }
  Status Flush() override { return Status(); }

  int status = 200;
  net::HttpHeaders head;
  std::string body;
};

}  // namespace gauntlet::server
