#include "storeapi/testing/memory_store.h"

#include <algorithm>
#include <set>

#include "storeapi/external_labels.h"
#include "storeapi/shard_filter.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::storeapi {
namespace {

constexpr int64_t kSamplesPerChunk = 120;

LabelsAnswer AnswerOf(const std::set<std::string>& values, int64_t limit) {
  LabelsAnswer answer;
  answer.values.assign(values.begin(), values.end());
  if (limit > 0 && answer.values.size() > static_cast<size_t>(limit)) answer.values.resize(limit);
  return answer;
}

}  // namespace

MemoryStore::MemoryStore(const ContractData& data, Age age) : age_(age), external_(data.external) {
  LabelRewriter rewriter(data.external, {});
  std::string packed;
  for (const ContractSeries& series : data.series) {
    rewriter.Rewrite(series.labels, &packed);
    series_.push_back({Labels::FromPacked(packed), series.samples});
  }
  std::sort(series_.begin(), series_.end(), [](const Held& a, const Held& b) { return a.labels < b.labels; });
}

std::vector<const MemoryStore::Held*> MemoryStore::Matching(const Matchers& matchers, int64_t start_ms,
                                                            int64_t end_ms) const {
  std::vector<const Held*> matching;
  for (const Held& held : series_) {
    bool in_range = std::any_of(held.samples.begin(), held.samples.end(),
                                [&](const auto& sample) { return sample.first >= start_ms && sample.first <= end_ms; });
    if (in_range && MatchesAll(matchers, held.labels)) matching.push_back(&held);
  }
  return matching;
}

std::unique_ptr<SeriesStream> MemoryStore::Series(const SeriesRequest& request, const CallContext&) {
  auto own = StripExternal(request.matchers, external_);
  if (own && own->empty())
    return FailedStream(Status(Code::kInvalid, "no matchers specified (excluding external labels)"));
  static const std::vector<std::string> kNone;
  const auto& without = age_ == Age::kOld ? kNone : request.without_replica_labels;
  LabelRewriter rewriter(LabelsView(), without);
  ShardFilter shard(age_ == Age::kOld ? ShardInfo() : request.shard);
  std::vector<std::pair<Labels, const Held*>> chosen;
  std::string packed;
  for (const Held* held : Matching(request.matchers, request.min_time_ms, request.max_time_ms)) {
    rewriter.Rewrite(held->labels, &packed);
    if (shard.Matches(LabelsView(packed))) chosen.emplace_back(Labels::FromPacked(packed), held);
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<SeriesBatchPtr> batches;
  int64_t distinct = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (i == 0 || !(chosen[i].first == chosen[i - 1].first)) ++distinct;
    if (request.limit > 0 && distinct > request.limit) break;
    std::vector<tsdb::EncodedChunk> encoded;
    if (!request.skip_chunks) {
      Samples samples;
      for (const auto& [time, value] : chosen[i].second->samples) {
        samples.times_ms.push_back(time);
        samples.values.push_back(value);
      }
      tsdb::EncodeSamples(samples, kSamplesPerChunk, &encoded);
    }
    std::erase_if(encoded, [&request](const tsdb::EncodedChunk& chunk) {
      return chunk.maxt_ms < request.min_time_ms || chunk.mint_ms > request.max_time_ms;
    });
    batches.push_back(BatchOf(chosen[i].first, encoded));
  }
  return BatchStream(std::move(batches));
}

Result<LabelsAnswer> MemoryStore::LabelNames(const LabelsRequest& request, const CallContext&) {
  std::set<std::string> names;
  for (const Held* held : Matching(request.matchers, request.start_ms, request.end_ms)) {
    for (const Label& label : held->labels) {
      if (age_ == Age::kOld || !DropsLabel(request, label.name)) names.emplace(label.name);
    }
  }
  return AnswerOf(names, request.limit);
}

Result<LabelsAnswer> MemoryStore::LabelValues(const LabelsRequest& request, const CallContext&) {
  std::set<std::string> values;
  if (age_ != Age::kOld && DropsLabel(request, request.label)) return LabelsAnswer();
  if (request.matchers.empty() && external_.Has(request.label)) values.emplace(external_.Get(request.label));
  for (const Held* held : Matching(request.matchers, request.start_ms, request.end_ms)) {
    if (held->labels.Has(request.label)) values.emplace(held->labels.Get(request.label));
  }
  return AnswerOf(values, request.limit);
}

}  // namespace gauntlet::storeapi
