#include "objstore/s3/s3_client.h"

#include <cstdlib>
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

std::string AmazonHost(const std::string& region, bool dualstack) {
  return std::string("s3.") + (dualstack ? "dualstack." : "") + region + ".amazonaws.com" +
         (region.starts_with("cn-") ? ".cn" : "");
}

Code CodeOf(int status, std::string_view code) {
  if (code == "NoSuchKey" || code == "NoSuchUpload") return Code::kNotFound;
  if (code == "NoSuchBucket") return Code::kInvalid;
  if (code == "RequestTimeout" || code == "SlowDown" || code == "InternalError" || code == "ExpiredToken" ||
      code == "OperationAborted" || code == "ConditionalRequestConflict" || code == "RequestTimeTooSkewed" ||
      code == "ServiceUnavailable") {
    return Code::kUnavailable;
  }
  if (status >= 500 || status == 408 || status == 429) return status == 501 ? Code::kUnsupported : Code::kUnavailable;
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

XmlNode ErrorBody(const net::HttpAnswer& answer) {
  Result<XmlNode> root = ParseXml(answer.body);
  return root.ok() && root->name == "Error" ? *std::move(root) : XmlNode();
}

}  // namespace

std::string S3ErrorCode(const net::HttpAnswer& answer) { return std::string(ErrorBody(answer).Text("Code")); }

Status S3Error(const net::HttpAnswer& answer) {
  XmlNode body = ErrorBody(answer);
  std::string_view code = body.Text("Code"), message = body.Text("Message");
  // CompleteMultipartUpload says 200 before it knows.
  if (answer.status / 100 == 2 && code.empty()) return Status();
  std::string text = "status " + std::to_string(answer.status);
  if (!code.empty()) text.append(" ").append(code);
  if (!message.empty()) text.append(": ").append(message.substr(0, 500));
  return {CodeOf(answer.status / 100 == 2 ? 500 : answer.status, code), std::move(text)};
}

S3Client::S3Client(S3ClientOptions options, std::unique_ptr<net::HttpClient> http,
                   std::unique_ptr<Authorizer> authorizer, Clock& clock)
    : options_(std::move(options)),
      http_(std::move(http)),
      authorizer_(std::move(authorizer)),
      clock_(clock),
      region_(options_.region.empty() ? kDefaultRegion : options_.region) {}

std::string S3Client::region() {
  MutexLock lock(mutex_);
  return region_;
}

Request S3Client::Addressed(const Request& request, const std::string& region) const {
  Request addressed = request;
  addressed.tls = options_.tls;
  std::string host = options_.amazon ? AmazonHost(region, options_.dualstack) : options_.endpoint;
  if (options_.virtual_hosted) {
    addressed.host = options_.bucket + "." + host;
    addressed.path = "/" + request.path;
  } else {
    addressed.host = host;
    addressed.path = "/" + options_.bucket + "/" + request.path;
  }
  return addressed;
}

Result<net::HttpAnswer> S3Client::Attempt(const Request& request, const Cancel& cancel, const OnHead& on_head,
                                          const OnBytes& on_bytes) {
  std::string region;
  int64_t now_ms = 0;
  {
    MutexLock lock(mutex_);
    region = region_;
    now_ms = clock_.NowMs() + clock_offset_ms_;
  }
  Request ready = Addressed(request, region);
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
    GN_LOG(*options_.trace, kDebug, "s3 request", {"method", ready.method}, {"host", ready.host},
           {"target", ready.Target()}, {"status", answer.status}, {"err", status});
  }
  GN_TRY(status);
  return answer;
}

bool S3Client::Correct(const net::HttpAnswer& answer) {
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

Result<net::HttpAnswer> S3Client::Call(const Request& request, const Cancel& cancel) {
  Retries retries(options_.retry);
  for (int corrections = 0;;) {
    Result<net::HttpAnswer> answer = Attempt(request, cancel, nullptr, nullptr);
    Status error = answer.ok() ? S3Error(*answer) : answer.status();
    if (error.ok()) return answer;
    if (answer.ok() && corrections < kCorrectionsMax && Correct(*answer)) {
      ++corrections;
      continue;
    }
    GN_TRY(retries.Next(error, cancel));
  }
}

}  // namespace gauntlet::objstore
