// Envelope: {"status": ..., "data": ...} around every answer of the HTTP API, and how errors look.
//
// Upstream: thanos pkg/api/api.go, prometheus web/api/v1/api.go
// Threads:  one thread at a time.

#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "json/writer.h"
#include "model/annotations.h"
#include "net/http/message.h"

namespace gauntlet::api {

enum class ErrorType : uint8_t { kBadData, kExecution, kCanceled, kTimeout, kInternal, kNotFound, kUnavailable };

std::string_view ErrorTypeText(ErrorType type);  // "bad_data"
int HttpStatusOf(ErrorType type);                // as Thanos: timeout and canceled 503, execution 422, ...

// Answers {"status":"error","errorType":...,"error":...}, never cached.
void ReplyError(net::HttpReply& reply, ErrorType type, std::string_view message);
// For a parameter: 400 `invalid parameter "NAME": CAUSE`.
void ReplyBadParameter(net::HttpReply& reply, std::string_view name, const Status& cause);

// JSON that leaves while it is written.
class JsonReply {
 public:
  explicit JsonReply(net::HttpReply& reply) : reply_(reply), writer_(&buffer_) {}
  json::Writer& writer() { return writer_; }
  // So much is about to be written.
  void Expect(size_t bytes) { buffer_.reserve(std::min(buffer_.size() + bytes, kPassBytes + kPassBytes / 4)); }
  // Sends what is written once it is enough for a packet train; false when the client has gone: stop.
  bool Pass() { return buffer_.size() < kPassBytes || Send(); }
  bool Send();
  // Sends what is written, then this. To the writer it counts as elements of the array that is open.
  bool SendBehind(std::string elements);

 private:
  static constexpr size_t kPassBytes = 512 << 10;  // a client is woken for each, and all fits a core's cache
  net::HttpReply& reply_;
  std::string buffer_;
  json::Writer writer_;
};

// Answers success around what `data` writes (one JSON value), with warnings and infos: of PromQL's at most ten of each,
// and how many more. Partial responses, unlike notes of PromQL, are not to be cached.
void ReplyData(net::HttpReply& reply, const Annotations& annotations, const std::function<void(JsonReply&)>& data);

}  // namespace gauntlet::api
