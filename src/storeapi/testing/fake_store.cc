#include "storeapi/testing/fake_store.h"

#include <algorithm>
#include <set>

#include "base/sleep.h"

namespace gauntlet::storeapi {

class FakeStream : public SeriesStream {
 public:
  FakeStream(FakeStore& store, Cancel cancel, std::vector<FakeSeries> series)
      : store_(store), cancel_(std::move(cancel)), series_(std::move(series)) {}

  Result<SeriesBatchPtr> Next() override {
    if (store_.hang_) {
      while (SleepFor(std::chrono::hours(1), cancel_)) {
      }
      return cancel_.status();
    }
    if (next_ >= store_.fail_after_) return store_.error_;
    if (next_ == series_.size()) return SeriesBatchPtr();
    return MakeBatch({series_[next_++]});
  }

  std::vector<std::string> TakeWarnings() override {
    return std::exchange(warned_, true) ? std::vector<std::string>() : store_.warnings_;
  }

 private:
  FakeStore& store_;
  Cancel cancel_;
  std::vector<FakeSeries> series_;
  size_t next_ = 0;
  bool warned_ = false;
};

std::unique_ptr<SeriesStream> FakeStore::Series(const SeriesRequest& request, const CallContext& context) {
  std::vector<FakeSeries> matching;
  for (const FakeSeries& series : series_) {
    if (MatchesAll(request.matchers, series.labels)) matching.push_back(series);
  }
  return std::make_unique<FakeStream>(*this, context.cancel, std::move(matching));
}

Result<LabelsAnswer> FakeStore::LabelNames(const LabelsRequest& request, const CallContext&) {
  if (!error_.ok()) return error_;
  std::set<std::string> names;
  for (const FakeSeries& series : series_) {
    if (!MatchesAll(request.matchers, series.labels)) continue;
    for (const Label& label : series.labels) names.emplace(label.name);
  }
  return LabelsAnswer{{names.begin(), names.end()}, warnings_};
}

Result<LabelsAnswer> FakeStore::LabelValues(const LabelsRequest& request, const CallContext&) {
  if (!error_.ok()) return error_;
  std::set<std::string> values;
  for (const FakeSeries& series : series_) {
    if (MatchesAll(request.matchers, series.labels) && series.labels.Has(request.label))
      values.emplace(series.labels.Get(request.label));
  }
  return LabelsAnswer{{values.begin(), values.end()}, warnings_};
}

Labels MakeLabels(std::initializer_list<std::pair<const char*, const char*>> pairs) {
  return Labels::From({pairs.begin(), pairs.end()});
}

SeriesBatchPtr MakeBatch(const std::vector<FakeSeries>& series) {
  auto batch = std::make_shared<SeriesBatch>();
  size_t bytes = 0;
  for (const FakeSeries& s : series) {
    for (const auto& [time, data] : s.chunks) bytes += data.size();
  }
  batch->frame()->reserve(bytes);
  for (const FakeSeries& s : series) {
    std::vector<wire::ChunkView> chunks;
    for (const auto& [time, data] : s.chunks) {
      size_t at = batch->frame()->size();
      batch->frame()->append(data);
      wire::ChunkView chunk;
      chunk.min_time_ms = time;
      chunk.max_time_ms = time + 1;
      chunk.data = std::string_view(*batch->frame()).substr(at, data.size());
      chunks.push_back(chunk);
    }
    batch->Add(s.labels, chunks);
  }
  return batch;
}

std::vector<std::string> Drain(SeriesStream& stream) {
  std::vector<std::string> lines;
  while (true) {
    Result<SeriesBatchPtr> batch = stream.Next();
    if (!batch.ok()) lines.push_back("error: " + std::string(batch.status().message()));
    if (!batch.ok() || !*batch) return lines;
    for (size_t i = 0; i < (*batch)->size(); ++i) {
      std::string line = (*batch)->labels(i).ToString();
      for (const auto& chunk : (*batch)->chunks(i))
        line += " " + std::to_string(chunk.min_time_ms) + ":" + std::string(chunk.data);
      lines.push_back(std::move(line));
    }
  }
}

}  // namespace gauntlet::storeapi
