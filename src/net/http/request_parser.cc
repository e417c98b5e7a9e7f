#include "net/http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <utility>

#include "base/check.h"
#include "net/text.h"

namespace gauntlet::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Error = beast::error_code;

constexpr size_t kChunkLineMax = 16 << 10;  // a chunk's size line with its extensions, or all trailers

std::string_view View(beast::string_view s) { return {s.data(), s.size()}; }

std::string_view FailureText(http::error error) {
  switch (error) {
    case http::error::bad_method:
    case http::error::bad_target:
    case http::error::bad_version:
      return "malformed request line";
    case http::error::bad_content_length:
    case http::error::multiple_content_length:
      return "malformed or conflicting Content-Length";
    case http::error::bad_transfer_encoding:
      return "malformed or conflicting Transfer-Encoding";
    case http::error::bad_chunk:
    case http::error::bad_chunk_extension:
      return "malformed chunk";
    default:
      return "malformed header";
  }
}

}  // namespace

// Collects what Beast finds into the request.
class RequestParser::Machine final : public http::basic_parser<true> {
 public:
  Machine(HttpRequest& request, size_t body_bytes_max) : request_(request) {
    body_limit(body_bytes_max);
    header_limit(UINT32_MAX);  // Beast's limit is per line; ours, in Advance, is for all
  }
  int version() const { return version_; }
  bool request_line_done() const { return version_ != 0; }

 private:
  void on_request_impl(http::verb, beast::string_view method, beast::string_view target, int version, Error&) override {
    request_.method = View(method);
    request_.target = View(target);
    version_ = version;
  }
  void on_response_impl(int, beast::string_view, int, Error&) override {}
  void on_field_impl(http::field, beast::string_view name, beast::string_view value, Error&) override {
    if (!head_done_) request_.headers.Add(View(name), View(value));  // trailers are dropped
  }
  void on_header_impl(Error&) override { head_done_ = true; }
  void on_body_init_impl(const boost::optional<uint64_t>& length, Error&) override {
    if (length) request_.body.reserve(std::min<uint64_t>(*length, 1 << 20));
  }
  size_t on_body_impl(beast::string_view body, Error&) override {
    request_.body += View(body);
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, beast::string_view, Error&) override {}
  size_t on_chunk_body_impl(uint64_t, beast::string_view body, Error& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(Error&) override {}

  HttpRequest& request_;
  int version_ = 0;
  bool head_done_ = false;
};

RequestParser::RequestParser(Limits limits) : limits_(limits) {}
RequestParser::~RequestParser() = default;

void RequestParser::Feed(std::string_view bytes) {
  if (state_ == State::kComplete) {
    pending_ += bytes;
    return;
  }
  if (pending_.empty()) {
    Advance(bytes);
    pending_ = bytes;
    return;
  }
  pending_ += bytes;
  std::string_view rest = pending_;
  Advance(rest);
  pending_.erase(0, pending_.size() - rest.size());
}

void RequestParser::Next() {
  GN_CHECK(state_ == State::kComplete);
  request_ = HttpRequest();
  machine_.reset();
  state_ = State::kIdle;
  head_bytes_ = 0;
  expects_continue_ = false;
  Feed({});
}

void RequestParser::Advance(std::string_view& bytes) {
  if (state_ == State::kIdle) {
    while (!bytes.empty() && (bytes[0] == '\r' || bytes[0] == '\n')) bytes.remove_prefix(1);
    if (bytes.empty()) return;
    state_ = State::kHead;
    machine_ = std::make_unique<Machine>(request_, limits_.body_bytes_max);
  }
  while (!bytes.empty() && (state_ == State::kHead || state_ == State::kBody)) {
    Error error;
    size_t used = machine_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    bytes.remove_prefix(used);
    if (state_ == State::kHead) {
      head_bytes_ += used;
      size_t waiting = machine_->is_header_done() ? 0 : bytes.size();
      if (head_bytes_ + waiting > limits_.head_bytes_max) {
        std::string limit = std::to_string(limits_.head_bytes_max) + " bytes";
        bool line_done = machine_->request_line_done() || bytes.find('\n') != std::string_view::npos;
        if (!line_done) return Fail(414, "the request line is longer than " + limit);
        return Fail(431, "request line and headers are longer than " + limit);
      }
    } else if (machine_->chunked() && error == http::error::need_more && bytes.size() > kChunkLineMax) {
      return Fail(400, "malformed chunk");
    }
    if (error && error != http::error::need_more) {
      if (error == http::error::body_limit) {
        return Fail(413, "the body is longer than " + std::to_string(limits_.body_bytes_max) + " bytes");
      }
      return Fail(400, std::string(FailureText(static_cast<http::error>(error.value()))));
    }
    if (state_ == State::kHead && machine_->is_header_done()) HeadDone();
    if (state_ == State::kBody && machine_->is_done()) state_ = State::kComplete;
    if (error) return;
  }
}

void RequestParser::HeadDone() {
  state_ = State::kBody;
  http10_ = machine_->version() == 10;
  keep_alive_ = machine_->keep_alive();

  size_t hosts = 0, encodings = 0;
  for (const auto& [name, value] : request_.headers.all()) {
    if (SameToken(name, "Host")) ++hosts;
    if (SameToken(name, "Transfer-Encoding")) ++encodings;
  }
  if (hosts > 1 || (hosts == 0 && !http10_)) return Fail(400, "one Host header is required");
  if (encodings > 0) {
    if (http10_) return Fail(400, "Transfer-Encoding in HTTP/1.0");
    std::string_view encoding = request_.headers.Get("Transfer-Encoding");
    if (encodings > 1 || !SameToken(encoding, "chunked")) {
      return Fail(501, "unsupported Transfer-Encoding");
    }
  }
  if (std::string_view expect = request_.headers.Get("Expect"); !expect.empty()) {
    if (!SameToken(expect, "100-continue")) {
      return Fail(417, "unsupported Expect");
    }
    expects_continue_ = !http10_ && !machine_->is_done();
  }

  std::string_view target = request_.target;
  if (!target.empty() && target[0] != '/' && target != "*") {
    size_t authority = target.find("://");
    if (authority == std::string_view::npos) return Fail(400, "the request target is not a path");
    size_t path = target.find_first_of("/?", authority + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  target = target.substr(0, target.find('#'));
  size_t question = std::min(target.find('?'), target.size());
  request_.query = target.substr(std::min(question + 1, target.size()));
  auto path = PercentDecode(target.substr(0, question), false);
  if (!path.ok()) return Fail(400, std::string(path.status().message()));
  request_.path = path->empty() ? "/" : *std::move(path);
}

void RequestParser::Fail(int status, std::string text) {
  state_ = State::kFailed;
  keep_alive_ = false;
  error_status_ = status;
  error_text_ = std::move(text);
}

}  // namespace gauntlet::net
