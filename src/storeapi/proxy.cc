#include "storeapi/proxy.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"
#include "storeapi/chunk_union.h"
#include "storeapi/coverage.h"
#include "storeapi/external_labels.h"
#include "storeapi/stream_adapters.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::storeapi {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Counts what passes, for the fan-out report.
class CountingStream : public SeriesStream {
 public:
  CountingStream(std::unique_ptr<SeriesStream> inner, FanoutEntry* entry)
      : inner_(std::move(inner)), entry_(entry), start_(SteadyClock::now()) {}

  Result<SeriesBatchPtr> Next() override {
    Result<SeriesBatchPtr> batch = inner_->Next();
    entry_->seconds = std::chrono::duration<double>(SteadyClock::now() - start_).count();
    if (!batch.ok() || !*batch) return batch;
    ++entry_->responses;
    entry_->series += (*batch)->size();
    entry_->bytes += (*batch)->memory_bytes();
    for (size_t i = 0; i < (*batch)->size(); ++i) {
      entry_->chunks += (*batch)->chunks(i).size();
      for (const wire::ChunkView& chunk : (*batch)->chunks(i))
        entry_->samples += tsdb::SampleCount({static_cast<tsdb::Encoding>(chunk.encoding), chunk.data});
    }
    return batch;
  }

  std::vector<std::string> TakeWarnings() override { return inner_->TakeWarnings(); }

 private:
  std::unique_ptr<SeriesStream> inner_;
  FanoutEntry* entry_;
  SteadyClock::time_point start_;
};

// The merge of the answers, and what failing sources mean for it.
class ProxyStream : public MergedStream {
 public:
  // `coverage` is over the same endpoints.
  ProxyStream(std::vector<EndpointPtr> endpoints, Coverage coverage, bool abort, int64_t limit, CancelSource* cancel)
      : endpoints_(std::move(endpoints)),
        coverage_(std::move(coverage)),
        fanout_(endpoints_.size()),
        abort_(abort),
        limit_(limit),
        cancel_(cancel) {
    for (size_t i = 0; i < endpoints_.size(); ++i) fanout_[i].address = endpoints_[i]->address;
  }

  ~ProxyStream() override {
    cancel_->Stop();
    merge_.reset();
  }

  FanoutEntry* entry(size_t source) { return &fanout_[source]; }

  void Start(std::vector<std::unique_ptr<SeriesStream>> streams, std::unique_ptr<CancelSource> cancel) {
    owned_cancel_ = std::move(cancel);
    for (auto& stream : streams) streams_.push_back(stream.get());
    merge_ = std::make_unique<SeriesMerge>(
        std::move(streams), [this](uint32_t source, const Status& status) { return OnEnd(source, status); });
  }

  void Warn(std::string warning) { warnings_.push_back(std::move(warning)); }
  void Fail(Status status) { failed_ = std::move(status); }

  Result<bool> Next(MergedSeries* series) override {
    GN_TRY(failed_);
    if (limit_ > 0 && given_ == limit_) return false;
    GN_TRY(owned_cancel_->cancel().status());
    GN_ASSIGN(bool more, merge_->Next(series));
    GN_TRY(failed_);
    if (more) ++given_;
    return more;
  }

  std::vector<std::string> TakeWarnings() override { return std::exchange(warnings_, {}); }
  std::vector<FanoutEntry> fanout() const override { return fanout_; }

 private:
  Status OnEnd(uint32_t source, const Status& status) {
    for (std::string& warning : streams_[source]->TakeWarnings()) {
      if (abort_) {
        GN_TRY(Miss(source, Status(Code::kUnavailable, std::move(warning))));
      } else {
        Warn(std::move(warning));
      }
    }
    if (status.ok()) return Status();
    // The asker's own end is not the endpoint's fault.
    GN_TRY(owned_cancel_->cancel().status());
    std::string text = "receive series from " + endpoints_[source]->ToString() + ": " + std::string(status.message());
    if (abort_) return Miss(source, Status(status.code(), std::move(text)));
    Warn(std::move(text));
    return Status();
  }

  // Under abort: what of the source is missing ends the answer, unless replicas have it too.
  Status Miss(uint32_t source, Status why) { return coverage_.Without(source, why) ? Status() : why; }

  std::vector<EndpointPtr> endpoints_;  // by source
  Coverage coverage_;
  std::vector<FanoutEntry> fanout_;
  const bool abort_;
  const int64_t limit_;
  CancelSource* const cancel_;
  std::unique_ptr<CancelSource> owned_cancel_;
  std::vector<SeriesStream*> streams_;
  std::unique_ptr<SeriesMerge> merge_;
  std::vector<std::string> warnings_;
  Status failed_;
  int64_t given_ = 0;
};

// A merged stream as batches again, for those who ask the proxy by StoreAPI.
class UnionStream : public SeriesStream {
 public:
  explicit UnionStream(std::unique_ptr<MergedStream> merged) : merged_(std::move(merged)) {}

  Result<SeriesBatchPtr> Next() override {
    auto batch = std::make_shared<SeriesBatch>();
    while (batch->size() < kBatchSeries) {
      GN_ASSIGN(bool more, merged_->Next(&series_));
      if (!more) break;
      batch->Add(series_.labels, union_.Of(series_.parts));
      for (SeriesPart& part : series_.parts) batch->KeepAlive(std::move(part.batch));
    }
    if (batch->size() == 0) return SeriesBatchPtr();
    return SeriesBatchPtr(std::move(batch));
  }

  std::vector<std::string> TakeWarnings() override { return merged_->TakeWarnings(); }

 private:
  std::unique_ptr<MergedStream> merged_;
  MergedSeries series_;
  ChunkUnion union_;
};

}  // namespace

Proxy::Proxy(ProxyOptions options, EndpointSource endpoints, Executor& executor, telemetry::Logger logger)
    : options_(std::move(options)), endpoints_(std::move(endpoints)), executor_(executor), logger_(std::move(logger)) {}

std::vector<Proxy::Target> Proxy::Choose(int64_t min_time_ms, int64_t max_time_ms, const Matchers& matchers,
                                         const ProxyScope& scope, bool* any) const {
  std::vector<Target> targets;
  std::vector<EndpointPtr> endpoints = endpoints_();
  *any = !endpoints.empty();
  for (EndpointPtr& endpoint : endpoints) {
    if (!MatchesStore(*endpoint, scope.store_matchers) || !MayHave(*endpoint, min_time_ms, max_time_ms, matchers))
      continue;
    std::optional<Matchers> extra = options_.select_databases ? options_.select_databases(*endpoint) : Matchers();
    if (extra) targets.push_back({std::move(endpoint), *std::move(extra)});
  }
  return targets;
}

std::unique_ptr<SeriesStream> Proxy::Ask(const Target& target, const SeriesRequest& request, const CallContext& context,
                                         const ProxyScope& scope, bool alone) {
  const Endpoint& endpoint = *target.endpoint;
  if (!endpoint.health.ok()) return FailedStream(endpoint.health);
  SeriesRequest asked = request;
  asked.matchers.insert(asked.matchers.end(), target.extra.begin(), target.extra.end());
  bool drop = !request.without_replica_labels.empty() && !endpoint.supports_without_replica_labels;
  // A shard is one of the labels that are left.
  bool shard = request.shard.total > 0 && (drop || !endpoint.supports_sharding);
  if (drop) asked.without_replica_labels.clear();
  if (shard) asked.shard = {};
  if (drop || shard) asked.limit = 0;
  auto call = std::make_shared<CancelSource>(context.cancel);
  CallContext call_context = context;
  call_context.cancel = call->cancel();
  std::unique_ptr<SeriesStream> stream = endpoint.store->Series(asked, call_context);
  if (drop) stream = DropLabelsAndSort(std::move(stream), request.without_replica_labels, scope.budget);
  if (shard) stream = KeepShard(std::move(stream), request.shard);
  if (alone) return stream;  // nothing to overlap with
  ReadAheadLimits limits;
  limits.batches_max = options_.lazy ? std::max<size_t>(options_.lazy_batches_max, 1) : SIZE_MAX;
  return ReadAhead(std::move(stream), std::move(call), executor_, limits);
}

std::unique_ptr<MergedStream> Proxy::Select(const SeriesRequest& request, const CallContext& context,
                                            const ProxyScope& scope) {
  SeriesRequest asked = request;
  std::optional<Matchers> matchers = StripExternal(request.matchers, options_.selector_labels);
  Status failed;
  std::vector<Target> targets;
  bool any = true;
  if (matchers && matchers->empty()) {
    failed = Status(Code::kInvalid, "no matchers specified (excluding selector labels)");
  } else if (matchers) {
    asked.matchers = *std::move(matchers);
    targets = Choose(request.min_time_ms, request.max_time_ms, asked.matchers, scope, &any);
  }
  if (!any && options_.no_stores_is_error && request.aborts()) {
    failed = Status(Code::kUnavailable, "No StoreAPIs available");
  }

  std::vector<EndpointPtr> endpoints;
  for (const Target& target : targets) endpoints.push_back(target.endpoint);
  auto cancel = std::make_unique<CancelSource>(context.cancel);
  Coverage coverage(endpoints, request.min_time_ms, request.max_time_ms, asked.matchers,
                    request.without_replica_labels);
  auto merged = std::make_unique<ProxyStream>(std::move(endpoints), std::move(coverage), request.aborts(),
                                              request.limit, cancel.get());
  CallContext call = context;
  call.cancel = cancel->cancel();
  std::vector<std::unique_ptr<SeriesStream>> streams;
  for (size_t i = 0; i < targets.size(); ++i) {
    streams.push_back(
        std::make_unique<CountingStream>(Ask(targets[i], asked, call, scope, targets.size() == 1), merged->entry(i)));
  }
  merged->Start(std::move(streams), std::move(cancel));
  if (!failed.ok()) merged->Fail(std::move(failed));
  return merged;
}

std::unique_ptr<SeriesStream> Proxy::Series(const SeriesRequest& request, const CallContext& context) {
  return std::make_unique<UnionStream>(Select(request, context, {}));
}

Result<LabelsAnswer> Proxy::Collect(const LabelsRequest& request, const CallContext& context, const ProxyScope& scope,
                                    const char* what, AskLabels ask) {
  LabelsAnswer answer;
  std::optional<Matchers> matchers = StripExternal(request.matchers, options_.selector_labels);
  if (!matchers) return answer;
  LabelsRequest asked = request;
  asked.matchers = *std::move(matchers);
  bool any = true;
  std::vector<Target> targets = Choose(request.start_ms, request.end_ms, asked.matchers, scope, &any);
  std::vector<Result<LabelsAnswer>> answers(targets.size(), Status(Code::kInternal, "not asked"));
  ParallelFor(executor_, targets.size(), [&](size_t i) {
    const Endpoint& endpoint = *targets[i].endpoint;
    if (!endpoint.health.ok()) {
      answers[i] = endpoint.health;
      return;
    }
    LabelsRequest mine = asked;
    mine.matchers.insert(mine.matchers.end(), targets[i].extra.begin(), targets[i].extra.end());
    answers[i] = (endpoint.store.get()->*ask)(mine, context);
  });
  std::vector<EndpointPtr> endpoints;
  for (const Target& target : targets) endpoints.push_back(target.endpoint);
  Coverage coverage(std::move(endpoints), request.start_ms, request.end_ms, asked.matchers,
                    request.without_replica_labels);
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!answers[i].ok()) {
      GN_TRY(context.cancel.status());
      std::string text = std::string("fetch ") + what + " from store " + targets[i].endpoint->ToString() + ": " +
                         std::string(answers[i].status().message());
      if (request.aborts()) {
        if (!coverage.Without(i, answers[i].status())) return Status(answers[i].status().code(), std::move(text));
        continue;
      }
      answer.warnings.push_back(std::move(text));
      continue;
    }
    auto& values = answers[i]->values;
    answer.values.insert(answer.values.end(), std::make_move_iterator(values.begin()),
                         std::make_move_iterator(values.end()));
    auto& warnings = answers[i]->warnings;
    answer.warnings.insert(answer.warnings.end(), std::make_move_iterator(warnings.begin()),
                           std::make_move_iterator(warnings.end()));
  }
  return answer;
}

namespace {

bool Listed(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void SortAndCut(const LabelsRequest& request, LabelsAnswer* answer) {
  std::sort(answer->values.begin(), answer->values.end());
  answer->values.erase(std::unique(answer->values.begin(), answer->values.end()), answer->values.end());
  if (request.limit > 0 && answer->values.size() > static_cast<size_t>(request.limit))
    answer->values.resize(request.limit);
}

}  // namespace

Result<LabelsAnswer> Proxy::LabelNames(const LabelsRequest& request, const CallContext& context,
                                       const ProxyScope& scope) {
  // Old endpoints name replica labels too: ask for so many more.
  LabelsRequest asked = request;
  if (asked.limit > 0 && asked.limit < std::numeric_limits<int32_t>::max())
    asked.limit += static_cast<int64_t>(request.without_replica_labels.size());
  GN_ASSIGN(LabelsAnswer answer, Collect(asked, context, scope, "label names", &Store::LabelNames));
  std::erase_if(answer.values, [&](const std::string& name) { return Listed(request.without_replica_labels, name); });
  SortAndCut(request, &answer);
  return answer;
}

Result<LabelsAnswer> Proxy::LabelValues(const LabelsRequest& request, const CallContext& context,
                                        const ProxyScope& scope) {
  if (Listed(request.without_replica_labels, request.label)) return LabelsAnswer();
  GN_ASSIGN(LabelsAnswer answer, Collect(request, context, scope, "label values", &Store::LabelValues));
  SortAndCut(request, &answer);
  return answer;
}

}  // namespace gauntlet::storeapi
