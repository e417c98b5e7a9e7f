#include "store/bucket_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "store/block_merge.h"
#include "store/block_postings.h"
#include "store/block_series.h"
#include "storeapi/external_labels.h"
#include "storeapi/stream_adapters.h"
#include "tsdb/index/matching.h"

namespace gauntlet::store {
namespace {

constexpr size_t kShareMin = 256 << 10;  // of a call's memory, for a block

bool MatchesAll(const Matchers& matchers, LabelsView labels) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& m) { return m.Matches(labels.Get(m.name())); });
}

}  // namespace

ServedBlocks::ServedBlocks(std::vector<BucketBlockPtr> blocks)
    : blocks_(std::move(blocks)), mint_ms_(INT64_MAX), maxt_ms_(INT64_MIN) {
  std::map<Labels, size_t> places;
  for (const BucketBlockPtr& block : blocks_) {
    auto [place, added] = places.try_emplace(block->facts().external, sets_.size());
    if (added) sets_.emplace_back(block->facts().external);
    sets_[place->second].Add(block);
    mint_ms_ = std::min(mint_ms_, block->facts().mint_ms);
    maxt_ms_ = std::max(maxt_ms_, block->facts().maxt_ms);
  }
  for (BlockSet& set : sets_) set.Sort();
}

BucketStore::BucketStore(BucketStoreOptions options, Executor& executor, MemoryBudget* budget)
    : options_(std::move(options)),
      executor_(executor),
      budget_(budget),
      served_(std::make_shared<ServedBlocks>(std::vector<BucketBlockPtr>())) {}

void BucketStore::Serve(std::shared_ptr<const ServedBlocks> blocks) {
  MutexLock lock(mutex_);
  std::swap(served_, blocks);
}

std::shared_ptr<const ServedBlocks> BucketStore::served() const {
  MutexLock lock(mutex_);
  return served_;
}

rpc::StoreInfo BucketStore::info() const {
  auto served = this->served();
  rpc::StoreInfo info;
  auto clip = [times = Times()](int64_t mint, int64_t maxt, auto* out) {
    const TimeSpan both = times.And({mint, maxt});
    out->min_time_ms = both.mint_ms;
    out->max_time_ms = both.maxt_ms;
  };
  clip(served->mint_ms(), served->maxt_ms(), &info);
  info.supports_sharding = info.supports_without_replica_labels = true;
  std::map<Labels, std::pair<int64_t, int64_t>> spans;
  for (const BucketBlockPtr& block : served->blocks()) {
    const BlockFacts& facts = block->facts();
    auto [span, added] = spans.try_emplace(facts.external, facts.mint_ms, facts.maxt_ms);
    if (added) continue;
    span->second.first = std::min(span->second.first, facts.mint_ms);
    span->second.second = std::max(span->second.second, facts.maxt_ms);
  }
  for (const auto& [labels, span] : spans) {
    rpc::TsdbInfo tsdb;
    tsdb.labels = labels;
    clip(span.first, span.second, &tsdb);
    info.tsdbs.push_back(std::move(tsdb));
  }
  return info;
}

Result<std::vector<BucketStore::Chosen>> BucketStore::Choose(wire::HintsOf call, const std::string& hints,
                                                             const Matchers& matchers, int64_t mint_ms, int64_t maxt_ms,
                                                             int64_t max_resolution_ms) const {
  GN_ASSIGN(wire::RequestHints wanted, wire::DecodeRequestHints(call, hints));
  std::vector<Chosen> chosen;
  for (const BlockSet& set : served()->sets()) {
    std::optional<Matchers> own = storeapi::StripExternal(matchers, set.external());
    if (!own) continue;
    std::vector<BucketBlockPtr> blocks;
    if (call == wire::HintsOf::kSeries) {
      set.Choose(mint_ms, maxt_ms, max_resolution_ms, &blocks);
    } else {
      set.ChooseAll(mint_ms, maxt_ms, &blocks);
    }
    for (BucketBlockPtr& block : blocks) {
      if (MatchesAll(wanted.block_matchers, block->selectable_labels())) chosen.push_back({std::move(block), *own});
    }
  }
  return chosen;
}

std::unique_ptr<storeapi::SeriesStream> BucketStore::Series(const storeapi::SeriesRequest& request,
                                                            const storeapi::CallContext& context) {
  return Start(request, context, MemoryOfCall()).stream;
}

std::shared_ptr<MemoryBudget> BucketStore::MemoryOfCall() const {
  return budget_ == nullptr ? nullptr : std::make_shared<MemoryBudget>("call", 0, budget_);
}

BucketStore::SeriesCall BucketStore::Start(const storeapi::SeriesRequest& request, const storeapi::CallContext& context,
                                           std::shared_ptr<MemoryBudget> memory) {
  auto shared = std::make_shared<BlockRequest>(request, options_.download_bytes_max);
  shared->memory = std::move(memory);
  storeapi::SeriesRequest& clipped = shared->series;
  const TimeSpan span = Times().And({clipped.min_time_ms, clipped.max_time_ms});
  clipped.min_time_ms = span.mint_ms;
  clipped.max_time_ms = span.maxt_ms;
  if (request.matchers.empty()) return {storeapi::BatchStream({}), 0, nullptr};
  auto chosen = Choose(wire::HintsOf::kSeries, request.hints, request.matchers, clipped.min_time_ms,
                       clipped.max_time_ms, request.max_resolution_ms);
  if (!chosen.ok()) return {storeapi::FailedStream(chosen.status()), 0, nullptr};
  std::vector<BlockStream> streams;
  size_t share = std::max<size_t>(options_.call_bytes / std::max<size_t>(chosen->size(), 1), kShareMin);
  shared->fetch_bytes = share / 2;
  for (const Chosen& one : *chosen)
    shared->fetch_bytes = std::min(shared->fetch_bytes, one.block->environment().habits.fetch_bytes);
  for (Chosen& one : *chosen) {
    BlockStream stream;
    stream.id = one.block->id();
    auto call = std::make_shared<CancelSource>(context.cancel);
    stream.series = BlockSeries(std::move(one.block), std::move(one.matchers), shared, call->cancel());
    if (chosen->size() > 1) {
      storeapi::ReadAheadLimits limits;
      limits.bytes_max = share;
      stream.series = storeapi::ReadAhead(std::move(stream.series), std::move(call), executor_, limits);
    }
    streams.push_back(std::move(stream));
  }
  return {MergeBlocks(std::move(streams), request.aborts(), request.limit), chosen->size(), std::move(shared)};
}

std::shared_ptr<BlockRequest> BucketStore::WalkRequest(const storeapi::LabelsRequest& request) const {
  storeapi::SeriesRequest series;
  const TimeSpan span = Times().And({request.start_ms, request.end_ms});
  series.min_time_ms = span.mint_ms;
  series.max_time_ms = span.maxt_ms;
  series.skip_chunks = true;
  auto walk = std::make_shared<BlockRequest>(series, options_.download_bytes_max);
  walk->memory = MemoryOfCall();
  return walk;
}

Result<storeapi::LabelsAnswer> BucketStore::AskAll(wire::HintsOf call, const storeapi::LabelsRequest& request,
                                                   const storeapi::CallContext& context, const AskBlock& ask) const {
  const TimeSpan span = Times().And({request.start_ms, request.end_ms});
  GN_ASSIGN(std::vector<Chosen> chosen, Choose(call, request.hints, request.matchers, span.mint_ms, span.maxt_ms, 0));
  std::vector<std::vector<std::string>> values(chosen.size());
  std::vector<Status> ends(chosen.size());
  ParallelFor(executor_, chosen.size(), [&](size_t i) { ends[i] = ask(chosen[i], &values[i]); });
  storeapi::LabelsAnswer answer;
  wire::ResponseHints hints;
  for (size_t i = 0; i < chosen.size(); ++i) {
    hints.queried_blocks.push_back(chosen[i].block->id());
    if (!ends[i].ok()) {
      GN_TRY(context.cancel.status());
      if (request.aborts()) return ends[i];
      answer.warnings.emplace_back(ends[i].message());
      continue;
    }
    answer.values.insert(answer.values.end(), std::make_move_iterator(values[i].begin()),
                         std::make_move_iterator(values[i].end()));
  }
  std::sort(answer.values.begin(), answer.values.end());
  answer.values.erase(std::unique(answer.values.begin(), answer.values.end()), answer.values.end());
  if (request.limit > 0 && answer.values.size() > static_cast<size_t>(request.limit))
    answer.values.resize(request.limit);
  answer.hints = wire::EncodeResponseHints(call, hints);
  return answer;
}

Result<storeapi::LabelsAnswer> BucketStore::LabelNames(const storeapi::LabelsRequest& request,
                                                       const storeapi::CallContext& context) {
  auto walk_request = WalkRequest(request);
  return AskAll(wire::HintsOf::kLabelNames, request, context,
                [&](const Chosen& chosen, std::vector<std::string>* values) -> Status {
                  std::set<std::string, std::less<>> names;
                  if (chosen.matchers.empty()) {
                    GN_ASSIGN(IndexTables tables, chosen.block->Tables(context.cancel));
                    for (const auto& name : tables.postings->names()) names.emplace(name.name);
                    for (const Label& label : chosen.block->facts().external) names.emplace(label.name);
                  } else {
                    SeriesWalk walk(*chosen.block, chosen.matchers, walk_request, context.cancel);
                    std::vector<SelectedSeries> series;
                    while (true) {
                      series.clear();
                      GN_ASSIGN(bool more, walk.Next(&series));
                      if (!more) break;
                      for (const SelectedSeries& one : series) {
                        for (const Label& label : one.labels) {
                          if (names.find(label.name) == names.end()) names.emplace(label.name);
                        }
                      }
                    }
                  }
                  for (const std::string& name : names) {
                    if (!name.empty() && !storeapi::DropsLabel(request, name)) values->push_back(name);
                  }
                  return Status();
                });
}

Result<storeapi::LabelsAnswer> BucketStore::LabelValues(const storeapi::LabelsRequest& request,
                                                        const storeapi::CallContext& context) {
  if (storeapi::DropsLabel(request, request.label)) return storeapi::LabelsAnswer();
  auto walk_request = WalkRequest(request);
  return AskAll(wire::HintsOf::kLabelValues, request, context,
                [&](const Chosen& chosen, std::vector<std::string>* values) -> Status {
                  // What every series of the block has; but there must be one.
                  if (std::string_view value = chosen.block->facts().external.Get(request.label); !value.empty()) {
                    if (!chosen.matchers.empty()) {
                      SeriesWalk walk(*chosen.block, chosen.matchers, walk_request, context.cancel);
                      std::vector<SelectedSeries> series;
                      GN_ASSIGN(bool any, walk.Next(&series));
                      if (!any) return Status();
                    }
                    values->emplace_back(value);
                    return Status();
                  }
                  GN_ASSIGN(IndexTables tables, chosen.block->Tables(context.cancel));
                  BlockPostings postings(*chosen.block, *walk_request, context.cancel);
                  GN_ASSIGN(*values, tsdb::SelectLabelValues(*tables.postings, request.label, chosen.matchers,
                                                             static_cast<size_t>(std::max<int64_t>(request.limit, 0)),
                                                             postings, context.cancel));
                  return Status();
                });
}

}  // namespace gauntlet::store
