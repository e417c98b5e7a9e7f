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
    : RestBucket(options.provider, options.name, std::move(client)),
      options_(std::move(options)),
      executor_(executor) {}

S3Bucket::~S3Bucket() = default;

Request S3Bucket::ObjectRequest(const char* method, const std::string& name) const {
  Request request;
  request.method = method;
  request.path = name;
  if (request.method != "DELETE") AddAll(options_.key_headers, &request.headers);
  return request;
}

Status S3Bucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                      const OnEntry& on_entry) {
  GN_TRY(cancel.status());
  S3Lister lister(client(), DirectoryPrefix(dir), options, options_.list_v1);
  while (!lister.done()) {
    GN_ASSIGN(std::vector<S3ListEntry> page, lister.NextPage(cancel));
    for (const S3ListEntry& entry : page) GN_TRY(on_entry({entry.name, entry.bytes, entry.modified_ms}));
  }
  return Status();
}

Status S3Bucket::Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckObjectName(name));
  if (options.if_absent && !options_.conditional_writes) {
    return {Code::kUnsupported, "the store has no conditional writes"};
  }
  return S3Upload(client(), options_, executor_, name, options, cancel).Run(source).Wrap("upload " + name);
}

}  // namespace gauntlet::objstore
