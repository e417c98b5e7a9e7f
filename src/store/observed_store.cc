#include "store/observed_store.h"

#include <chrono>
#include <string>
#include <utility>

namespace gauntlet::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

class ObservedStream : public storeapi::SeriesStream {
 public:
  ObservedStream(server::Gate::Pass pass, std::unique_ptr<CallAdmission::Place> place, BucketStore::SeriesCall call,
                 std::string tenant, StoreMetrics& metrics)
      : pass_(std::move(pass)),
        place_(std::move(place)),
        call_(std::move(call)),
        tenant_(std::move(tenant)),
        metrics_(metrics) {
    metrics_.blocks_queried.With({tenant_}).Observe(static_cast<double>(call_.blocks));
  }

  ~ObservedStream() override {
    double whole = Seconds();
    metrics_.get_all_seconds.Observe(first_ < 0 ? whole : first_);
    metrics_.merge_seconds.Observe(first_ < 0 ? 0 : whole - first_);
    metrics_.result_series.With({tenant_}).Observe(static_cast<double>(series_));
    if (call_.request == nullptr) return;
    auto tell = [&](const char* type, const DataCounts& counts) {
      auto number = [](const std::atomic<uint64_t>& n) { return static_cast<double>(n.load()); };
      metrics_.data_touched.With({type, tenant_}).Observe(number(counts.touched));
      metrics_.data_fetched.With({type, tenant_}).Observe(number(counts.fetched));
      metrics_.data_bytes_touched.With({type, tenant_}).Observe(number(counts.touched_bytes));
      metrics_.data_bytes_fetched.With({type, tenant_}).Observe(number(counts.fetched_bytes));
    };
    tell("postings", call_.request->postings);
    tell("series", call_.request->entries);
    tell("chunks", call_.request->chunks);
  }

  Result<storeapi::SeriesBatchPtr> Next() override {
    Result<storeapi::SeriesBatchPtr> batch = call_.stream->Next();
    if (first_ < 0) first_ = Seconds();
    if (!batch.ok() && batch.status().code() == Code::kExhausted) metrics_.dropped.With({"limit", tenant_}).Add();
    if (!batch.ok() || *batch == nullptr) return batch;
    series_ += (*batch)->size();
    for (size_t i = 0; i < (*batch)->size(); ++i) {
      size_t bytes = 0;
      for (const wire::ChunkView& chunk : (*batch)->chunks(i)) bytes += chunk.data.size();
      metrics_.sent_chunk_bytes.Observe(static_cast<double>(bytes));
    }
    return batch;
  }

  std::vector<std::string> TakeWarnings() override { return call_.stream->TakeWarnings(); }

 private:
  double Seconds() const { return std::chrono::duration<double>(SteadyClock::now() - begun_).count(); }

  const SteadyClock::time_point begun_ = SteadyClock::now();
  server::Gate::Pass pass_;
  const std::unique_ptr<CallAdmission::Place> place_;
  BucketStore::SeriesCall call_;
  const std::string tenant_;
  StoreMetrics& metrics_;
  double first_ = -1;
  uint64_t series_ = 0;
};

}  // namespace

std::unique_ptr<storeapi::SeriesStream> ObservedStore::Series(const storeapi::SeriesRequest& request,
                                                              const storeapi::CallContext& context) {
  Result<server::Gate::Pass> pass = gate_.Enter(context.cancel);
  if (!pass.ok()) return storeapi::FailedStream(pass.status());
  Result<std::unique_ptr<CallAdmission::Place>> place = admission_.Enter(context.cancel);
  if (!place.ok()) return storeapi::FailedStream(place.status());
  auto call = store_.Start(request, context, (*place)->memory());
  return std::make_unique<ObservedStream>(*std::move(pass), *std::move(place), std::move(call), context.tenant,
                                          metrics_);
}

}  // namespace gauntlet::store
