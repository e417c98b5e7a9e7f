#include "sidecar/prometheus_store.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "sidecar/block_read.h"
#include "storeapi/external_labels.h"
#include "storeapi/shard_filter.h"

namespace gauntlet::sidecar {
namespace {

constexpr size_t kBatchSeries = 1024;  // of labels only

// Label names and values can be asked with matchers since 2.24.
bool LabelsTakeMatchers(const PrometheusState& state) { return state.version.AtLeast(2, 24); }

void SortUniqueCut(std::vector<std::string>* values, int64_t limit) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
  if (limit > 0 && values->size() > static_cast<size_t>(limit)) values->resize(limit);
}

}  // namespace

bool ApiAccepts(const Matchers& matchers) {
  return std::any_of(matchers.begin(), matchers.end(), [](const Matcher& m) { return !m.MatchesEmpty(); });
}

PrometheusStore::PrometheusStore(const PrometheusApi& api, const Heartbeat& heartbeat, Executor& executor,
                                 RemoteReadOptions options, LocalBlocks* blocks)
    : api_(api), heartbeat_(heartbeat), executor_(executor), options_(std::move(options)), blocks_(blocks) {}

std::unique_ptr<storeapi::SeriesStream> PrometheusStore::SelectFromPrometheus(RemoteReadRequest read,
                                                                              const Cancel& cancel) const {
  if (!read.chunks && ApiAccepts(read.matchers)) return LabelsOnly(read, cancel);
  return StartRemoteRead(api_, executor_, std::move(read), options_, cancel);
}

std::unique_ptr<storeapi::SeriesStream> PrometheusStore::Select(RemoteReadRequest read, const Cancel& cancel) const {
  std::optional<LocalBlocks::Readable> local = blocks_ != nullptr ? blocks_->Take() : std::nullopt;
  if (!local || read.start_ms >= local->end_ms) return SelectFromPrometheus(std::move(read), cancel);
  RemoteReadRequest early = read;
  early.end_ms = std::min(read.end_ms, local->end_ms - 1);
  auto from_blocks = StartBlockRead(local->blocks, early, read.end_ms >= local->end_ms, options_, cancel);
  // What cannot be read here, Prometheus may know to.
  if (!from_blocks.ok()) return SelectFromPrometheus(std::move(read), cancel);
  if (read.end_ms < local->end_ms) return *std::move(from_blocks);
  read.start_ms = local->end_ms;
  int64_t limit = read.limit;
  return JoinByTime(*std::move(from_blocks), SelectFromPrometheus(std::move(read), cancel), limit);
}

PrometheusStore::Parts PrometheusStore::Split(int64_t start_ms, int64_t end_ms) const {
  Parts parts{{}, start_ms};
  std::optional<LocalBlocks::Readable> local = blocks_ != nullptr ? blocks_->Take() : std::nullopt;
  if (!local || start_ms >= local->end_ms) return parts;
  for (const tsdb::BlockPtr& block : *local->blocks) {
    if (block->Overlaps(start_ms, std::min(end_ms, local->end_ms - 1))) parts.blocks.push_back(block);
  }
  parts.start_ms = local->end_ms;
  parts.prometheus = end_ms >= local->end_ms;
  return parts;
}

Result<std::vector<std::string>> PrometheusStore::AskBoth(int64_t start_ms, int64_t end_ms, const AskBlock& block,
                                                          const AskPrometheus& prometheus, const Cancel& cancel) const {
  const Parts parts = Split(start_ms, end_ms);
  std::vector<std::string> all;
  for (const tsdb::BlockPtr& one : parts.blocks) {
    GN_TRY(cancel.status());
    auto found = block(*one);
    if (!found.ok()) return prometheus(start_ms);
    all.insert(all.end(), std::make_move_iterator(found->begin()), std::make_move_iterator(found->end()));
  }
  if (!parts.prometheus) return all;
  GN_ASSIGN(std::vector<std::string> rest, prometheus(parts.start_ms));
  all.insert(all.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  return all;
}

std::unique_ptr<storeapi::SeriesStream> PrometheusStore::Series(const storeapi::SeriesRequest& request,
                                                                const storeapi::CallContext& context) {
  std::shared_ptr<const PrometheusState> state = heartbeat_.state();
  std::optional<Matchers> matchers = storeapi::StripExternal(request.matchers, state->external_labels);
  if (!matchers) return storeapi::BatchStream({});
  if (matchers->empty()) {
    return storeapi::FailedStream(Status(Code::kInvalid, "no matchers specified (excluding external labels)"));
  }
  RemoteReadRequest read;
  read.start_ms = std::max(request.min_time_ms, state->min_time_ms);
  read.end_ms = request.max_time_ms;
  if (read.start_ms > read.end_ms) return storeapi::BatchStream({});
  read.matchers = *std::move(matchers);
  read.external_labels = state->external_labels;
  read.without = request.without_replica_labels;
  read.shard = request.shard;
  read.limit = request.limit;
  read.chunks = !request.skip_chunks;
  for (const std::string& name : storeapi::LabelRewriter(read.external_labels, read.without).names_that_break_order()) {
    read.sort = read.sort || state->label_names.count(name) > 0;
  }
  return Select(std::move(read), context.cancel);
}

std::unique_ptr<storeapi::SeriesStream> PrometheusStore::LabelsOnly(const RemoteReadRequest& read,
                                                                    const Cancel& cancel) const {
  // With a shard or dropped labels, more of Prometheus' series may be needed than the limit says.
  bool one_to_one = read.shard.total <= 0 && read.without.empty();
  auto series = api_.Series(read.matchers, read.start_ms, read.end_ms, one_to_one ? read.limit : 0, cancel);
  if (!series.ok()) return storeapi::FailedStream(series.status());
  storeapi::LabelRewriter rewriter(read.external_labels, read.without);
  storeapi::ShardFilter shard(read.shard);
  std::vector<Labels> final_labels;
  final_labels.reserve(series->size());
  std::string packed;
  for (const Labels& own : *series) {
    rewriter.Rewrite(own, &packed);
    if (shard.Matches(LabelsView(packed))) final_labels.push_back(Labels::FromPacked(packed));
  }
  std::sort(final_labels.begin(), final_labels.end());
  final_labels.erase(std::unique(final_labels.begin(), final_labels.end()), final_labels.end());
  if (read.limit > 0 && final_labels.size() > static_cast<size_t>(read.limit)) final_labels.resize(read.limit);
  std::vector<storeapi::SeriesBatchPtr> batches;
  std::shared_ptr<storeapi::SeriesBatch> batch;
  for (const Labels& labels : final_labels) {
    if (!batch) batch = std::make_shared<storeapi::SeriesBatch>();
    batch->Add(labels, {});
    if (batch->size() == kBatchSeries) batches.push_back(std::exchange(batch, nullptr));
  }
  if (batch) batches.push_back(std::move(batch));
  return storeapi::BatchStream(std::move(batches));
}

Result<std::vector<Labels>> PrometheusStore::MatchingSeries(const Matchers& matchers, int64_t start_ms, int64_t end_ms,
                                                            int64_t limit, const Cancel& cancel) const {
  if (ApiAccepts(matchers)) return api_.Series(matchers, start_ms, end_ms, limit, cancel);
  RemoteReadRequest read;
  read.matchers = matchers;
  read.start_ms = start_ms;
  read.end_ms = end_ms;
  read.limit = limit;
  read.chunks = false;
  auto stream = StartRemoteRead(api_, executor_, std::move(read), options_, cancel);
  std::vector<Labels> series;
  while (true) {
    GN_ASSIGN(storeapi::SeriesBatchPtr batch, stream->Next());
    if (!batch) return series;
    for (size_t i = 0; i < batch->size(); ++i) series.emplace_back(batch->labels(i));
  }
}

Result<bool> PrometheusStore::AnyMatches(const Matchers& matchers, int64_t start_ms, int64_t end_ms,
                                         const Cancel& cancel) const {
  const Parts parts = Split(start_ms, end_ms);
  for (const tsdb::BlockPtr& block : parts.blocks) {
    auto selected = block->Select(matchers, cancel);
    if (!selected.ok()) continue;
    auto any = tsdb::BlockSeries(*block, *std::move(selected), start_ms, end_ms).Next();
    if (any.ok() && *any) return true;
  }
  if (!parts.prometheus) return false;
  GN_ASSIGN(std::vector<Labels> series, MatchingSeries(matchers, parts.start_ms, end_ms, 1, cancel));
  return !series.empty();
}

Result<storeapi::LabelsAnswer> PrometheusStore::LabelNames(const storeapi::LabelsRequest& request,
                                                           const storeapi::CallContext& context) {
  const Cancel& cancel = context.cancel;
  std::shared_ptr<const PrometheusState> state = heartbeat_.state();
  storeapi::LabelsAnswer answer;
  std::optional<Matchers> matchers = storeapi::StripExternal(request.matchers, state->external_labels);
  int64_t start_ms = std::max(request.start_ms, state->min_time_ms);
  if (!matchers || start_ms > request.end_ms) return answer;
  auto prometheus = [&](int64_t from_ms) -> Result<std::vector<std::string>> {
    if (matchers->empty() || (LabelsTakeMatchers(*state) && ApiAccepts(*matchers)))
      return api_.LabelNames(*matchers, from_ms, request.end_ms, 0, cancel);
    GN_ASSIGN(std::vector<Labels> series, MatchingSeries(*matchers, from_ms, request.end_ms, 0, cancel));
    std::set<std::string, std::less<>> names;
    for (const Labels& labels : series) {
      for (const Label& label : labels) {
        if (names.find(label.name) == names.end()) names.emplace(label.name);
      }
    }
    return std::vector<std::string>(names.begin(), names.end());
  };
  auto of_block = [&](const tsdb::Block& block) { return block.LabelNames(*matchers, 0, cancel); };
  GN_ASSIGN(answer.values, AskBoth(start_ms, request.end_ms, of_block, prometheus, cancel));
  // No series, no labels of any kind.
  if (!answer.values.empty()) {
    for (const Label& label : state->external_labels) answer.values.emplace_back(label.name);
  }
  std::erase_if(answer.values, [&](const std::string& name) { return storeapi::DropsLabel(request, name); });
  SortUniqueCut(&answer.values, request.limit);
  return answer;
}

Result<storeapi::LabelsAnswer> PrometheusStore::LabelValues(const storeapi::LabelsRequest& request,
                                                            const storeapi::CallContext& context) {
  const Cancel& cancel = context.cancel;
  std::shared_ptr<const PrometheusState> state = heartbeat_.state();
  storeapi::LabelsAnswer answer;
  if (storeapi::DropsLabel(request, request.label)) return answer;
  std::optional<Matchers> matchers = storeapi::StripExternal(request.matchers, state->external_labels);
  int64_t start_ms = std::max(request.start_ms, state->min_time_ms);
  if (!matchers || start_ms > request.end_ms) return answer;
  // An external label is what every series has; but there must be one.
  if (std::string_view value = state->external_labels.Get(request.label); !value.empty()) {
    bool any = true;
    if (!matchers->empty()) {
      GN_ASSIGN(any, AnyMatches(*matchers, start_ms, request.end_ms, cancel));
    }
    if (any) answer.values.emplace_back(value);
    return answer;
  }
  if (!matchers->empty() && !ApiAccepts(*matchers)) {
    // The same series, of those that have the label at all.
    GN_ASSIGN(Matcher has, Matcher::Make(MatchType::kNotEqual, request.label, ""));
    matchers->push_back(std::move(has));
  }
  auto prometheus = [&](int64_t from_ms) -> Result<std::vector<std::string>> {
    if (matchers->empty() || LabelsTakeMatchers(*state))
      return api_.LabelValues(request.label, *matchers, from_ms, request.end_ms, request.limit, cancel);
    GN_ASSIGN(std::vector<Labels> series, MatchingSeries(*matchers, from_ms, request.end_ms, 0, cancel));
    std::vector<std::string> values;
    for (const Labels& labels : series) {
      if (labels.Has(request.label)) values.emplace_back(labels.Get(request.label));
    }
    return values;
  };
  const auto limit = static_cast<size_t>(std::max<int64_t>(request.limit, 0));
  auto of_block = [&](const tsdb::Block& block) { return block.LabelValues(request.label, *matchers, limit, cancel); };
  GN_ASSIGN(answer.values, AskBoth(start_ms, request.end_ms, of_block, prometheus, cancel));
  SortUniqueCut(&answer.values, request.limit);
  return answer;
}

}  // namespace gauntlet::sidecar
