#include "objstore/rest/rest_client.h"

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "io/file_system.h"
#include "objstore/http_date.h"
#include "objstore/xml.h"

namespace gauntlet::objstore {
namespace {

constexpr size_t kErrorBytesMax = 64 << 10;
constexpr size_t kAnswerBytesMax = 64 << 20;
constexpr int kCorrectionsMax = 3;
constexpr char kDefaultRegion[] = "us-east-1";

Code CodeOfXml(int status, std::string_view code) {
  if (code == "NoSuchKey" || code == "NoSuchUpload") return Code::kNotFound;
  if (code == "NoSuchBucket") return Code::kInvalid;
  if (code == "RequestTimeout" || code == "SlowDown" || code == "InternalError" || code == "ExpiredToken" ||
      code == "OperationAborted" || code == "ConditionalRequestConflict" || code == "RequestTimeTooSkewed" ||
      code == "ServiceUnavailable") {
    return Code::kUnavailable;
  }
  return CodeOfStatus(status);
}

template <typename T>
std::optional<T> ParseInteger(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

XmlNode ErrorBody(const net::HttpAnswer& answer) {
  Result<XmlNode> root = ParseXml(answer.body);
  return root.ok() && root->name == "Error" ? *std::move(root) : XmlNode();
}

}  // namespace

Code CodeOfStatus(int status) {
  if (status == 501) return Code::kUnsupported;
  if (status >= 500 || status == 408 || status == 429) return Code::kUnavailable;
  switch (status) {
    case 401:
    case 403:
      return Code::kDenied;
    case 404:
      return Code::kNotFound;
    case 412:
      return Code::kExists;
    default:
      return Code::kInvalid;
  }
}

std::string XmlErrorCode(const net::HttpAnswer& answer) { return std::string(ErrorBody(answer).Text("Code")); }

Status XmlError(const net::HttpAnswer& answer) {
  XmlNode body = ErrorBody(answer);
  std::string_view code = body.Text("Code"), message = body.Text("Message");
  // CompleteMultipartUpload says 200 before it knows.
  if (answer.status / 100 == 2 && code.empty()) return Status();
  std::string text = "status " + std::to_string(answer.status);
  if (!code.empty()) text.append(" ").append(code);
  if (!message.empty()) text.append(": ").append(message.substr(0, 500));
  return {CodeOfXml(answer.status / 100 == 2 ? 500 : answer.status, code), std::move(text)};
}

RestClient::RestClient(RestOptions options, std::unique_ptr<net::HttpClient> http,
                       std::unique_ptr<Authorizer> authorizer, Clock& clock)
    : options_(std::move(options)),
      http_(std::move(http)),
      authorizer_(std::move(authorizer)),
      clock_(clock),
      region_(options_.region.empty() ? kDefaultRegion : options_.region) {}

Result<net::HttpAnswer> RestClient::Attempt(const Request& request, const Cancel& cancel, const OnHead& on_head,
                                            const OnBytes& on_bytes) {
  std::string region;
  int64_t now_ms = 0;
  {
    MutexLock lock(mutex_);
    region = region_;
    now_ms = clock_.NowMs() + clock_offset_ms_;
  }
  Request ready = request;
  options_.address(&ready, region);
  GN_TRY(authorizer_->Authorize(now_ms, region, &ready, cancel));
  net::HttpCall call;
  call.method = ready.method;
  call.url = ready.Url();
  call.headers = ready.headers;
  if (ready.framed_body) {
    call.streamed_body = ready.framed_body;
    call.streamed_bytes = ready.framed_bytes;
  } else if (ready.file != nullptr) {
    call.streamed_body = [&ready](uint64_t offset, size_t n, std::string* out) {
      return ready.file->Read(ready.file_offset + offset, n, out);
    };
    call.streamed_bytes = ready.file_bytes;
  } else {
    call.body = std::move(ready.body);
  }
  net::HttpAnswer answer;
  Status status = http_->Stream(
      call, cancel,
      [&](const net::HttpAnswer& head) {
        answer.status = head.status;
        answer.headers = head.headers;
        return on_head ? on_head(head) : Status();
      },
      [&](std::string_view bytes) {
        if (answer.status / 100 == 2 && on_bytes) return on_bytes(bytes);
        size_t max = answer.status / 100 == 2 ? kAnswerBytesMax : kErrorBytesMax;
        if (answer.body.size() + bytes.size() > max && answer.status / 100 == 2) {
          return Status(Code::kExhausted, "the answer is too long");
        }
        answer.body.append(bytes.substr(0, max - answer.body.size()));
        return Status();
      });
  if (options_.trace != nullptr) {
    GN_LOG(*options_.trace, kDebug, "request to the object store", {"method", ready.method}, {"host", ready.host},
           {"target", ready.Target()}, {"status", answer.status}, {"err", status});
  }
  GN_TRY(status);
  return answer;
}

bool RestClient::Correct(const net::HttpAnswer& answer) {
  if (answer.status / 100 == 2 || answer.status == 404) return false;
  XmlNode body = ErrorBody(answer);
  std::string code(body.Text("Code")), region(body.Text("Region"));
  if (region.empty()) region = answer.headers.Get("x-amz-bucket-region");
  if (code == "RequestTimeTooSkewed") {
    std::optional<int64_t> date = ParseHttpDate(answer.headers.Get("Date"));
    if (!date.has_value()) return false;
    MutexLock lock(mutex_);
    int64_t offset = *date - clock_.NowMs();
    bool changed = std::llabs(offset - clock_offset_ms_) > 60'000;
    clock_offset_ms_ = offset;
    return changed;
  }
  if (code == "ExpiredToken" || code == "InvalidAccessKeyId" || code == "InvalidToken" || answer.status == 401) {
    return authorizer_->Renew();
  }
  bool misplaced = code == "AuthorizationHeaderMalformed" || answer.status == 301 || answer.status == 307 ||
                   (answer.status == 400 && code.empty());
  if (!misplaced || region.empty() || !options_.region.empty()) return false;
  MutexLock lock(mutex_);
  if (region_ == region) return false;
  region_ = region;
  return true;
}

Result<net::HttpAnswer> RestClient::Call(const Request& request, const Cancel& cancel) {
  Retries retries(options_.retry);
  for (int corrections = 0;;) {
    Result<net::HttpAnswer> answer = Attempt(request, cancel, nullptr, nullptr);
    Status error = answer.ok() ? ErrorOf(*answer) : answer.status();
    if (error.ok()) return answer;
    if (answer.ok() && corrections < kCorrectionsMax && Correct(*answer)) {
      ++corrections;
      continue;
    }
    GN_TRY(retries.Next(error, cancel));
  }
}

Status RestClient::Download(const Request& get, const std::string& name, uint64_t offset, uint64_t length,
                            const Cancel& cancel, const Bucket::OnBytes& on_bytes) {
  const uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
  uint64_t at = offset;   // the next byte that on_bytes is to get
  uint64_t skip = 0;      // bytes before it that a server without ranges sends
  uint64_t seen = 0;      // of this attempt
  uint64_t promised = 0;  // by Content-Length
  bool promise = false;
  std::string etag;
  Status callers_error;
  auto on_head = [&](const net::HttpAnswer& head) {
    seen = 0;
    skip = head.status == 200 ? at : 0;
    std::optional<uint64_t> content = ParseInteger<uint64_t>(head.headers.Get("Content-Length"));
    promise = content.has_value();
    promised = content.value_or(0);
    if (head.status / 100 == 2 && etag.empty()) etag = head.headers.Get("ETag");
    return Status();
  };
  auto on_part = [&](std::string_view bytes) {
    seen += bytes.size();
    size_t skipped = static_cast<size_t>(std::min<uint64_t>(skip, bytes.size()));
    skip -= skipped;
    bytes.remove_prefix(skipped);
    bytes = bytes.substr(0, static_cast<size_t>(std::min<uint64_t>(bytes.size(), end - at)));
    if (bytes.empty()) return Status();
    at += bytes.size();
    callers_error = on_bytes(bytes);
    return callers_error;
  };
  Retries retries(options_.retry);
  for (int corrections = 0;;) {
    Request request = get;
    if (at > 0 || end != UINT64_MAX) {
      request.headers.Set("Range",
                          "bytes=" + std::to_string(at) + "-" + (end == UINT64_MAX ? "" : std::to_string(end - 1)));
    }
    if (at > offset && !etag.empty()) request.headers.Set("If-Match", etag);
    const uint64_t before = at;
    Result<net::HttpAnswer> answer = Attempt(request, cancel, on_head, on_part);
    if (!callers_error.ok()) return callers_error;
    Status error = answer.ok() ? ErrorOf(*answer) : answer.status();
    if (error.ok() && promise && seen < promised) {
      error = Status(Code::kUnavailable, "the answer is cut short");
    }
    if (error.ok() || (at == end && at > offset)) return Status();
    if (answer.ok() && answer->status == 416 && at == offset) return Status();
    if (answer.ok() && answer->status == 412) {
      return {Code::kUnavailable, "read " + name + ": the object was replaced while it was read"};
    }
    if (answer.ok() && corrections < 3 && Correct(*answer)) {
      ++corrections;
      continue;
    }
    if (at > before) retries = Retries(options_.retry);  // it moves on
    GN_TRY(retries.Next(error, cancel).Wrap("read " + name));
  }
}

Result<ObjectAttributes> RestClient::Head(const Request& head, const std::string& name, const Cancel& cancel) {
  Result<net::HttpAnswer> answer = Call(head, cancel);
  if (!answer.ok()) return answer.status().Wrap("stat " + name);
  std::optional<uint64_t> bytes = ParseInteger<uint64_t>(answer->headers.Get("Content-Length"));
  if (!bytes.has_value()) return Status(Code::kCorrupt, "stat " + name + ": an answer without Content-Length");
  return ObjectAttributes{*bytes, ParseHttpDate(answer->headers.Get("Last-Modified")).value_or(0)};
}

}  // namespace gauntlet::objstore
