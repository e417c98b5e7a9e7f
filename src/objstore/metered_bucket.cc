#include "objstore/metered_bucket.h"

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"

namespace gauntlet::objstore {
namespace {

std::vector<double> TransferBounds() {
  std::vector<double> bounds;
  for (double bytes = 2 << 14; bounds.size() < 16; bytes *= 2) bounds.push_back(bytes);
  return bounds;
}

}  // namespace

struct MeteredBucket::Operation {
  telemetry::Counter* total;
  telemetry::Counter* failures;
  telemetry::Histogram* seconds;
  telemetry::Counter* fetched = nullptr;        // get, get_range, upload
  telemetry::Histogram* transferred = nullptr;  // the same
};

struct MeteredBucket::Instruments {
  Operation iter, get, get_range, exists, upload, remove, attributes;
  telemetry::Gauge* last_upload;
};

MeteredBucket::MeteredBucket(std::unique_ptr<Bucket> inner, telemetry::Registry& registry)
    : inner_(std::move(inner)), instruments_(std::make_unique<Instruments>()) {
  const std::string bucket = inner_->name();
  const std::vector<std::string> labels = {"bucket", "operation"};
  auto total = registry.MakeCounters("thanos_objstore_bucket_operations_total",
                                     "Total number of all attempted operations against a bucket.", labels);
  auto failures = registry.MakeCounters(
      "thanos_objstore_bucket_operation_failures_total",
      "Total number of operations against a bucket that failed, but were not expected to fail in certain way from "
      "caller perspective. Those errors have to be investigated.",
      labels);
  auto seconds = registry.MakeHistograms(
      "thanos_objstore_bucket_operation_duration_seconds",
      "Duration of successful operations against the bucket per operation - iter operations include time spent on "
      "each callback.",
      labels, {0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120});
  auto fetched = registry.MakeCounters("thanos_objstore_bucket_operation_fetched_bytes_total",
                                       "Total number of bytes fetched from bucket, per operation.", labels);
  auto transferred =
      registry.MakeHistograms("thanos_objstore_bucket_operation_transferred_bytes",
                              "Number of bytes transferred from/to bucket per operation.", labels, TransferBounds());
  instruments_->last_upload =
      &registry
           .MakeGauges("thanos_objstore_bucket_last_successful_upload_time",
                       "Second timestamp of the last successful upload to the bucket.", {"bucket"})
           .With({bucket});
  auto make = [&](std::string_view name, bool moves_bytes) {
    Operation operation{&total.With({bucket, name}), &failures.With({bucket, name}), &seconds.With({bucket, name})};
    if (moves_bytes) {
      operation.fetched = &fetched.With({bucket, name});
      operation.transferred = &transferred.With({bucket, name});
    }
    return operation;
  };
  instruments_->iter = make("iter", false);
  instruments_->get = make("get", true);
  instruments_->get_range = make("get_range", true);
  instruments_->exists = make("exists", false);
  instruments_->upload = make("upload", true);
  instruments_->remove = make("delete", false);
  instruments_->attributes = make("attributes", false);
}

MeteredBucket::~MeteredBucket() = default;

// One call: counted when it begins, timed and judged when it ends.
class MeteredBucket::Call {
 public:
  explicit Call(const Operation& operation) : operation_(operation), begun_(SystemClock().Now()) {
    operation_.total->Add();
  }
  // The callback's error is not the bucket's.
  OnBytes Counting(const OnBytes& on_bytes) {
    return [this, &on_bytes](std::string_view bytes) {
      bytes_ += bytes.size();
      Status status = on_bytes(bytes);
      callers_error_ = !status.ok();
      return status;
    };
  }
  void Failed(const Status& status) {
    bool expected = status.code() == Code::kNotFound || status.code() == Code::kCancelled ||
                    status.code() == Code::kExists || callers_error_;
    if (!expected) operation_.failures->Add();
  }
  Status End(Status status) {
    if (!status.ok()) {
      Failed(status);
      return status;
    }
    operation_.seconds->Observe(std::chrono::duration<double>(SystemClock().Now() - begun_).count());
    if (operation_.transferred != nullptr) operation_.transferred->Observe(static_cast<double>(bytes_));
    return status;
  }
  void CountFetched() { operation_.fetched->Add(static_cast<double>(bytes_)); }
  void AddBytes(uint64_t n) { bytes_ += n; }
  void SetBytes(uint64_t n) { bytes_ = n; }
  bool* callers_error() { return &callers_error_; }

 private:
  const Operation& operation_;
  const std::chrono::steady_clock::time_point begun_;
  uint64_t bytes_ = 0;
  bool callers_error_ = false;
};

Status MeteredBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                           const OnEntry& on_entry) {
  Call call(instruments_->iter);
  return call.End(inner_->Iter(dir, options, cancel, [&](const ObjectEntry& entry) {
    Status status = on_entry(entry);
    *call.callers_error() = !status.ok();
    return status;
  }));
}

Status MeteredBucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  Call call(instruments_->get);
  Status status = call.End(inner_->Get(name, cancel, call.Counting(on_bytes)));
  call.CountFetched();
  return status;
}

Status MeteredBucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                               const OnBytes& on_bytes) {
  Call call(instruments_->get_range);
  Status status = call.End(inner_->GetRange(name, offset, length, cancel, call.Counting(on_bytes)));
  call.CountFetched();
  return status;
}

Result<size_t> MeteredBucket::ReadInto(const std::string& name, uint64_t offset, size_t length, char* out,
                                       const Cancel& cancel) {
  Call call(instruments_->get_range);
  Result<size_t> result = inner_->ReadInto(name, offset, length, out, cancel);
  if (result.ok()) call.SetBytes(*result);
  GN_TRY(call.End(result.status()));
  call.CountFetched();
  return result;
}

Result<bool> MeteredBucket::Exists(const std::string& name, const Cancel& cancel) {
  Call call(instruments_->exists);
  Result<bool> result = inner_->Exists(name, cancel);
  GN_TRY(call.End(result.status()));
  return result;
}

Result<ObjectAttributes> MeteredBucket::Attributes(const std::string& name, const Cancel& cancel) {
  Call call(instruments_->attributes);
  Result<ObjectAttributes> result = inner_->Attributes(name, cancel);
  GN_TRY(call.End(result.status()));
  return result;
}

Status MeteredBucket::Upload(const std::string& name, Source& source, const UploadOptions& options,
                             const Cancel& cancel) {
  class CountingSource final : public Source {
   public:
    CountingSource(Source& inner, Call& call) : inner_(inner), call_(call) {}
    Result<size_t> Read(char* out, size_t n) override {
      Result<size_t> got = inner_.Read(out, n);
      if (got.ok()) call_.AddBytes(*got);
      return got;
    }
    Result<std::string_view> Next(char* buffer, size_t n) override {
      Result<std::string_view> got = inner_.Next(buffer, n);
      if (got.ok()) call_.AddBytes(got->size());
      return got;
    }
    std::optional<uint64_t> bytes() const override { return inner_.bytes(); }
    const io::RandomFile* file() const override { return inner_.file(); }

   private:
    Source& inner_;
    Call& call_;
  };
  Call call(instruments_->upload);
  CountingSource counting(source, call);
  Status status = inner_->Upload(name, counting, options, cancel);
  // What is read by offset does not pass Read.
  if (status.ok() && source.bytes().has_value()) call.SetBytes(*source.bytes());
  status = call.End(std::move(status));
  if (status.ok()) instruments_->last_upload->Set(static_cast<double>(SystemClock().NowMs()) / 1000);
  return status;
}

Status MeteredBucket::Delete(const std::string& name, const Cancel& cancel) {
  Call call(instruments_->remove);
  return call.End(inner_->Delete(name, cancel));
}

}  // namespace gauntlet::objstore
