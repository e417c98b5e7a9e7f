// Content codings of HTTP: gzip for answers, gzip and deflate for request bodies, and their negotiation.
//
// Threads: GzipWriter is for one thread at a time; the functions are pure.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::net {

// What an Accept-Encoding header says about gzip ("gzip;q=0" refuses, "*" accepts).
bool AcceptsGzip(std::string_view accept_encoding);

// The body behind a Content-Encoding header. kUnsupported for a coding other than gzip, deflate (with or without zlib's
// frame) and identity; kExhausted when the result would be longer than `bytes_max`; kInvalid for damaged bytes.
Result<std::string> DecodeContent(std::string_view coding, std::string_view bytes, size_t bytes_max);

// One gzip stream, for speed rather than size.
class GzipWriter {
 public:
  GzipWriter();
  ~GzipWriter();

  enum class Mode : uint8_t { kMore, kFlush, kFinish };
  // Appends to `out` what is ready: with kFlush all that was written, with kFinish the end as well.
  void Write(std::string_view bytes, Mode mode, std::string* out);

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace gauntlet::net
