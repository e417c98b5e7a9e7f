#include "query/leaf_queries.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"
#include "storeapi/remote_store.h"

namespace gauntlet::query {
namespace {

constexpr int64_t kBatchSeries = 64;

// Keeps what a leaf answers.
class AnswerSink : public rpc::QuerySink {
 public:
  AnswerSink(const std::string& leaf, const promql::StepGrid& grid, promql::RemoteAnswer& answer)
      : leaf_(leaf), grid_(grid), answer_(answer) {}

  Status Series(LabelsView labels, const Samples& samples) override {
    status_ = Add(labels, samples);
    return status_;
  }
  Status Warning(std::string_view warning) override {
    // What PromQL has to say is about the query; the rest is about the leaf.
    const bool of_language = warning.starts_with("PromQL ");
    answer_.warnings.push_back((of_language ? "" : "remote query warning (" + leaf_ + "): ") + std::string(warning));
    return Status();
  }
  Status Statistics(const rpc::QueryStatistics& statistics) override {
    answer_.samples += statistics.samples_total;
    return Status();
  }
  const Status& status() const { return status_; }

 private:
  Status Add(LabelsView labels, const Samples& samples) {
    GN_ASSIGN(promql::Row row, promql::RowOf(labels, samples, grid_));
    GN_TRY(answer_.charge.Grow(row.memory_bytes()));
    answer_.rows.push_back(std::move(row));
    return Status();
  }

  const std::string& leaf_;
  const promql::StepGrid grid_;
  promql::RemoteAnswer& answer_;
  Status status_;
};

// The leaf is not there, as opposed to: it would not evaluate.
bool IsAway(net::GrpcCode code) {
  using net::GrpcCode;
  return code == GrpcCode::kUnavailable || code == GrpcCode::kDeadlineExceeded || code == GrpcCode::kCancelled ||
         code == GrpcCode::kUnauthenticated || code == GrpcCode::kPermissionDenied || code == GrpcCode::kDataLoss;
}

struct CallPlan {
  std::shared_ptr<rpc::QueryService> service;
  std::string leaf;
  rpc::RangeQuery query;
  promql::StepGrid grid;
  rpc::CallContext context;  // but for the cancel
  bool partial = true;
};

// One call, run by whoever comes first: the executor, or the one who waits for it, when the executor is busy with such.
class LeafRequest {
 public:
  LeafRequest(CallPlan plan, std::string_view title, const Cancel& cancel, MemoryBudget* budget)
      : plan_(std::move(plan)), source_(cancel), answer_(std::make_unique<promql::RemoteAnswer>(budget, title)) {}

  void RunUnlessBegun() {
    if (begun_.exchange(true)) return;
    Run();
    MutexLock lock(mutex_);
    done_ = true;
    changed_.NotifyAll();
  }
  std::unique_ptr<promql::RemoteAnswer> Take() {
    RunUnlessBegun();
    Wait();
    return std::move(answer_);
  }
  void Stop() {
    source_.Stop();
    if (begun_.exchange(true)) Wait();
    answer_.reset();
  }

 private:
  void Run() {
    rpc::CallContext context = plan_.context;
    context.cancel = source_.cancel();
    AnswerSink sink(plan_.leaf, plan_.grid, *answer_);
    net::GrpcStatus status = plan_.service->QueryRange(plan_.query, sink, context);
    if (!sink.status().ok()) {
      answer_->status = sink.status();
    } else if (status.ok()) {
      return;
    } else if (source_.cancel().stopped()) {
      answer_->status = source_.cancel().status();
    } else if (!IsAway(status.code)) {
      answer_->refused = true;
    } else {
      Status failed = storeapi::RpcError(status);
      if (plan_.partial) {
        answer_->warnings = {"remote query error (" + plan_.leaf + "): " + std::string(failed.message())};
      } else {
        answer_->status = failed.Wrap("remote query (" + plan_.leaf + ")");
      }
    }
    answer_->rows.clear();
  }

  void Wait() {
    MutexLock lock(mutex_);
    while (!done_) changed_.Wait(mutex_);
  }

  const CallPlan plan_;
  CancelSource source_;
  std::unique_ptr<promql::RemoteAnswer> answer_;  // of the one who runs, then of the one who waited
  std::atomic<bool> begun_{false};
  Mutex mutex_;
  CondVar changed_;
  bool done_ GN_GUARDED_BY(mutex_) = false;
};

class LeafCall : public promql::RemoteCall {
 public:
  LeafCall(std::shared_ptr<LeafRequest> request, Executor& executor) : request_(std::move(request)) {
    executor.Run([request = request_] { request->RunUnlessBegun(); });
  }
  ~LeafCall() override { request_->Stop(); }
  std::unique_ptr<promql::RemoteAnswer> Take() override { return request_->Take(); }

 private:
  const std::shared_ptr<LeafRequest> request_;  // the executor's task may come late
};

class LeafQueries : public promql::RemoteEvaluator {
 public:
  LeafQueries(promql::Leaves leaves, std::vector<std::shared_ptr<rpc::QueryService>> services,
              const LeafOptions& options, const SelectScope& scope, Executor& executor)
      : leaves_(std::move(leaves)),
        services_(std::move(services)),
        timeout_(options.timeout),
        scope_(scope),
        executor_(executor) {}

  const promql::Leaves& leaves() const override { return leaves_; }

  std::unique_ptr<promql::RemoteCall> Start(promql::RemoteQuery query, const Cancel& cancel,
                                            MemoryBudget* budget) override {
    CallPlan plan;
    plan.service = services_[query.leaf];
    plan.leaf = leaves_.leaves[query.leaf].name;
    plan.grid = query.grid;
    plan.context = ContextOf(scope_, cancel);
    plan.partial = scope_.partial_response == storeapi::PartialResponse::kWarn;
    rpc::RangeQuery& range = plan.query;
    range.query = std::move(query.text);
    range.start_seconds = query.grid.start_ms / 1000;
    range.end_seconds = query.grid.last_ms() / 1000;
    range.interval_seconds = query.grid.steps > 1 ? query.grid.step_ms / 1000 : 1;
    range.lookback_delta_seconds = query.lookback_ms / 1000;
    range.timeout_seconds = std::max<int64_t>(1, SecondsLeft(cancel));
    range.max_resolution_seconds = scope_.max_resolution_ms / 1000;
    range.replica_labels = scope_.replica_labels;
    range.enable_dedup = scope_.deduplicate;
    range.enable_partial_response = plan.partial;
    range.batch_size = kBatchSeries;
    return std::make_unique<LeafCall>(std::make_shared<LeafRequest>(std::move(plan), query.title, cancel, budget),
                                      executor_);
  }

 private:
  int64_t SecondsLeft(const Cancel& cancel) const {
    const auto left = cancel.DeadlineOr(timeout_) - std::chrono::steady_clock::now();
    return std::chrono::ceil<std::chrono::seconds>(left).count();
  }

  const promql::Leaves leaves_;
  const std::vector<std::shared_ptr<rpc::QueryService>> services_;
  const std::chrono::milliseconds timeout_;
  const SelectScope scope_;
  Executor& executor_;
};

// The labels of an endpoint's series, without those that tell replicas apart.
std::vector<promql::LeafData> DataOf(const storeapi::Endpoint& endpoint,
                                     const std::vector<std::string>& replica_labels) {
  std::vector<promql::LeafData> data;
  for (const storeapi::TsdbInfo& tsdb : endpoint.tsdbs) {
    LabelsBuilder builder(tsdb.labels);
    for (const std::string& label : replica_labels) builder.Del(label);
    data.push_back({builder.Build(), tsdb.min_time_ms, tsdb.max_time_ms});
  }
  // It has not said: it may have anything.
  if (data.empty()) data.push_back({Labels(), endpoint.min_time_ms, endpoint.max_time_ms});
  return data;
}

}  // namespace

std::unique_ptr<promql::RemoteEvaluator> MakeLeafQueries(promql::Leaves leaves,
                                                         std::vector<std::shared_ptr<rpc::QueryService>> services,
                                                         const LeafOptions& options, const SelectScope& scope,
                                                         Executor& executor) {
  // Which stores, which shard: of that the Query API's answers know nothing, or mean something else.
  if (!scope.store_matchers.empty() || scope.shard.total > 0 || scope.skip_chunks) return nullptr;
  if (scope.max_resolution_ms % 1000 != 0) return nullptr;
  if (std::none_of(services.begin(), services.end(), [](const auto& service) { return service != nullptr; })) {
    return nullptr;
  }
  leaves.partition_labels = options.partition_labels;
  leaves.function_matters = scope.max_resolution_ms > 0;
  leaves.range_matters = leaves.function_matters || (scope.deduplicate && !scope.replica_labels.empty());
  return std::make_unique<LeafQueries>(std::move(leaves), std::move(services), options, scope, executor);
}

std::unique_ptr<promql::RemoteEvaluator> MakeLeafQueries(const EndpointSet& endpoints, const LeafOptions& options,
                                                         const SelectScope& scope, Executor& executor) {
  std::map<storeapi::EndpointPtr, std::shared_ptr<rpc::QueryService>> queriers;
  for (ControlEndpoint& control : endpoints.Controls()) {
    if (control.query != nullptr) queriers.emplace(control.endpoint, std::move(control.query));
  }
  promql::Leaves leaves;
  std::vector<std::shared_ptr<rpc::QueryService>> services;
  for (const storeapi::EndpointPtr& endpoint : endpoints.Stores()) {
    auto querier = queriers.find(endpoint);
    const bool answers = querier != queriers.end() && endpoint->health.ok();
    leaves.leaves.push_back({endpoint->address, answers, DataOf(*endpoint, scope.replica_labels)});
    services.push_back(answers ? querier->second : nullptr);
  }
  return MakeLeafQueries(std::move(leaves), std::move(services), options, scope, executor);
}

}  // namespace gauntlet::query
