#include "objstore/s3/s3_bucket.h"

#include "objstore/s3/s3_list.h"
#include "objstore/s3/s3_upload.h"

namespace gauntlet::objstore {
namespace {

void AddAll(const net::HttpHeaders& more, net::HttpHeaders* headers) {
  for (const auto& [name, value] : more.all()) headers->Add(name, value);
}

}  // namespace

S3Bucket::S3Bucket(S3BucketOptions options, std::unique_ptr<RestClient> client, Executor& executor)
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

Request S3Bucket::KeyedRequest(const char* method, const std::string& name) const {
  Request request = ObjectRequest(method, name);
  AddAll(options_.key_headers, &request.headers);
  return request;
}

Status S3Bucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  return client_->Download(KeyedRequest("GET", name), name, 0, UINT64_MAX, cancel, on_bytes);
}

Status S3Bucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                          const OnBytes& on_bytes) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  // No bytes: a range cannot say that; whether the object is there still counts.
  if (length == 0) return Attributes(name, cancel).status();
  return client_->Download(KeyedRequest("GET", name), name, offset, length, cancel, on_bytes);
}

Result<ObjectAttributes> S3Bucket::Attributes(const std::string& name, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  return client_->Head(KeyedRequest("HEAD", name), name, cancel);
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
