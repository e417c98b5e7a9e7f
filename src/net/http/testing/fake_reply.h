// FakeReply: what a handler answered, for tests.
//
// Threads: one thread at a time.

#pragma once

#include <string>

#include "net/http/message.h"

namespace gauntlet::net {

class FakeReply final : public HttpReply {
 public:
  void SetStatus(int s) override { status = s; }
  HttpHeaders& headers() override { return head; }
  Status Write(std::string_view bytes) override {
    body += bytes;
    return Status();
  }
  Status Flush() override { return Status(); }

  int status = 200;
  HttpHeaders head;
  std::string body;
};

}  // namespace gauntlet::net
