// MemoryReply: an HttpReply for tests, kept in memory.
//
// Threads: one thread at a time.

#pragma once

#include <string>

#include "net/http/message.h"

namespace gauntlet::api {

class MemoryReply : public net::HttpReply {
 public:
  void SetStatus(int status) override { status_ = status; }
  net::HttpHeaders& headers() override { return headers_; }
  Status Write(std::string_view bytes) override {
    body_ += bytes;
    return Status();
  }
  Status Flush() override { return Status(); }
  void Abort() override { aborted_ = true; }

  int status() const { return status_; }
  const std::string& body() const { return body_; }
  bool aborted() const { return aborted_; }

 private:
  int status_ = 200;
  net::HttpHeaders headers_;
  std::string body_;
  bool aborted_ = false;
};

}  // namespace gauntlet::api
