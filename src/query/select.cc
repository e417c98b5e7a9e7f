#include "query/select.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "promql/plan/planner.h"
#include "query/replica_series.h"

namespace gauntlet::query {
namespace {

using downsample::Reading;
using wire::Aggregate;

constexpr int64_t kBatchSeries = 64;

// A sum or count of a window means something to a function over windows only, not to one over a subquery's steps or to
// count_values.
Reading ReadingOf(const storage::SelectHints& hints) {
  if (hints.func == promql::kSampleCounts) return Reading::kSampleCounts;
  Reading reading = downsample::ReadingFor(hints.func);
  bool of_window = reading == Reading::kSum || (reading == Reading::kCount && hints.func != "count");
  return of_window && hints.range_ms == 0 ? Reading::kAverage : reading;
}

// Which aggregates of downsampled data a reading needs; of raw data all need the samples.
std::vector<Aggregate> AggregatesFor(Reading reading) {
  switch (reading) {
    case Reading::kMin:
      return {Aggregate::kMin};
    case Reading::kMax:
      return {Aggregate::kMax};
    case Reading::kCount:
    case Reading::kSampleCounts:
      return {Aggregate::kCount};
    case Reading::kSum:
      return {Aggregate::kSum};
    case Reading::kCounter:
      return {Aggregate::kCounter};
    case Reading::kAverage:
      break;
  }
  return {Aggregate::kCount, Aggregate::kSum};
}

// Functions that need two samples in their window get a resolution that puts two there, others one that puts one there.
// (Upstream lets others have windows longer than theirs, which mostly are empty then.)
int64_t MaxResolution(int64_t max_resolution_ms, const storage::SelectHints& hints) {
  if (hints.range_ms == 0) return max_resolution_ms;
  for (std::string_view func : {"rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear",
                                "holt_winters", "double_exponential_smoothing", "xrate", "xincrease", "xdelta"}) {
    if (hints.func == func) return std::min(max_resolution_ms, hints.range_ms / 2);
  }
  return std::min(max_resolution_ms, hints.range_ms);
}

// A select under way, or, when enough others are, one that begins when its first series is wanted: evaluation may need
// any number of selects at once, so none can be made to wait for another.
class SelectSet : public storage::SeriesSet {
 public:
  // `under_way` counts the selects of the query that have begun and not ended.
  SelectSet(std::function<std::unique_ptr<storeapi::MergedStream>()> begin,
            std::shared_ptr<std::atomic<int64_t>> under_way, size_t under_way_max, std::shared_ptr<const ReadPlan> plan,
            FanoutReport* report, MemoryBudget* budget)
      : begin_(std::move(begin)),
        under_way_(std::move(under_way)),
        plan_(std::move(plan)),
        report_(report),
        budget_(budget) {
    if (under_way_max == 0 || *under_way_ < static_cast<int64_t>(under_way_max)) Begin();
  }
  ~SelectSet() override { End(); }

  Result<std::unique_ptr<storage::Series>> Next() override {
    if (!merged_) Begin();
    storeapi::MergedSeries series;
    Result<bool> more = merged_->Next(&series);
    for (std::string& warning : merged_->TakeWarnings()) annotations_.Warn(std::move(warning));
    if (!more.ok() || !*more) {
      End();
      if (report_ != nullptr) report_->Add(merged_->fanout());
      GN_TRY(more.status());
      return std::unique_ptr<storage::Series>();
    }
    auto result = std::make_unique<ReplicaSeries>(plan_, std::move(series), budget_);
    GN_TRY(result->Charge());
    return std::unique_ptr<storage::Series>(std::move(result));
  }

  const Annotations& annotations() const override { return annotations_; }

 private:
  void Begin() {
    merged_ = begin_();
    ++*under_way_;
    counted_ = true;
  }
  void End() {
    if (std::exchange(counted_, false)) --*under_way_;
  }

  std::function<std::unique_ptr<storeapi::MergedStream>()> begin_;
  const std::shared_ptr<std::atomic<int64_t>> under_way_;
  bool counted_ = false;
  std::unique_ptr<storeapi::MergedStream> merged_;
  std::shared_ptr<const ReadPlan> plan_;
  FanoutReport* report_;
  MemoryBudget* budget_;
  Annotations annotations_;
};

class StoreQuerier : public storage::Querier {
 public:
  StoreQuerier(storeapi::Proxy& proxy, const SelectScope& scope, FanoutReport* report,
               std::shared_ptr<std::atomic<int64_t>> selects, int64_t mint_ms, int64_t maxt_ms)
      : proxy_(proxy),
        scope_(scope),
        report_(report),
        selects_(std::move(selects)),
        mint_ms_(mint_ms),
        maxt_ms_(maxt_ms) {}

  std::unique_ptr<storage::SeriesSet> Select(const storage::SelectHints& hints, std::span<const Matcher> matchers,
                                             const Cancel& cancel, MemoryBudget* budget) override {
    storeapi::SeriesRequest request;
    request.min_time_ms = hints.start_ms;
    request.max_time_ms = hints.end_ms;
    request.matchers.assign(matchers.begin(), matchers.end());
    request.max_resolution_ms = MaxResolution(scope_.max_resolution_ms, hints);
    request.aggregates = AggregatesFor(ReadingOf(hints));
    request.partial_response = scope_.partial_response;
    request.partial_response_disabled = request.aborts();
    request.skip_chunks = scope_.skip_chunks;
    request.step_ms = hints.step_ms;
    request.range_ms = hints.range_ms;
    wire::QueryHints query_hints;
    query_hints.step_ms = hints.step_ms;
    query_hints.range_ms = hints.range_ms;
    query_hints.func = hints.func == promql::kSampleCounts ? "count_over_time" : hints.func;
    query_hints.by = hints.by;
    query_hints.grouping = hints.grouping;
    request.query_hints = std::move(query_hints);
    request.shard = scope_.shard;
    request.limit = hints.limit;
    request.batch_size = kBatchSeries;
    if (scope_.deduplicate) request.without_replica_labels = scope_.replica_labels;

    auto plan = std::make_shared<ReadPlan>();
    plan->deduplicate = scope_.deduplicate;
    plan->algorithm = scope_.algorithm;
    plan->function = hints.func;
    plan->reading = ReadingOf(hints);
    plan->start_ms = std::max(hints.start_ms, mint_ms_);
    plan->end_ms = std::min(hints.end_ms, maxt_ms_);
    auto begin = [&proxy = proxy_, request = std::move(request), context = ContextOf(scope_, cancel),
                  scope = ScopeOf(budget)] { return proxy.Select(request, context, scope); };
    return std::make_unique<SelectSet>(std::move(begin), selects_, scope_.concurrent_selects_max, std::move(plan),
                                       report_, budget);
  }

  Result<storage::Strings> LabelNames(std::span<const Matcher> matchers, int64_t limit, const Cancel& cancel) override {
    storeapi::LabelsRequest request = LabelsRequestFor(matchers, limit);
    return ToStrings(proxy_.LabelNames(request, ContextOf(scope_, cancel), ScopeOf(nullptr)), limit);
  }

  Result<storage::Strings> LabelValues(const std::string& name, std::span<const Matcher> matchers, int64_t limit,
                                       const Cancel& cancel) override {
    storeapi::LabelsRequest request = LabelsRequestFor(matchers, limit);
    request.label = name;
    return ToStrings(proxy_.LabelValues(request, ContextOf(scope_, cancel), ScopeOf(nullptr)), limit);
  }

 private:
  storeapi::ProxyScope ScopeOf(MemoryBudget* budget) const {
    storeapi::ProxyScope scope;
    scope.store_matchers = scope_.store_matchers;
    scope.budget = budget;
    return scope;
  }

  // Asks for one more than the limit, so that a cut shows.
  storeapi::LabelsRequest LabelsRequestFor(std::span<const Matcher> matchers, int64_t limit) const {
    storeapi::LabelsRequest request;
    request.start_ms = mint_ms_;
    request.end_ms = maxt_ms_;
    request.matchers.assign(matchers.begin(), matchers.end());
    request.partial_response = scope_.partial_response;
    request.partial_response_disabled = request.aborts();
    if (scope_.deduplicate) request.without_replica_labels = scope_.replica_labels;
    request.limit = limit > 0 ? limit + 1 : 0;
    return request;
  }

  static Result<storage::Strings> ToStrings(Result<storeapi::LabelsAnswer> answer, int64_t limit) {
    GN_TRY(answer.status());
    storage::Strings strings;
    strings.values = std::move(answer->values);
    for (std::string& warning : answer->warnings) strings.annotations.Warn(std::move(warning));
    if (limit > 0 && strings.values.size() > static_cast<size_t>(limit)) {
      strings.values.resize(limit);
      strings.annotations.Warn("results truncated due to limit");
    }
    return strings;
  }

  storeapi::Proxy& proxy_;
  const SelectScope& scope_;  // the queryable's, which outlives its queriers
  FanoutReport* const report_;
  const std::shared_ptr<std::atomic<int64_t>> selects_;
  const int64_t mint_ms_, maxt_ms_;
};

}  // namespace

rpc::CallContext ContextOf(const SelectScope& scope, const Cancel& cancel) {
  rpc::CallContext context;
  context.cancel = cancel;
  context.tenant = scope.tenant;
  context.request_id = scope.request_id;
  context.trace = scope.trace;
  return context;
}

void FanoutReport::Add(std::vector<storeapi::FanoutEntry> entries) {
  MutexLock lock(mutex_);
  for (storeapi::FanoutEntry& entry : entries) entries_.push_back(std::move(entry));
}

std::vector<storeapi::FanoutEntry> FanoutReport::Take() {
  MutexLock lock(mutex_);
  return std::exchange(entries_, {});
}

StoreQueryable::StoreQueryable(storeapi::Proxy& proxy, SelectScope scope, FanoutReport* report)
    : proxy_(proxy), scope_(std::move(scope)), report_(report), selects_(std::make_shared<std::atomic<int64_t>>(0)) {}

Result<std::unique_ptr<storage::Querier>> StoreQueryable::MakeQuerier(int64_t mint_ms, int64_t maxt_ms) {
  return std::unique_ptr<storage::Querier>(
      std::make_unique<StoreQuerier>(proxy_, scope_, report_, selects_, mint_ms, maxt_ms));
}

}  // namespace gauntlet::query
