#include "objstore/swift/swift_bucket.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

#include "base/clock.h"
#include "base/ulid.h"
#include "json/reader.h"
#include "json/writer.h"
#include "model/time.h"
#include "net/text.h"
#include "objstore/swift/swift_auth.h"

namespace gauntlet::objstore {
namespace {

// Segments lie below this, as Thanos has them; no listing shows it.
constexpr char kSegments[] = "segments/";
constexpr uint64_t kStreamSegmentBytes = 32 << 20;
constexpr size_t kParallelSegments = 4;
constexpr std::chrono::milliseconds kStartTimeout{60'000};

Status SwiftError(const net::HttpAnswer& answer) {
  if (answer.status / 100 == 2) return Status();
  return {CodeOfStatus(answer.status), "status " + std::to_string(answer.status)};
}

// Swift's times have no zone: UTC.
int64_t ListedTimeMs(std::string_view text) {
  Result<int64_t> ms = ParseRfc3339(text.ends_with('Z') ? std::string(text) : std::string(text) + "Z");
  return ms.ok() ? *ms : 0;
}

}  // namespace

Request SwiftBucket::InContainer(const char* method, const std::string& container, const std::string& name) const {
  Request request;
  request.method = method;
  request.path = "/" + container + (name.empty() ? "" : "/" + name);
  return request;
}

Request SwiftBucket::ObjectRequest(const char* method, const std::string& name) const {
  return InContainer(method, config_.container, name);
}

Status SwiftBucket::CheckContainers(const Cancel& cancel) {
  for (const std::string& container : {config_.container, config_.segments_container}) {
    Status status = client().Call(InContainer("HEAD", container, ""), cancel).status();
    if (status.code() == Code::kNotFound) {
      return {Code::kInvalid, "unable to find the expected container " + container};
    }
    GN_TRY(std::move(status).Wrap("verify container " + container));
  }
  return Status();
}

Status SwiftBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                         const OnEntry& on_entry) {
  GN_TRY(cancel.status());
  const std::string prefix = DirectoryPrefix(dir);
  std::string marker = options.after;
  while (true) {
    Request request = ObjectRequest("GET", "");
    request.query = {{"format", "json"}, {"limit", "10000"}};
    if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
    if (!options.recursive) request.query.emplace_back("delimiter", "/");
    if (!marker.empty()) request.query.emplace_back("marker", marker);
    if (!options.until.empty()) request.query.emplace_back("end_marker", options.End());
    Result<net::HttpAnswer> answer = client().Call(request, cancel);
    if (!answer.ok()) return answer.status().Wrap("list " + prefix);
    if (answer->status == 204 || answer->body.empty()) return Status();
    Result<json::Document> page = json::Document::Parse(answer->body);
    if (!page.ok()) return page.status().Wrap("list " + prefix);
    json::Value items = page->root();
    if (items.size() == 0) return Status();
    std::vector<ObjectEntry> entries;
    for (size_t i = 0; i < items.size(); ++i) {
      json::Value subdir = items[i].Get("subdir");
      ObjectEntry entry;
      entry.name = (subdir.exists() ? subdir : items[i].Get("name")).String().value_or("");
      entry.bytes = items[i].Get("bytes").Uint().value_or(0);
      entry.modified_ms = ListedTimeMs(items[i].Get("last_modified").String().value_or(""));
      entries.push_back(entry);
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const ObjectEntry& entry : entries) {
      bool segment = prefix.empty() && entry.name.starts_with(kSegments);
      if (entry.name != prefix && !segment && options.Includes(entry.name)) GN_TRY(on_entry(entry));
    }
    std::string last(entries.back().name);
    if (last <= marker) return {Code::kCorrupt, "list " + prefix + ": the same page again"};
    marker = std::move(last);
  }
}

Status SwiftBucket::PutSegments(const std::string& name, PartCutter& cutter, const Cancel& cancel) {
  const std::string base = kSegments + name + "/" + Ulid::Make(SystemClock().NowMs()).ToString() + "/";
  struct Segment {
    std::string name, etag;
    uint64_t bytes;
  };
  Mutex mutex;
  std::map<int, Segment> segments;
  GN_TRY(SendParts(cutter, executor_, kParallelSegments, cancel, [&](const UploadPart& part, const Cancel& one) {
    char number[16];
    snprintf(number, sizeof number, "%010d", part.number);
    Result<net::HttpAnswer> answer = SendPart(InContainer("PUT", config_.segments_container, base + number), part, one);
    GN_TRY(answer.status());
    std::string etag(answer->headers.Get("ETag"));
    std::erase(etag, '"');
    MutexLock lock(mutex);
    segments[part.number] = {config_.segments_container + "/" + base + number, std::move(etag), part.bytes};
    return Status();
  }));
  Request manifest = ObjectRequest("PUT", name);
  if (config_.dynamic_large_objects) {
    manifest.headers.Set("X-Object-Manifest",
                         net::PercentEncode(config_.segments_container) + "/" + AwsEscape(base, true));
    return client().Call(manifest, cancel).status();
  }
  manifest.query = {{"multipart-manifest", "put"}};
  json::Writer w(&manifest.body);
  w.BeginArray();
  for (const auto& [number, segment] : segments) {
    w.BeginObject().StringMember("path", "/" + segment.name).StringMember("etag", segment.etag);
    w.Key("size_bytes").Uint(segment.bytes).EndObject();
  }
  w.EndArray();
  return client().Call(manifest, cancel).status();
}

Status SwiftBucket::Upload(const std::string& name, Source& source, const UploadOptions& options,
                           const Cancel& cancel) {
  // Swift has If-None-Match, but servers that only speak like it (radosgw) take no notice of it.
  if (options.if_absent) return {Code::kUnsupported, "the store has no conditional writes that can be relied on"};
  CutOptions cut;
  // A static manifest has at most 1,000 segments.
  uint64_t bytes = source.file() != nullptr ? source.file()->size() : 0;
  cut.file_part_bytes = std::max<uint64_t>({config_.chunk_bytes, 1, bytes / 900});
  cut.stream_part_bytes = std::min(cut.file_part_bytes, kStreamSegmentBytes);
  cut.parts_before_doubling = 100;
  return UploadCut(
      name, source, cut, cancel,
      [&](const UploadPart& part) { return SendWhole(ObjectRequest("PUT", name), part, options, cancel); },
      [&](PartCutter& cutter) { return PutSegments(name, cutter, cancel); });
}

Status SwiftBucket::Delete(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  Result<net::HttpAnswer> head = client().Call(ObjectRequest("HEAD", name), cancel);
  if (!head.ok()) {
    return head.status().code() == Code::kNotFound ? Status() : head.status().Wrap("delete " + name);
  }
  Request request = ObjectRequest("DELETE", name);
  // A static manifest takes its segments with it.
  if (head->headers.Get("X-Static-Large-Object") == "True" || head->headers.Get("X-Static-Large-Object") == "true") {
    request.query = {{"multipart-manifest", "delete"}};
  }
  const std::string dynamic(head->headers.Get("X-Object-Manifest"));
  Status status = client().Call(request, cancel).status();
  if (!status.ok() && status.code() != Code::kNotFound) return std::move(status).Wrap("delete " + name);
  if (dynamic.empty()) return Status();
  // Segments of a dynamic one are found by its prefix.
  GN_ASSIGN(std::string segments, net::PercentDecode(dynamic, false));
  size_t slash = segments.find('/');
  if (slash == std::string::npos || !std::string_view(segments).substr(slash + 1).starts_with(kSegments))
    return Status();
  Request list = InContainer("GET", segments.substr(0, slash), "");
  list.query = {{"format", "json"}, {"prefix", segments.substr(slash + 1)}};
  GN_ASSIGN(net::HttpAnswer listed, client().Call(list, cancel));
  if (listed.body.empty()) return Status();
  GN_ASSIGN(json::Document page, json::Document::Parse(listed.body));
  for (size_t i = 0; i < page.root().size(); ++i) {
    std::string segment(page.root()[i].Get("name").String().value_or(""));
    status = client().Call(InContainer("DELETE", segments.substr(0, slash), segment), cancel).status();
    if (!status.ok() && status.code() != Code::kNotFound) return std::move(status).Wrap("delete " + segment);
  }
  return Status();
}

Result<std::unique_ptr<Bucket>> MakeSwiftBucket(const config::Node& node, const Environment& environment) {
  GN_ASSIGN(SwiftConfig config, ParseSwiftConfig(node));
  net::HttpClientOptions client_options =
      ToClientOptions(config.http, "thanos-" + environment.component + "/" + environment.version + " (gauntlet)");
  client_options.connect_timeout = config.connect_timeout;
  client_options.stall_timeout = config.timeout;
  GN_ASSIGN(std::unique_ptr<net::HttpClient> login_http, net::HttpClient::Make(client_options));
  GN_ASSIGN(std::unique_ptr<net::HttpClient> http, net::HttpClient::Make(client_options));
  auto auth = std::make_shared<SwiftAuth>(config, std::move(login_http));
  auto authorizer = std::make_unique<BearerAuthorizer>([auth](const Cancel& cancel) { return auth->Login(cancel); },
                                                       SystemClock(), "X-Auth-Token");
  CancelSource limited(Cancel(), kStartTimeout);
  GN_TRY(auth->Login(limited.cancel()).status());  // where the storage is must be known before the first request
  RestOptions options;
  options.error = SwiftError;
  options.retry.attempts_max = std::max(config.retries, 0) + 1;
  options.address = [auth](Request* request, const std::string&) {
    net::Url storage = auth->storage();
    request->tls = storage.scheme == "https";
    request->host = storage.Authority();
    request->path = storage.path + request->path;
  };
  auto bucket = std::make_unique<SwiftBucket>(
      config, std::make_unique<RestClient>(std::move(options), std::move(http), std::move(authorizer), SystemClock()),
      environment.executor);
  GN_TRY(bucket->CheckContainers(limited.cancel()));
  return std::unique_ptr<Bucket>(std::move(bucket));
}

}  // namespace gauntlet::objstore
