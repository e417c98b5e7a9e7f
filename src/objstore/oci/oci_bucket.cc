#include "objstore/oci/oci_bucket.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <vector>

#include "base/clock.h"
#include "config/decoder.h"
#include "config/durations.h"
#include "io/sha256.h"
#include "json/reader.h"
#include "json/writer.h"
#include "model/time.h"
#include "net/text.h"
#include "objstore/http_config.h"
#include "objstore/http_date.h"
#include "objstore/sign.h"

namespace gauntlet::objstore {
namespace {

constexpr uint64_t kPartBytes = 128 << 20;
constexpr uint64_t kStreamPartBytes = 10 << 20;
constexpr uint64_t kPartsMax = 10'000;
constexpr size_t kParallelParts = 4;
constexpr std::chrono::milliseconds kStartTimeout{60'000}, kAbortTimeout{10'000};

Status OciError(const net::HttpAnswer& answer) {
  if (answer.status / 100 == 2) return Status();
  std::string text = "status " + std::to_string(answer.status), code;
  if (Result<json::Document> document = json::Document::Parse(answer.body); document.ok()) {
    code = document->root().Get("code").String().value_or("");
    text.append(" ").append(code).append(": ").append(document->root().Get("message").String().value_or(""));
  }
  if (code == "BucketNotFound" || code == "NamespaceNotFound") return {Code::kInvalid, text};
  return {CodeOfStatus(answer.status), text};
}

class KeyAuthorizerOfOci final : public Authorizer {
 public:
  explicit KeyAuthorizerOfOci(OciKey key) : key_(std::move(key)) {}

  Status Authorize(int64_t now_ms, const std::string&, Request* request, const Cancel&) override {
    request->headers.Set("Date", FormatHttpDate(now_ms));
    // Bytes of objects are not signed, other bodies are.
    if (request->file == nullptr && (request->method == "POST" || request->method == "PUT")) {
      io::Sha256Digest digest = io::Sha256(request->body);
      request->headers.Set("x-content-sha256", Base64({reinterpret_cast<const char*>(digest.data()), digest.size()}));
      if (!request->headers.Has("Content-Type")) request->headers.Set("Content-Type", "application/json");
    }
    std::string names;
    std::string text = OciStringToSign(*request, &names);
    GN_ASSIGN(std::string signature, SignRsaSha256(key_.private_key, key_.passphrase, text));
    request->headers.Set("Authorization", "Signature version=\"1\",keyId=\"" + key_.tenancy + "/" + key_.user + "/" +
                                              key_.fingerprint + "\",algorithm=\"rsa-sha256\",headers=\"" + names +
                                              "\",signature=\"" + Base64(signature) + "\"");
    return Status();
  }

 private:
  const OciKey key_;
};

// The DEFAULT profile of ~/.oci/config: fields that the YAML does not give.
Status FillFromFile(io::FileSystem& files, OciKey* key, std::string* region) {
  const char* path = std::getenv("OCI_CONFIG_FILE");
  const char* home = std::getenv("HOME");
  std::string file = path != nullptr ? path : std::string(home != nullptr ? home : "") + "/.oci/config";
  GN_ASSIGN(std::string text, files.ReadFile(file, 1 << 20));
  std::map<std::string, std::string> fields;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    std::erase_if(line, [](char c) { return c == '\r' || c == ' ' || c == '\t'; });
    if (line.starts_with('[')) inside = line == "[DEFAULT]";
    if (size_t equals = line.find('='); inside && equals != std::string::npos) {
      fields[line.substr(0, equals)] = line.substr(equals + 1);
    }
  }
  key->tenancy = fields["tenancy"];
  key->user = fields["user"];
  key->fingerprint = fields["fingerprint"];
  key->passphrase = fields["pass_phrase"];
  if (region->empty()) *region = fields["region"];
  std::string pem = fields["key_file"];
  if (pem.starts_with("~/") && home != nullptr) pem = home + pem.substr(1);
  GN_ASSIGN(key->private_key, files.ReadFile(pem, 1 << 20));
  return Status();
}

Status Validate(const OciKey& key, const std::string& region) {
  std::string text;
  auto need = [&](const std::string& value, const char* name) {
    if (value.empty()) text.append(text.empty() ? "" : ", ").append("no OCI ").append(name).append(" specified");
  };
  need(key.tenancy, "tenancy ocid");
  need(key.user, "user ocid");
  need(region, "region");
  need(key.fingerprint, "fingerprint");
  need(key.private_key, "privatekey");
  return text.empty() ? Status() : Status(Code::kInvalid, std::move(text));
}

}  // namespace

std::string OciStringToSign(const Request& request, std::string* names) {
  std::string lower = net::LowerAscii(request.method);
  std::string text = "date: " + std::string(request.headers.Get("Date")) + "\n(request-target): " + lower + " " +
                     request.Target() + "\nhost: " + request.host;
  *names = "date (request-target) host";
  if (request.headers.Has("x-content-sha256")) {
    text += "\ncontent-length: " + std::to_string(request.body.size()) +
            "\ncontent-type: " + std::string(request.headers.Get("Content-Type")) +
            "\nx-content-sha256: " + std::string(request.headers.Get("x-content-sha256"));
    *names += " content-length content-type x-content-sha256";
  }
  return text;
}

std::unique_ptr<Authorizer> MakeOciAuthorizer(OciKey key) {
  return std::make_unique<KeyAuthorizerOfOci>(std::move(key));
}

Request OciBucket::MakeRequest(const char* method, const char* kind, const std::string& name) const {
  Request request;
  request.method = method;
  request.escaped_path = "/n/" + net::PercentEncode(namespace_) + "/b/" + net::PercentEncode(this->name()) + "/" +
                         kind + (name.empty() ? "" : "/" + net::PercentEncode(name));
  return request;
}

Status OciBucket::FindNamespace(const Cancel& cancel) {
  Request request;
  request.escaped_path = "/n";
  GN_ASSIGN(net::HttpAnswer answer, client().Call(request, cancel));
  GN_ASSIGN(json::Document document, json::Document::Parse(answer.body));
  namespace_ = document.root().String().value_or("");
  return namespace_.empty() ? Status(Code::kCorrupt, "no name space in the answer") : Status();
}

Status OciBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                       const OnEntry& on_entry) {
  GN_TRY(cancel.status());
  const std::string prefix = DirectoryPrefix(dir);
  std::string start = options.after;
  do {
    Request request = MakeRequest("GET", "o", "");
    request.query = {{"limit", "1000"}, {"fields", "name,size,timeModified"}};
    if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
    if (!options.recursive) request.query.emplace_back("delimiter", "/");
    if (!start.empty()) request.query.emplace_back("start", start);
    if (!options.until.empty()) request.query.emplace_back("end", options.End());
    Result<net::HttpAnswer> answer = client().Call(request, cancel);
    if (!answer.ok()) return answer.status().Wrap("list " + prefix);
    Result<json::Document> page = json::Document::Parse(answer->body);
    if (!page.ok()) return page.status().Wrap("list " + prefix);
    json::Value objects = page->root().Get("objects"), prefixes = page->root().Get("prefixes");
    std::vector<ObjectEntry> entries;
    for (size_t i = 0; i < objects.size(); ++i) {
      Result<int64_t> modified = ParseRfc3339(objects[i].Get("timeModified").String().value_or(""));
      entries.push_back({objects[i].Get("name").String().value_or(""), objects[i].Get("size").Uint().value_or(0),
                         modified.ok() ? *modified : 0});
    }
    for (size_t i = 0; i < prefixes.size(); ++i) entries.push_back({prefixes[i].String().value_or(""), 0, 0});
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const ObjectEntry& entry : entries) {
      if (entry.name != prefix && !entry.name.empty() && options.Includes(entry.name)) GN_TRY(on_entry(entry));
    }
    std::string next(page->root().Get("nextStartWith").String().value_or(""));
    if (!next.empty() && next == start) return {Code::kCorrupt, "list " + prefix + ": the same page again"};
    start = std::move(next);
  } while (!start.empty());
  return Status();
}

Status OciBucket::PutParts(const std::string& name, PartCutter& cutter, const UploadOptions& options,
                           const Cancel& cancel) {
  Request begin = MakeRequest("POST", "u", "");
  json::Writer(&begin.body).BeginObject().StringMember("object", name).EndObject();
  if (options.if_absent) begin.headers.Set("If-None-Match", "*");
  GN_ASSIGN(net::HttpAnswer begun, client().Call(begin, cancel));
  GN_ASSIGN(json::Document document, json::Document::Parse(begun.body));
  const std::string id(document.root().Get("uploadId").String().value_or(""));
  if (id.empty()) return {Code::kCorrupt, "begin an upload in parts: no uploadId"};
  Mutex mutex;
  std::map<int, std::string> etags;
  Status status = SendParts(cutter, executor_, kParallelParts, cancel, [&](const UploadPart& part, const Cancel& one) {
    Request request = MakeRequest("PUT", "u", name);
    request.query = {{"uploadId", id}, {"uploadPartNum", std::to_string(part.number)}};
    request.headers.Set("Content-Type", "application/octet-stream");
    Result<net::HttpAnswer> answer = SendPart(std::move(request), part, one);
    GN_TRY(answer.status().Wrap("part " + std::to_string(part.number)));
    MutexLock lock(mutex);
    etags[part.number] = answer->headers.Get("ETag");
    return Status();
  });
  if (status.ok()) {
    Request commit = MakeRequest("POST", "u", name);
    commit.query = {{"uploadId", id}};
    if (options.if_absent) commit.headers.Set("If-None-Match", "*");
    json::Writer w(&commit.body);
    w.BeginObject().Key("partsToCommit").BeginArray();
    for (const auto& [number, etag] : etags) {
      w.BeginObject().IntMember("partNum", number).StringMember("etag", etag).EndObject();
    }
    w.EndArray().EndObject();
    status = client().Call(commit, cancel).status();
  }
  if (!status.ok()) {
    CancelSource limited(Cancel(), kAbortTimeout);
    Request abort = MakeRequest("DELETE", "u", name);
    abort.query = {{"uploadId", id}};
    (void)client().Call(abort, limited.cancel());  // best effort; what matters is the first error
  }
  return status;
}

Status OciBucket::Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) {
  CutOptions cut;
  uint64_t bytes = source.file() != nullptr ? source.file()->size() : 0;
  cut.file_part_bytes = std::max(part_bytes_, bytes / kPartsMax + 1);
  cut.stream_part_bytes = kStreamPartBytes;
  auto whole = [&](const UploadPart& part) {
    Request request = ObjectRequest("PUT", name);
    if (options.if_absent) request.headers.Set("If-None-Match", "*");
    return SendWhole(std::move(request), part, options, cancel);
  };
  return UploadCut(name, source, cut, cancel, whole,
                   [&](PartCutter& cutter) { return PutParts(name, cutter, options, cancel); });
}

Result<std::unique_ptr<Bucket>> MakeOciBucket(const config::Node& node, const Environment& environment,
                                              const std::string& endpoint) {
  std::string provider, bucket, region;
  OciKey key;
  config::Secret private_key, passphrase;
  uint64_t part_size = 0;
  int max_retries = 0, retry_interval = 0;
  HttpConfig http_config;
  std::chrono::nanoseconds client_timeout = std::chrono::seconds(90);
  GN_TRY(config::DecodeNode(node, "oci.Config", [&](config::Decoder& d) {
    d.Field("provider", &provider);
    d.Field("bucket", &bucket);
    d.Ignore("compartment_ocid");
    d.Field("tenancy_ocid", &key.tenancy);
    d.Field("user_ocid", &key.user);
    d.Field("region", &region);
    d.Field("fingerprint", &key.fingerprint);
    d.Field("privatekey", &private_key);
    d.Field("passphrase", &passphrase);
    d.Field("part_size", &part_size);
    d.Field("max_request_retries", &max_retries);
    d.Field("request_retry_interval", &retry_interval);
    d.Object("http_config", "oci.HTTPConfig", [&](config::Decoder& h) {
      config::PromDurationField(h, "idle_conn_timeout", &http_config.idle_conn_timeout);
      config::PromDurationField(h, "response_header_timeout", &http_config.response_header_timeout);
      h.Field("insecure_skip_verify", &http_config.insecure_skip_verify);
      config::PromDurationField(h, "tls_handshake_timeout", &http_config.tls_handshake_timeout);
      config::PromDurationField(h, "expect_continue_timeout", &http_config.expect_continue_timeout);
      h.Field("max_idle_conns", &http_config.max_idle_conns);
      h.Field("max_idle_conns_per_host", &http_config.max_idle_conns_per_host);
      h.Field("max_conns_per_host", &http_config.max_conns_per_host);
      h.Field("disable_compression", &http_config.disable_compression);
      config::GoDurationField(h, "client_timeout", &client_timeout);
      h.IgnoreOthers();
    });
    d.IgnoreOthers();  // as Thanos does
  }));
  if (bucket.empty()) return Status(Code::kInvalid, "no OCI bucket specified");
  key.private_key = private_key.value();
  key.passphrase = passphrase.value();
  if (provider.empty() || provider == "default") {
    GN_TRY(FillFromFile(environment.files, &key, &region).Wrap("unable to create OCI config from its file"));
  } else if (provider != "raw") {
    return Status(Code::kUnsupported, "OCI provider \"" + provider + "\": raw and default are there");
  }
  GN_TRY(Validate(key, region));
  RestOptions options;
  options.error = OciError;
  options.retry.attempts_max = std::max(max_retries, 1);
  if (retry_interval > 0) {
    options.retry.first_wait = options.retry.wait_max = std::chrono::seconds(retry_interval);
  }
  options.address = [host = endpoint.empty() ? "objectstorage." + region + ".oraclecloud.com" : endpoint,
                     tls = endpoint.empty()](Request* request, const std::string&) {
    request->tls = tls;
    request->host = host;
  };
  net::HttpClientOptions client_options =
      ToClientOptions(http_config, "thanos-" + environment.component + "/" + environment.version + " (gauntlet)");
  // The original ends each call after client_timeout; here it is a time without a byte, so that large parts can pass.
  if (client_timeout.count() > 0) {
    client_options.stall_timeout = std::chrono::ceil<std::chrono::milliseconds>(client_timeout);
  }
  GN_ASSIGN(std::unique_ptr<net::HttpClient> http, net::HttpClient::Make(client_options));
  auto oci = std::make_unique<OciBucket>(bucket, part_size > 0 ? part_size : kPartBytes,
                                         std::make_unique<RestClient>(std::move(options), std::move(http),
                                                                      MakeOciAuthorizer(std::move(key)), SystemClock()),
                                         environment.executor);
  CancelSource limited(Cancel(), kStartTimeout);
  GN_TRY(oci->FindNamespace(limited.cancel()).Wrap("find the name space"));
  return std::unique_ptr<Bucket>(std::move(oci));
}

}  // namespace gauntlet::objstore
