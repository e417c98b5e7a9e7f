#include "storage/memory_storage.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/mutex.h"
#include "storage/strings.h"

namespace gauntlet::storage {
namespace {

struct LabelsOrder {
  using is_transparent = void;
  bool operator()(LabelsView a, LabelsView b) const { return CompareLabels(a, b) < 0; }
};

// Positions [first, second) of the samples with from <= time <= to.
std::pair<size_t, size_t> Positions(const Samples& samples, int64_t from, int64_t to) {
  auto begin = samples.times_ms.begin(), end = samples.times_ms.end();
  auto first = std::lower_bound(begin, end, from);
  auto last = std::upper_bound(first, end, to);
  return {static_cast<size_t>(first - begin), static_cast<size_t>(last - begin)};
}

auto FirstHistogramFrom(const Samples& samples, size_t position) {
  return std::lower_bound(samples.histograms.begin(), samples.histograms.end(), position,
                          [](const HistogramSample& h, size_t p) { return h.position < p; });
}

// Makes room for a sample at `time_ms`, or empties the one that is there; returns its position.
size_t PlaceFor(Samples& samples, int64_t time_ms) {
  auto at = std::lower_bound(samples.times_ms.begin(), samples.times_ms.end(), time_ms);
  auto position = at - samples.times_ms.begin();
  auto index = static_cast<size_t>(position);
  auto histogram = samples.histograms.begin() + (FirstHistogramFrom(samples, index) - samples.histograms.cbegin());
  if (at != samples.times_ms.end() && *at == time_ms) {
    if (histogram != samples.histograms.end() && histogram->position == index) samples.histograms.erase(histogram);
    return index;
  }
  samples.times_ms.insert(at, time_ms);
  samples.values.insert(samples.values.begin() + position, 0);
  if (!samples.start_times_ms.empty()) samples.start_times_ms.insert(samples.start_times_ms.begin() + position, 0);
  for (; histogram != samples.histograms.end(); ++histogram) ++histogram->position;
  return index;
}

}  // namespace

class MemoryStorage::Core {
 public:
  using Map = std::map<Labels, std::shared_ptr<Samples>, LabelsOrder>;

  void Append(LabelsView labels, int64_t time_ms, double value, Histogram* histogram, int64_t start_time_ms) {
    MutexLock lock(mutex_);
    auto at = series_.lower_bound(labels);
    if (at == series_.end() || !(at->first.view() == labels)) {
      at = series_.emplace_hint(at, Labels(labels), std::make_shared<Samples>());
    }
    Samples& samples = *at->second;
    size_t position = PlaceFor(samples, time_ms);
    samples.values[position] = value;
    if (start_time_ms != 0) samples.start_times_ms.resize(samples.size());
    if (!samples.start_times_ms.empty()) samples.start_times_ms[position] = start_time_ms;
    if (histogram != nullptr) {
      auto before = FirstHistogramFrom(samples, position);
      samples.histograms.insert(before, {static_cast<uint32_t>(position), std::move(*histogram)});
    }
  }
  void Clear() {
    MutexLock lock(mutex_);
    series_.clear();
  }
  size_t size() {
    MutexLock lock(mutex_);
    return series_.size();
  }
  // Calls `visit(labels, samples)` for each match with a sample in the range, in order, until it returns false.
  template <typename Visit>
  void ForEach(std::span<const Matcher> matchers, int64_t from, int64_t to, const Visit& visit) {
    MutexLock lock(mutex_);
    for (const auto& [labels, samples] : series_) {
      if (!MatchesAll(matchers, labels)) continue;
      auto [first, last] = Positions(*samples, from, to);
      if (first != last && !visit(labels, samples)) return;
    }
  }
  void Read(const Samples& samples, int64_t from, int64_t to, Samples* out) {
    MutexLock lock(mutex_);
    auto [first, last] = Positions(samples, from, to);
    AppendRange(samples, first, last, out);
  }
  size_t MemoryBytes(const Samples& samples) {
    MutexLock lock(mutex_);
    return samples.memory_bytes();
  }

 private:
  Mutex mutex_;
  Map series_ GN_GUARDED_BY(mutex_);  // the samples too, which series in flight share
};

namespace {

using Core = MemoryStorage::Core;

class MemorySeries : public Series {
 public:
  MemorySeries(std::shared_ptr<Core> core, Labels labels, std::shared_ptr<Samples> samples, int64_t from, int64_t to)
      : core_(std::move(core)), labels_(std::move(labels)), samples_(std::move(samples)), from_(from), to_(to) {}
  LabelsView labels() const override { return labels_; }
  Status Read(Samples* out) const override {
    core_->Read(*samples_, from_, to_, out);
    return Status();
  }
  size_t memory_bytes() const override { return labels_.memory_bytes() + core_->MemoryBytes(*samples_); }

 private:
  std::shared_ptr<Core> core_;
  Labels labels_;
  std::shared_ptr<Samples> samples_;
  int64_t from_, to_;
};

class MemorySeriesSet : public SeriesSet {
 public:
  MemorySeriesSet(std::vector<std::unique_ptr<Series>> series, Cancel cancel)
      : series_(std::move(series)), cancel_(std::move(cancel)) {}
  Result<std::unique_ptr<Series>> Next() override {
    if (cancel_.stopped()) return cancel_.status();
    return next_ == series_.size() ? std::unique_ptr<Series>() : std::move(series_[next_++]);
  }
  const Annotations& annotations() const override { return annotations_; }

 private:
  std::vector<std::unique_ptr<Series>> series_;
  size_t next_ = 0;
  Cancel cancel_;
  Annotations annotations_;
};

class MemoryQuerier : public Querier {
 public:
  MemoryQuerier(std::shared_ptr<Core> core, int64_t mint_ms, int64_t maxt_ms)
      : core_(std::move(core)), mint_ms_(mint_ms), maxt_ms_(maxt_ms) {}

  std::unique_ptr<SeriesSet> Select(const SelectHints& hints, std::span<const Matcher> matchers, const Cancel& cancel,
                                    MemoryBudget*) override {
    int64_t from = std::max(mint_ms_, hints.start_ms), to = std::min(maxt_ms_, hints.end_ms);
    std::vector<std::unique_ptr<Series>> series;
    core_->ForEach(matchers, from, to, [&](const Labels& labels, const std::shared_ptr<Samples>& samples) {
      series.push_back(std::make_unique<MemorySeries>(core_, labels, samples, from, to));
      return hints.limit <= 0 || series.size() < static_cast<size_t>(hints.limit);
    });
    return std::make_unique<MemorySeriesSet>(std::move(series), cancel);
  }
  Result<Strings> LabelNames(std::span<const Matcher> matchers, int64_t limit, const Cancel& cancel) override {
    if (cancel.stopped()) return cancel.status();
    std::set<std::string, std::less<>> names;
    core_->ForEach(matchers, mint_ms_, maxt_ms_, [&](const Labels& labels, const auto&) {
      for (const Label& label : labels) names.emplace(label.name);
      return true;
    });
    return Limited(names, limit);
  }
  Result<Strings> LabelValues(const std::string& name, std::span<const Matcher> matchers, int64_t limit,
                              const Cancel& cancel) override {
    if (cancel.stopped()) return cancel.status();
    std::set<std::string, std::less<>> values;
    core_->ForEach(matchers, mint_ms_, maxt_ms_, [&](const Labels& labels, const auto&) {
      if (labels.Has(name)) values.emplace(labels.Get(name));
      return true;
    });
    return Limited(values, limit);
  }

 private:
  static Strings Limited(const std::set<std::string, std::less<>>& values, int64_t limit) {
    Strings strings;
    strings.values.assign(values.begin(), values.end());
    Truncate(strings, limit);
    return strings;
  }

  std::shared_ptr<Core> core_;
  int64_t mint_ms_, maxt_ms_;
};

}  // namespace

MemoryStorage::MemoryStorage() : core_(std::make_shared<Core>()) {}
MemoryStorage::~MemoryStorage() = default;

void MemoryStorage::Append(LabelsView labels, int64_t time_ms, double value, int64_t start_time_ms) {
  core_->Append(labels, time_ms, value, nullptr, start_time_ms);
}

void MemoryStorage::AppendHistogram(LabelsView labels, int64_t time_ms, Histogram histogram, int64_t start_time_ms) {
  core_->Append(labels, time_ms, 0, &histogram, start_time_ms);
}

void MemoryStorage::Clear() { core_->Clear(); }
size_t MemoryStorage::series_count() const { return core_->size(); }

Result<std::unique_ptr<Querier>> MemoryStorage::MakeQuerier(int64_t mint_ms, int64_t maxt_ms) {
  return std::unique_ptr<Querier>(std::make_unique<MemoryQuerier>(core_, mint_ms, maxt_ms));
}

}  // namespace gauntlet::storage
