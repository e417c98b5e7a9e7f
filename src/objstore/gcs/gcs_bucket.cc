#include "objstore/gcs/gcs_bucket.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "base/clock.h"
#include "config/decoder.h"
#include "json/reader.h"
#include "model/time.h"
#include "net/text.h"
#include "net/url.h"
#include "objstore/gcs/gcs_auth.h"
#include "objstore/http_config.h"

namespace gauntlet::objstore {
namespace {

constexpr uint64_t kChunkUnit = 256 << 10;
constexpr uint64_t kChunkBytes = 16 << 20;

Status GcsError(const net::HttpAnswer& answer) {
  // 308: a chunk of an upload arrived, more is wanted.
  if (answer.status / 100 == 2 || answer.status == 308) return Status();
  std::string text = "status " + std::to_string(answer.status), reason;
  if (Result<json::Document> document = json::Document::Parse(answer.body); document.ok()) {
    json::Value error = document->root().Get("error");
    text.append(": ").append(error.Get("message").String().value_or(""));
    if (json::Value errors = error.Get("errors"); errors.size() > 0) {
      reason = errors[0].Get("reason").String().value_or("");
    }
  }
  if (answer.status == 404 && text.find("bucket does not exist") != std::string::npos) return {Code::kInvalid, text};
  return {CodeOfStatus(answer.status), text};
}

uint64_t SizeOf(json::Value item) {
  uint64_t bytes = 0;
  std::string_view text = item.Get("size").String().value_or("");  // 64 bits do not fit their numbers
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

int64_t ModifiedOf(json::Value item) {
  Result<int64_t> ms = ParseRfc3339(item.Get("updated").String().value_or(""));
  return ms.ok() ? *ms : 0;
}

class NoAuthorizer final : public Authorizer {
 public:
  Status Authorize(int64_t, const std::string&, Request*, const Cancel&) override { return Status(); }
};

}  // namespace

GcsBucket::GcsBucket(std::string bucket, uint64_t chunk_bytes, std::unique_ptr<RestClient> client)
    : RestBucket("GCS", std::move(bucket), std::move(client)), chunk_bytes_(chunk_bytes) {}

Request GcsBucket::ObjectRequest(const char* method, const std::string& name) const {
  Request request;
  request.method = method;
  request.escaped_path = "/storage/v1/b/" + net::PercentEncode(this->name()) + "/o/" + net::PercentEncode(name);
  if (request.method == "GET") request.query = {{"alt", "media"}};
  return request;
}

Request GcsBucket::UploadRequest(const std::string& name, const char* type, const UploadOptions& options) const {
  Request request;
  request.method = "POST";
  request.escaped_path = "/upload/storage/v1/b/" + net::PercentEncode(this->name()) + "/o";
  request.query = {{"uploadType", type}, {"name", name}};
  if (options.if_absent) request.query.emplace_back("ifGenerationMatch", "0");
  return request;
}

Status GcsBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                       const OnEntry& on_entry) {
  GN_TRY(cancel.status());
  const std::string prefix = DirectoryPrefix(dir);
  std::string token;
  do {
    Request request;
    request.escaped_path = "/storage/v1/b/" + net::PercentEncode(this->name()) + "/o";
    request.query = {{"maxResults", "1000"}, {"fields", "items(name,size,updated),prefixes,nextPageToken"}};
    if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
    if (!options.recursive) request.query.emplace_back("delimiter", "/");
    if (!token.empty()) request.query.emplace_back("pageToken", token);
    if (!options.after.empty()) request.query.emplace_back("startOffset", options.after);
    if (!options.until.empty()) request.query.emplace_back("endOffset", options.End());
    Result<net::HttpAnswer> answer = client().Call(request, cancel);
    if (!answer.ok()) return answer.status().Wrap("list " + prefix);
    Result<json::Document> page = json::Document::Parse(answer->body);
    if (!page.ok()) return page.status().Wrap("list " + prefix);
    json::Value root = page->root(), items = root.Get("items"), prefixes = root.Get("prefixes");
    std::vector<ObjectEntry> entries;
    for (size_t i = 0; i < items.size(); ++i) {
      entries.push_back({items[i].Get("name").String().value_or(""), SizeOf(items[i]), ModifiedOf(items[i])});
    }
    for (size_t i = 0; i < prefixes.size(); ++i) entries.push_back({prefixes[i].String().value_or(""), 0, 0});
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const ObjectEntry& entry : entries) {
      if (entry.name != prefix && !entry.name.empty() && options.Includes(entry.name)) GN_TRY(on_entry(entry));
    }
    std::string next(root.Get("nextPageToken").String().value_or(""));
    if (!next.empty() && next == token) return {Code::kCorrupt, "list " + prefix + ": the same page again"};
    token = std::move(next);
  } while (!token.empty());
  return Status();
}

Result<ObjectAttributes> GcsBucket::Attributes(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  Request request = ObjectRequest("GET", name);
  request.query = {{"fields", "size,updated"}};
  Result<net::HttpAnswer> answer = client().Call(request, cancel);
  if (!answer.ok()) return answer.status().Wrap("stat " + name);
  Result<json::Document> document = json::Document::Parse(answer->body);
  if (!document.ok()) return document.status().Wrap("stat " + name);
  return ObjectAttributes{SizeOf(document->root()), ModifiedOf(document->root())};
}

// A session to which chunks are sent one after the other.
Status GcsBucket::PutChunks(const std::string& name, PartCutter& cutter, const UploadOptions& options,
                            const Cancel& cancel) {
  Request begin = UploadRequest(name, "resumable", options);
  begin.headers.Set("Content-Type", "application/json");
  begin.headers.Set("X-Upload-Content-Type",
                    options.content_type.empty() ? "application/octet-stream" : options.content_type);
  begin.body = "{}";
  GN_ASSIGN(net::HttpAnswer answer, client().Call(begin, cancel));
  GN_ASSIGN(net::Url session, net::Url::Parse(answer.headers.Get("Location")));
  UploadPart part;
  GN_ASSIGN(bool more, cutter.Next(&part));
  while (more) {
    // The last chunk says how long the object is; so the next one must be known.
    UploadPart next;
    GN_ASSIGN(more, cutter.Next(&next));
    Request put;
    put.method = "PUT";
    put.escaped_path = session.path + (session.query.empty() ? "" : "?" + session.query);
    const uint64_t end = part.offset + part.bytes;
    std::string range = part.bytes == 0 ? "*" : std::to_string(part.offset) + "-" + std::to_string(end - 1);
    put.headers.Set("Content-Range", "bytes " + range + "/" + (more ? "*" : std::to_string(end)));
    put.headers.Set("Content-Type", "application/octet-stream");
    GN_ASSIGN(net::HttpAnswer done, SendPart(std::move(put), part, cancel));
    if (more && done.status != 308) return {Code::kCorrupt, "an upload ended before its last chunk"};
    if (more && done.headers.Get("Range") != "bytes=0-" + std::to_string(end - 1)) {
      return {Code::kUnavailable, "a chunk of an upload arrived in part"};
    }
    part = std::move(next);
  }
  return Status();
}

Status GcsBucket::Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) {
  CutOptions cut;
  cut.file_part_bytes = std::max(chunk_bytes_, uint64_t{64} << 20);
  cut.stream_part_bytes = chunk_bytes_;
  cut.parts_before_doubling = 1 << 30;  // never
  return UploadCut(
      name, source, cut, cancel,
      [&](const UploadPart& part) { return SendWhole(UploadRequest(name, "media", options), part, options, cancel); },
      [&](PartCutter& cutter) { return PutChunks(name, cutter, options, cancel); });
}

Result<std::unique_ptr<Bucket>> MakeGcsBucket(const config::Node& node, const Environment& environment) {
  std::string bucket;
  config::Secret service_account;
  bool use_grpc = false;
  int pool = 0, chunk_bytes = 0, max_retries = 0;
  HttpConfig http_config;
  GN_TRY(config::DecodeNode(node, "gcs.Config", [&](config::Decoder& d) {
    d.Field("bucket", &bucket);
    d.Field("service_account", &service_account);
    d.Field("use_grpc", &use_grpc);
    d.Field("grpc_conn_pool_size", &pool);
    DecodeHttpConfig(d, &http_config);
    d.Field("chunk_size_bytes", &chunk_bytes);
    d.Field("max_retries", &max_retries);
  }));
  if (bucket.empty()) return Status(Code::kInvalid, "missing Google Cloud Storage bucket name for stored blocks");
  if (use_grpc) GN_LOG(environment.logger, kWarn, "use_grpc has no effect: Google Cloud Storage is asked over HTTP");
  bool tls = true;
  std::string host = "storage.googleapis.com";
  std::unique_ptr<Authorizer> authorizer;
  if (const char* emulator = std::getenv("STORAGE_EMULATOR_HOST"); emulator != nullptr && *emulator != '\0') {
    host = emulator;
    tls = host.starts_with("https://");
    if (size_t scheme = host.find("://"); scheme != std::string::npos) host.erase(0, scheme + 3);
    while (host.ends_with('/')) host.pop_back();
    authorizer = std::make_unique<NoAuthorizer>();
  } else {
    GN_ASSIGN(authorizer, MakeGcsAuthorizer(service_account.value(), environment.files, SystemClock()));
  }
  RestOptions options;
  options.error = GcsError;
  if (max_retries > 0) options.retry.attempts_max = max_retries;
  options.address = [host, tls](Request* request, const std::string&) {
    request->tls = tls;
    request->host = host;
  };
  GN_ASSIGN(std::unique_ptr<net::HttpClient> http,
            net::HttpClient::Make(ToClientOptions(
                http_config, "thanos-" + environment.component + "/" + environment.version + " (gauntlet)")));
  uint64_t chunk =
      chunk_bytes > 0 ? (static_cast<uint64_t>(chunk_bytes) + kChunkUnit - 1) / kChunkUnit * kChunkUnit : kChunkBytes;
  return std::unique_ptr<Bucket>(std::make_unique<GcsBucket>(
      bucket, chunk,
      std::make_unique<RestClient>(std::move(options), std::move(http), std::move(authorizer), SystemClock())));
}

}  // namespace gauntlet::objstore
