#include "objstore/azure/azure_bucket.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <vector>

#include "base/clock.h"
#include "objstore/azure/azure_auth.h"
#include "objstore/azure/azure_config.h"
#include "objstore/http_date.h"
#include "objstore/sign.h"
#include "objstore/xml.h"

namespace gauntlet::objstore {
namespace {

constexpr std::chrono::milliseconds kCreateTimeout{60'000};
constexpr size_t kParallelBlocks = 4;

// The body of an error, or, of answers without one, a header says what it is.
Status AzureError(const net::HttpAnswer& answer) {
  if (answer.status / 100 == 2) return Status();
  std::string code(answer.headers.Get("x-ms-error-code"));
  if (code.empty()) code = XmlErrorCode(answer);
  std::string text = "status " + std::to_string(answer.status) + (code.empty() ? "" : " " + code);
  if (code == "ContainerNotFound") return {Code::kInvalid, text};
  if (code == "BlobAlreadyExists") return {Code::kExists, text};
  if (code == "ServerBusy" || code == "OperationTimedOut" || code == "InternalError") return {Code::kUnavailable, text};
  return {CodeOfStatus(answer.status), text};
}

std::string BlockId(int number) {
  char text[16];
  snprintf(text, sizeof text, "%010d", number);
  return Base64(text);
}

struct Page {
  struct Entry {
    std::string name;
    uint64_t bytes = 0;
    int64_t modified_ms = 0;
  };
  std::vector<Entry> entries;
  std::string next;
};

Result<Page> ParsePage(std::string_view xml) {
  GN_ASSIGN(XmlNode root, ParseXml(xml));
  const XmlNode* blobs = root.Child("Blobs");
  if (root.name != "EnumerationResults" || blobs == nullptr) return Status(Code::kCorrupt, "no listing of blobs");
  Page page;
  for (const XmlNode& node : blobs->children) {
    Page::Entry entry;
    entry.name = node.Text("Name");
    if (node.name == "Blob") {
      const XmlNode* properties = node.Child("Properties");
      if (properties == nullptr) return Status(Code::kCorrupt, "a blob without properties");
      std::string_view size = properties->Text("Content-Length");
      std::from_chars(size.data(), size.data() + size.size(), entry.bytes);
      entry.modified_ms = ParseHttpDate(properties->Text("Last-Modified")).value_or(0);
    }
    page.entries.push_back(std::move(entry));
  }
  std::sort(page.entries.begin(), page.entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  page.next = root.Text("NextMarker");
  return page;
}

}  // namespace

Request AzureBucket::ObjectRequest(const char* method, const std::string& name) const {
  Request request;
  request.method = method;
  request.path = name;
  return request;
}

Status AzureBucket::CreateContainer(const Cancel& cancel) {
  Request get = ObjectRequest("GET", "");
  get.query = {{"restype", "container"}};
  Status status = client().Call(get, cancel).status();
  if (status.ok() || (status.code() != Code::kInvalid && status.code() != Code::kNotFound)) return status;
  Request put = get;
  put.method = "PUT";
  status = client().Call(put, cancel).status();
  return status.code() == Code::kExists ? Status() : std::move(status).Wrap("create container " + name());
}

Status AzureBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                         const OnEntry& on_entry) {
  GN_TRY(cancel.status());
  const std::string prefix = DirectoryPrefix(dir);
  std::string marker;
  do {
    Request request = ObjectRequest("GET", "");
    request.query = {{"restype", "container"}, {"comp", "list"}, {"maxresults", "5000"}};
    if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
    if (!options.recursive) request.query.emplace_back("delimiter", "/");
    if (!marker.empty()) request.query.emplace_back("marker", marker);
    Result<net::HttpAnswer> answer = client().Call(request, cancel);
    if (!answer.ok()) return answer.status().Wrap("list " + prefix);
    Result<Page> page = ParsePage(answer->body);
    if (!page.ok()) return page.status().Wrap("list " + prefix);
    for (const Page::Entry& entry : page->entries) {
      if (entry.name != prefix) GN_TRY(on_entry({entry.name, entry.bytes, entry.modified_ms}));
    }
    if (!page->next.empty() && page->next == marker)
      return {Code::kCorrupt, "list " + prefix + ": the same page again"};
    marker = page->next;
  } while (!marker.empty());
  return Status();
}

Status AzureBucket::PutBlocks(const std::string& name, PartCutter& cutter, const UploadOptions& options,
                              const Cancel& cancel) {
  Mutex mutex;
  int blocks = 0;
  // Blocks that no list names are dropped by the store after a week: nothing to abort.
  GN_TRY(SendParts(cutter, executor_, kParallelBlocks, cancel, [&](const UploadPart& part, const Cancel& one) {
    Request request = ObjectRequest("PUT", name);
    request.query = {{"comp", "block"}, {"blockid", BlockId(part.number)}};
    request.headers.Set("Content-Type", "application/octet-stream");
    GN_TRY(SendPart(std::move(request), part, one).status());
    MutexLock lock(mutex);
    blocks = std::max(blocks, part.number);
    return Status();
  }));
  Request list = ObjectRequest("PUT", name);
  list.query = {{"comp", "blocklist"}};
  list.headers.Set("Content-Type", "application/xml");
  if (options.if_absent) list.headers.Set("If-None-Match", "*");
  list.body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (int i = 1; i <= blocks; ++i) list.body += "<Latest>" + BlockId(i) + "</Latest>";
  list.body += "</BlockList>";
  return client().Call(list, cancel).status();
}

Status AzureBucket::Upload(const std::string& name, Source& source, const UploadOptions& options,
                           const Cancel& cancel) {
  CutOptions cut;
  if (source.file() != nullptr) {  // at most 50,000 blocks
    cut.file_part_bytes = std::max<uint64_t>(cut.file_part_bytes, source.file()->size() / 40'000);
  }
  auto whole = [&](const UploadPart& part) {
    Request request = ObjectRequest("PUT", name);
    request.headers.Set("x-ms-blob-type", "BlockBlob");
    if (options.if_absent) request.headers.Set("If-None-Match", "*");
    return SendWhole(std::move(request), part, options, cancel);
  };
  return UploadCut(name, source, cut, cancel, whole,
                   [&](PartCutter& cutter) { return PutBlocks(name, cutter, options, cancel); });
}

Result<std::unique_ptr<Bucket>> MakeAzureBucket(const AzureConfig& config, const Environment& environment) {
  GN_ASSIGN(AzureAccount account, ResolveAzureAccount(config));
  GN_ASSIGN(std::unique_ptr<Authorizer> authorizer,
            MakeAzureAuthorizer(config, account, environment.files, SystemClock()));
  net::FormValues signature;
  GN_TRY(signature.Parse(account.query));
  RestOptions options;
  options.error = AzureError;
  if (config.max_tries > 0) options.retry.attempts_max = config.max_tries;
  if (config.retry_delay.count() > 0) options.retry.first_wait = config.retry_delay;
  if (config.max_retry_delay.count() > 0) options.retry.wait_max = config.max_retry_delay;
  options.address = [account, container = config.container, pairs = signature.pairs()](Request* request,
                                                                                       const std::string&) {
    request->tls = account.tls;
    request->host = account.host;
    request->path = account.path_prefix + "/" + container + (request->path.empty() ? "" : "/" + request->path);
    for (const auto& pair : pairs) request->query.push_back(pair);
  };
  net::HttpClientOptions client_options =
      ToClientOptions(config.http, "thanos-" + environment.component + "/" + environment.version + " (gauntlet)");
  if (config.try_timeout.count() > 0) client_options.timeout = config.try_timeout;
  GN_ASSIGN(std::unique_ptr<net::HttpClient> http, net::HttpClient::Make(client_options));
  auto bucket = std::make_unique<AzureBucket>(
      config.container,
      std::make_unique<RestClient>(std::move(options), std::move(http), std::move(authorizer), SystemClock()),
      environment.executor);
  if (config.create_container) {
    CancelSource limited(Cancel(), kCreateTimeout);
    GN_TRY(bucket->CreateContainer(limited.cancel()));
  }
  return std::unique_ptr<Bucket>(std::move(bucket));
}

}  // namespace gauntlet::objstore
