// Request: one S3 request before and after it is signed, and who signs it.
//
// Threads: Request is a value; an Authorizer is thread-safe.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "net/http/message.h"

namespace gauntlet::io {
class RandomFile;
}

namespace gauntlet::objstore {

struct Request {
  std::string method = "GET";
  bool tls = true;
  std::string host;                                        // "bucket.s3.amazonaws.com", with a port that is not usual
  std::string path = "/";                                  // not escaped
  std::string escaped_path;                                // instead of `path`, as it is sent
  std::vector<std::pair<std::string, std::string>> query;  // not escaped
  net::HttpHeaders headers;
  std::string body;
  // Instead of `body`: a part of a file, which is borrowed.
  const io::RandomFile* file = nullptr;
  uint64_t file_offset = 0, file_bytes = 0;
  // Set by an authorizer that frames the file's bytes: what is sent in their place.
  std::function<Status(uint64_t offset, size_t n, std::string* out)> framed_body;
  uint64_t framed_bytes = 0;

  // "/a%20b?x=1&y="
  std::string Target() const;
  std::string Url() const { return (tls ? "https://" : "http://") + host + Target(); }
};

// Percent escapes as AWS' signatures want them; with `keep_slash` for paths.
std::string AwsEscape(std::string_view text, bool keep_slash);

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  // Writes into the request who asks: last of all changes to it.
  virtual Status Authorize(int64_t now_ms, const std::string& region, Request* request, const Cancel& cancel) = 0;
  // The server did not take the credentials: true when others may be there now.
  virtual bool Renew() { return false; }
};

}  // namespace gauntlet::objstore
