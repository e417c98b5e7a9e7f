// CachingBucket: a bucket before which a cache stands: chunks by parts of their files, metas and deletion marks,
// whether these exist, what is in the root.
//
//   subrange:<name>:<begin>:<end>   attrs:<name>   content:<name>   exists:<name>
//   iter:<dir>:<hash>   iter-recursive:<dir>:<hash>
//
// Keys and values are Thanos', so that both may share a cache. Nothing is done with what is uploaded or deleted through
// this: others do that too, and the times that things are kept are short where it matters.
// Upstream: thanos pkg/store/cache/caching_bucket.go
// Threads:  thread-safe.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "cache/cache.h"
#include "objstore/bucket.h"
#include "telemetry/metrics.h"

namespace gauntlet::store {

struct CachingBucketOptions {
  uint64_t subrange_bytes = 16'000;
  int get_range_requests_max = 3;  // to the bucket, for one range; 0 = no limit
  size_t meta_bytes_max = 1 << 20;
  std::chrono::seconds attributes_ttl{86'400}, subrange_ttl{86'400}, iter_ttl{300};
  std::chrono::seconds exists_ttl{7'200}, absent_ttl{900}, content_ttl{86'400};
  std::string config_hash;  // in the keys of listings
};

class CachingBucket final : public objstore::Bucket {
 public:
  // `inner` and `executor` are borrowed.
  CachingBucket(CachingBucketOptions options, objstore::Bucket& inner, std::unique_ptr<cache::Cache> cache,
                Executor& executor, telemetry::Registry& registry);
  ~CachingBucket() override;

  std::string_view provider() const override { return inner_.provider(); }
  std::string name() const override { return "caching: " + inner_.name(); }
  bool lists_ranges() const override { return inner_.lists_ranges(); }
  Status Iter(const std::string& dir, const objstore::IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) override;
  Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const OnBytes& on_bytes) override;
  Result<bool> Exists(const std::string& name, const Cancel& cancel) override;
  Result<objstore::ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override;
  Status Upload(const std::string& name, objstore::Source& source, const objstore::UploadOptions& options,
                const Cancel& cancel) override {
    return inner_.Upload(name, source, options, cancel);
  }
  Status Delete(const std::string& name, const Cancel& cancel) override { return inner_.Delete(name, cancel); }

 private:
  struct Instruments;
  struct Piece;

  cache::CachedBytes Find(const std::string& key, const Cancel& cancel);
  void PutExists(const std::string& name, bool exists);
  Status GetPieces(const std::string& name, std::vector<Piece>* pieces, const Cancel& cancel);

  const CachingBucketOptions options_;
  objstore::Bucket& inner_;
  const std::unique_ptr<cache::Cache> cache_;
  Executor& executor_;
  const std::unique_ptr<Instruments> instruments_;
};

}  // namespace gauntlet::store
