// HedgedBucket: asks again when an answer takes longer than most, and takes whichever comes first.
//
// Reads alone: of ranges, objects, attributes. A second request costs the store little and the caller nothing, and a
// slow one in a hundred then no longer decides how long a query of a hundred reads takes. Of a whole object, which may
// be large, the request counts whose first bytes come first: it is then heard to its end.
//
// Upstream: thanos pkg/exthttp/hedging.go (there, of each HTTP request)
// Threads:  as the bucket below. The destructor waits for requests that lost.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "base/executor.h"
#include "base/mutex.h"
#include "objstore/bucket.h"
#include "telemetry/metrics.h"

namespace gauntlet::objstore {

struct HedgingOptions {
  bool enabled = false;
  int up_to = 3;          // requests for one read, the first included
  double quantile = 0.9;  // of the latencies before: who takes longer is asked again
};

// A quantile of the latencies seen last. Thread-safe.
class LatencyQuantile {
 public:
  explicit LatencyQuantile(double quantile) : quantile_(quantile) {}
  void Add(std::chrono::microseconds latency);
  // Zero until enough were seen.
  std::chrono::microseconds value() const;

 private:
  static constexpr size_t kKept = 512, kEnough = 32, kBetween = 32;
  const double quantile_;
  mutable Mutex mutex_;
  std::vector<int64_t> latest_ GN_GUARDED_BY(mutex_);
  size_t next_ GN_GUARDED_BY(mutex_) = 0, since_ GN_GUARDED_BY(mutex_) = 0;
  int64_t value_ GN_GUARDED_BY(mutex_) = 0;
};

class HedgedBucket final : public Bucket {
 public:
  // `executor` runs requests, which block; `registry` may be null.
  HedgedBucket(HedgingOptions options, std::unique_ptr<Bucket> inner, Executor& executor,
               telemetry::Registry* registry);
  ~HedgedBucket() override;

  std::string_view provider() const override { return inner_->provider(); }
  std::string name() const override { return inner_->name(); }
  bool lists_ranges() const override { return inner_->lists_ranges(); }
  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override {
    return inner_->Iter(dir, options, cancel, on_entry);
  }
  // `on_bytes` is called on a thread of the executor, while this waits.
  Status Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) override;
  Status GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                  const OnBytes& on_bytes) override;
  Result<bool> Exists(const std::string& name, const Cancel& cancel) override;
  Result<ObjectAttributes> Attributes(const std::string& name, const Cancel& cancel) override;
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override {
    return inner_->Upload(name, source, options, cancel);
  }
  Status Delete(const std::string& name, const Cancel& cancel) override { return inner_->Delete(name, cancel); }

 private:
  // What one request brings: bytes or attributes.
  struct Answer {
    Status status;
    std::string bytes;
    ObjectAttributes attributes;
  };
  // True for the first request of its race that asks, which is then the only one that counts.
  using Claim = std::function<bool()>;
  using Request = std::function<Answer(const Cancel& cancel, const Claim& claim)>;
  struct Race;

  // The answer of the request that claimed to be the one; where none does, the first that is no trouble of the way to
  // the bucket, or the last.
  Answer Hedge(const Request& request, LatencyQuantile& latency, const Cancel& cancel);
  void Start(const std::shared_ptr<Race>& race);

  const HedgingOptions options_;
  const std::unique_ptr<Bucket> inner_;
  Executor& executor_;
  telemetry::Counter* hedged_ = nullptr;
  telemetry::Counter* won_ = nullptr;
  LatencyQuantile range_latency_, small_latency_, first_bytes_latency_;
  Mutex mutex_;
  CondVar changed_;
  size_t under_way_ GN_GUARDED_BY(mutex_) = 0;
};

}  // namespace gauntlet::objstore
