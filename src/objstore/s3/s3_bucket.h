// S3Bucket: a bucket of AWS S3 or of a server that speaks its protocol.
//
// Upstream: objstore providers/s3 and the minio-go client below it
// Threads:  thread-safe.

#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "objstore/bucket.h"
#include "objstore/rest/rest_bucket.h"

namespace gauntlet::objstore {

struct S3BucketOptions {
  std::string provider = "S3";
  std::string name;              // of the bucket, in metrics
  net::HttpHeaders put_headers;  // metadata, storage class, encryption: of whole uploads and beginnings of parts
  net::HttpHeaders key_headers;  // SSE-C: of every request to an object
  bool list_v1 = false;
  bool content_md5 = true;
  bool multipart = true;
  uint64_t part_bytes = 64 << 20;        // of objects whose size is known
  uint64_t stream_part_bytes = 8 << 20;  // of others, held in memory; doubles every 1,000 parts
  size_t parallel_parts = 4;
  bool conditional_writes = true;  // If-None-Match
};

class S3Bucket final : public RestBucket {
 public:
  S3Bucket(S3BucketOptions options, std::unique_ptr<RestClient> client, Executor& executor);
  ~S3Bucket() override;

  bool lists_ranges() const override { return true; }
  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;

 private:
  // With the headers of a customer's key where there is something to read.
  Request ObjectRequest(const char* method, const std::string& name) const override;

  const S3BucketOptions options_;
  Executor& executor_;
};

}  // namespace gauntlet::objstore
