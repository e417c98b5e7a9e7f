// AWS Signature Version 4 of requests, whole or in signed chunks.
//
// Format:  AWS, "Signature Calculations for the Authorization Header"      Threads: free functions.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "objstore/rest/request.h"

namespace gauntlet::objstore {

struct Credentials {
  std::string access_key, secret_key, session_token;
  int64_t expires_ms = INT64_MAX;
  bool anonymous() const { return access_key.empty(); }
};

struct SignV4Options {
  std::string region, service = "s3";
  int64_t now_ms = 0;
  size_t chunk_bytes = 64 << 10;
};

// Adds the headers. Bytes of a file are signed over plain HTTP, in chunks as they are sent, and left to TLS otherwise;
// other bodies are signed whole.
void SignV4(const Credentials& credentials, const SignV4Options& options, Request* request);

}  // namespace gauntlet::objstore
