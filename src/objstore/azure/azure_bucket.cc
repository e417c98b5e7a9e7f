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

Request BlobRequest(const char* method, const std::string& name) {
  Request request;
  request.method = method;
  request.path = name;
  return request;
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

Status AzureBucket::CreateContainer(const Cancel& cancel) {
  Request get = BlobRequest("GET", "");
  get.query = {{"restype", "container"}};
  Status status = client_->Call(get, cancel).status();
  if (status.ok() || (status.code() != Code::kInvalid && status.code() != Code::kNotFound)) return status;
  Request put = get;
  put.method = "PUT";
  status = client_->Call(put, cancel).status();
  return status.code() == Code::kExists ? Status() : std::move(status).Wrap("create container " + container_);
}

Status AzureBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                         const OnEntry& on_entry) {
  GN_TRY(cancel.status());
  const std::string prefix = DirectoryPrefix(dir);
  std::string marker;
  do {
    Request request = BlobRequest("GET", "");
    request.query = {{"restype", "container"}, {"comp", "list"}, {"maxresults", "5000"}};
    if (!prefix.empty()) request.query.emplace_back("prefix", prefix);
    if (!options.recursive) request.query.emplace_back("delimiter", "/");
    if (!marker.empty()) request.query.emplace_back("marker", marker);
    Result<net::HttpAnswer> answer = client_->Call(request, cancel);
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

Status AzureBucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  return client_->Download(BlobRequest("GET", name), name, 0, UINT64_MAX, cancel, on_bytes);
}

Status AzureBucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                             const OnBytes& on_bytes) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  if (length == 0) return Attributes(name, cancel).status();
  return client_->Download(BlobRequest("GET", name), name, offset, length, cancel, on_bytes);
}

Result<ObjectAttributes> AzureBucket::Attributes(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  return client_->Head(BlobRequest("HEAD", name), name, cancel);
}

Result<bool> AzureBucket::Exists(const std::string& name, const Cancel& cancel) {
  Result<ObjectAttributes> attributes = Attributes(name, cancel);
  if (attributes.ok()) return true;
  if (attributes.status().code() == Code::kNotFound) return false;
  return attributes.status();
}

Status AzureBucket::PutWhole(const std::string& name, const UploadPart& part, const UploadOptions& options,
                             const Cancel& cancel) {
  const PartFile bytes(part);
  Request request = BlobRequest("PUT", name);
  request.headers.Set("x-ms-blob-type", "BlockBlob");
  request.headers.Set("Content-Type", options.content_type.empty() ? "application/octet-stream" : options.content_type);
  if (options.if_absent) request.headers.Set("If-None-Match", "*");
  request.file = &bytes.file();
  request.file_offset = bytes.offset();
  request.file_bytes = part.bytes;
  return client_->Call(request, cancel).status();
}

Status AzureBucket::PutBlock(const std::string& name, const UploadPart& part, const Cancel& cancel) {
  const PartFile bytes(part);
  Request request = BlobRequest("PUT", name);
  request.query = {{"comp", "block"}, {"blockid", BlockId(part.number)}};
  request.headers.Set("Content-Type", "application/octet-stream");
  request.file = &bytes.file();
  request.file_offset = bytes.offset();
  request.file_bytes = part.bytes;
  return client_->Call(request, cancel).status();
}

Status AzureBucket::Upload(const std::string& name, Source& source, const UploadOptions& options,
                           const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  CutOptions cut;
  if (source.file() != nullptr) {  // at most 50,000 blocks
    cut.file_part_bytes = std::max<uint64_t>(cut.file_part_bytes, source.file()->size() / 40'000);
  }
  PartCutter cutter(source, cut);
  UploadPart first;
  GN_TRY(cutter.Next(&first).status().Wrap("upload " + name));
  if (cutter.over()) return PutWhole(name, first, options, cancel).Wrap("upload " + name);
  cutter.Push(std::move(first));
  Mutex mutex;
  int blocks = 0;
  // Blocks that no list names are dropped by the store after a week: nothing to abort.
  GN_TRY(SendParts(cutter, executor_, kParallelBlocks, cancel, [&](const UploadPart& part, const Cancel& one) {
           GN_TRY(PutBlock(name, part, one));
           MutexLock lock(mutex);
           blocks = std::max(blocks, part.number);
           return Status();
         }).Wrap("upload " + name));
  Request list = BlobRequest("PUT", name);
  list.query = {{"comp", "blocklist"}};
  list.headers.Set("Content-Type", "application/xml");
  if (options.if_absent) list.headers.Set("If-None-Match", "*");
  list.body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>";
  for (int i = 1; i <= blocks; ++i) list.body += "<Latest>" + BlockId(i) + "</Latest>";
  list.body += "</BlockList>";
  return client_->Call(list, cancel).status().Wrap("upload " + name);
}

Status AzureBucket::Delete(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  Status status = client_->Call(BlobRequest("DELETE", name), cancel).status();
  return status.code() == Code::kNotFound ? Status() : std::move(status).Wrap("delete " + name);
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
