// S3Upload: one object's bytes as one PUT, or as parts sent side by side.
//
// Threads: one thread at a time; it sends parts on its executor.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "objstore/rest/part_cutter.h"
#include "objstore/s3/s3_bucket.h"

namespace gauntlet::objstore {

class S3Upload {
 public:
  // All are borrowed.
  S3Upload(RestClient& client, const S3BucketOptions& bucket, Executor& executor, const std::string& name,
           const UploadOptions& options, const Cancel& cancel)
      : client_(client), bucket_(bucket), executor_(executor), name_(name), options_(options), cancel_(cancel) {}

  Status Run(Source& source);

 private:
  Status PutWhole(const io::RandomFile& file, uint64_t bytes);
  Status PutParts(PartCutter& cutter);
  Result<std::string> Begin();
  Status SendPart(const UploadPart& part, const Cancel& cancel);
  Status Complete();
  void Abort();
  Request ObjectRequest(const char* method) const;
  Status AddMd5(const io::RandomFile& file, uint64_t offset, uint64_t bytes, Request* request) const;

  RestClient& client_;
  const S3BucketOptions& bucket_;
  Executor& executor_;
  const std::string& name_;
  const UploadOptions& options_;
  const Cancel& cancel_;
  std::string upload_id_;
  Mutex mutex_;
  uint64_t bytes_ GN_GUARDED_BY(mutex_) = 0;              // in parts that were sent
  std::vector<std::string> etags_ GN_GUARDED_BY(mutex_);  // by number of the part, from 1
};

// How large the parts of an object are: `wanted`, or more so that there are at most 10,000 of them.
uint64_t PartBytes(uint64_t object_bytes, uint64_t wanted);

}  // namespace gauntlet::objstore
