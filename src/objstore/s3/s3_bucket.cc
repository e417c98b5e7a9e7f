#include "objstore/s3/s3_bucket.h"

#include <charconv>
#include <optional>

#include "objstore/http_date.h"
#include "objstore/s3/s3_list.h"
#include "objstore/s3/s3_upload.h"

namespace gauntlet::objstore {
namespace {

template <typename T>
std::optional<T> ParseInteger(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

void AddAll(const net::HttpHeaders& more, net::HttpHeaders* headers) {
  for (const auto& [name, value] : more.all()) headers->Add(name, value);
}

}  // namespace

S3Bucket::S3Bucket(S3BucketOptions options, std::unique_ptr<S3Client> client, Executor& executor)
    : options_(std::move(options)), client_(std::move(client)), executor_(executor) {}

S3Bucket::~S3Bucket() = default;

Request S3Bucket::ObjectRequest(const char* method, const std::string& name) const {
  Request request;
  request.method = method;
  request.path = name;
  return request;
}

Status S3Bucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                      const OnEntry& on_entry) {
  GN_TRY(cancel.status());
  S3Lister lister(*client_, DirectoryPrefix(dir), options.recursive, options_.list_v1);
  while (!lister.done()) {
    GN_ASSIGN(std::vector<S3ListEntry> page, lister.NextPage(cancel));
    for (const S3ListEntry& entry : page) GN_TRY(on_entry({entry.name, entry.bytes, entry.modified_ms}));
  }
  return Status();
}

Status S3Bucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  return Download(name, 0, UINT64_MAX, cancel, on_bytes);
}

Status S3Bucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                          const OnBytes& on_bytes) {
  if (length == 0) {  // a range cannot say that; whether the object is there still counts
    return Attributes(name, cancel).status();
  }
  return Download(name, offset, length, cancel, on_bytes);
}

// One GET, and after a break another from where it broke, of the same version of the object.
Status S3Bucket::Download(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                          const OnBytes& on_bytes) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
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
  Retries retries(client_->options().retry);
  for (int corrections = 0;;) {
    Request request = ObjectRequest("GET", name);
    for (const auto& [key, value] : options_.key_headers.all()) request.headers.Add(key, value);
    if (at > 0 || end != UINT64_MAX) {
      request.headers.Set("Range",
                          "bytes=" + std::to_string(at) + "-" + (end == UINT64_MAX ? "" : std::to_string(end - 1)));
    }
    if (at > offset && !etag.empty()) request.headers.Set("If-Match", etag);
    const uint64_t before = at;
    Result<net::HttpAnswer> answer = client_->Attempt(request, cancel, on_head, on_part);
    if (!callers_error.ok()) return callers_error;
    Status error = answer.ok() ? S3Error(*answer) : answer.status();
    if (error.ok() && promise && seen < promised) {
      error = Status(Code::kUnavailable, "the answer is cut short");
    }
    if (error.ok() || (at == end && at > offset)) return Status();
    if (answer.ok() && answer->status == 416 && at == offset) return Status();
    if (answer.ok() && answer->status == 412) {
      return {Code::kUnavailable, "read " + name + ": the object was replaced while it was read"};
    }
    if (answer.ok() && corrections < 3 && client_->Correct(*answer)) {
      ++corrections;
      continue;
    }
    if (at > before) retries = Retries(client_->options().retry);  // it moves on
    GN_TRY(retries.Next(error, cancel).Wrap("read " + name));
  }
}

Result<ObjectAttributes> S3Bucket::Attributes(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  Request request = ObjectRequest("HEAD", name);
  AddAll(options_.key_headers, &request.headers);
  Result<net::HttpAnswer> answer = client_->Call(request, cancel);
  if (!answer.ok()) return answer.status().Wrap("stat " + name);
  std::optional<uint64_t> bytes = ParseInteger<uint64_t>(answer->headers.Get("Content-Length"));
  if (!bytes.has_value()) return Status(Code::kCorrupt, "stat " + name + ": an answer without Content-Length");
  return ObjectAttributes{*bytes, ParseHttpDate(answer->headers.Get("Last-Modified")).value_or(0)};
}

Result<bool> S3Bucket::Exists(const std::string& name, const Cancel& cancel) {
  Result<ObjectAttributes> attributes = Attributes(name, cancel);
  if (attributes.ok()) return true;
  if (attributes.status().code() == Code::kNotFound) return false;
  return attributes.status();
}

Status S3Bucket::Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  if (options.if_absent && !options_.conditional_writes) {
    return {Code::kUnsupported, "the store has no conditional writes"};
  }
  return S3Upload(*client_, options_, executor_, name, options, cancel).Run(source).Wrap("upload " + name);
}

Status S3Bucket::Delete(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  Result<net::HttpAnswer> answer = client_->Call(ObjectRequest("DELETE", name), cancel);
  if (answer.ok() || answer.status().code() == Code::kNotFound) return Status();
  return answer.status().Wrap("delete " + name);
}

}  // namespace gauntlet::objstore
