// HTTP as our handlers and callers see it: requests, replies, headers. Server and client are in server.h, client.h.
//
// Threads: values; HttpReply is for the handler's thread.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "net/tls.h"

namespace gauntlet::net {

// In order of appearance; names compare without case.
class HttpHeaders {
 public:
  // The first value, or "".
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  void Set(std::string_view name, std::string_view value);  // replaces all
  void Add(std::string_view name, std::string_view value);
  void Remove(std::string_view name);
  const std::vector<std::pair<std::string, std::string>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

// Decoded name=value pairs of a query string or a form body, in order.
class FormValues {
 public:
  // Adds the pairs of "a=1&b=2"; kInvalid for a malformed percent escape.
  Status Parse(std::string_view encoded);
  void Add(std::string name, std::string value) { pairs_.emplace_back(std::move(name), std::move(value)); }
  std::string_view Get(std::string_view name) const;  // first, or ""
  bool Has(std::string_view name) const;
  std::vector<std::string_view> All(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }
  // "a=1&b=2" with percent escapes.
  std::string Encode() const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

struct HttpRequest {
  std::string method;  // upper case
  std::string target;  // as received: path and query
  std::string path;    // percent-decoded, without the query
  std::string query;   // raw, without '?'
  HttpHeaders headers;
  std::string body;            // decoded from Content-Encoding gzip/deflate; bounded by the server's limit
  std::string remote_address;  // "127.0.0.1:53211"
  std::optional<PeerCertificate> peer;
  // Filled by the router: the values of ":name" parts of the pattern, and the name of the route's handler
  // ("query_range", the label of http_* metrics).
  std::vector<std::pair<std::string, std::string>> path_values;
  std::string route;
  // Filled by the tenancy of the server, where the component has tenants.
  std::string tenant;

  std::string_view PathValue(std::string_view name) const;
  // Query string plus, for POST, the pairs of an encoded form (first) or a multipart form (last), as Go's Request.Form.
  Result<FormValues> Form() const;
};

// What a handler answers into. Nothing is sent before the first full buffer or the handler's return, so status and
// headers may change until then; a handler that returns without a word answers 200 with an empty body.
class HttpReply {
 public:
  virtual ~HttpReply() = default;
  virtual void SetStatus(int status) = 0;
  virtual HttpHeaders& headers() = 0;
  // Appends body bytes; blocks while the peer does not read (chunked once the buffer is full, gzip when accepted).
  // kUnavailable when the client has gone: then stop.
  virtual Status Write(std::string_view bytes) = 0;
  // The same for large pieces: takes them over where it can, so that they are not copied.
  virtual Status WriteOwned(std::string bytes) { return Write(bytes); }  // NOLINT(performance-unnecessary-value-param)
  // Sends what is buffered now: for streams.
  virtual Status Flush() = 0;
  // For an error after the first bytes are out: the connection ends without the body's end, so that the client sees an
  // answer cut short, not a complete one.
  virtual void Abort() {}
};

// "404 Not Found" -> "Not Found".
std::string_view HttpStatusText(int status);

}  // namespace gauntlet::net
