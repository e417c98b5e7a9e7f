// MeteredBucket: counts and times the calls to another bucket: thanos_objstore_bucket_*.
//
// An object that is not there, and a call that was cancelled, are no failures: both are answers.
// Upstream: objstore objstore.go, metricBucket
// Threads:  as the bucket below.

#pragma once

#include <memory>

#include "objstore/bucket.h"
#include "telemetry/metrics.h"

namespace gauntlet::objstore {

class MeteredBucket final : public Bucket {
 public:
  // `registry` outlives this.
  MeteredBucket(std::unique_ptr<Bucket> inner, telemetry::Registry& registry);
  ~MeteredBucket() override;

  std::string_view provider() const override { return inner_->provider(); }
  std::string name() const override { return inner_->name(); }
  bool lists_ranges() const override { return inner_->lists_ranges(); }
  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) override;
  Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const OnBytes& on_bytes) override;
  Result<size_t> ReadInto(const std::string& name, uint64_t offset, size_t length, char* out,
                          const Cancel& cancel) override;
  Result<bool> Exists(const std::string& name, const Cancel& cancel) override;
  Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override;
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;
  Status Delete(const std::string& name, const Cancel& cancel) override;

 private:
  struct Operation;
  struct Instruments;
  class Call;

  const std::unique_ptr<Bucket> inner_;
  const std::unique_ptr<Instruments> instruments_;
};

}  // namespace gauntlet::objstore
