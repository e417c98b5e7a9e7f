#include "storage/merge.h"

#include <utility>

#include "base/loser_tree.h"
#include "storage/strings.h"

namespace gauntlet::storage {
namespace {

// Series of several sets with the same labels, in the order of the sets.
class ChainedSeries : public Series {
 public:
  explicit ChainedSeries(std::vector<std::unique_ptr<Series>> parts) : parts_(std::move(parts)) {}
  LabelsView labels() const override { return parts_[0]->labels(); }
  Status Read(Samples* out) const override {
    std::vector<Samples> columns(parts_.size());
    for (size_t i = 0; i < parts_.size(); ++i) GN_TRY(parts_[i]->Read(&columns[i]));
    ChainSamples(columns, out);
    return Status();
  }
  size_t memory_bytes() const override {
    size_t bytes = 0;
    for (const auto& part : parts_) bytes += part->memory_bytes();
    return bytes;
  }

 private:
  std::vector<std::unique_ptr<Series>> parts_;
};

class MergedSet : public SeriesSet {
 public:
  MergedSet(std::vector<std::unique_ptr<SeriesSet>> sets, int64_t limit)
      : sets_(std::move(sets)), heads_(sets_.size()), limit_(limit) {}

  Result<std::unique_ptr<Series>> Next() override {
    if (!status_.ok()) return status_;
    if (finished_) return std::unique_ptr<Series>();
    auto series = Merge();
    if (!series.ok()) status_ = series.status();
    if (!series.ok() || *series == nullptr || (limit_ > 0 && ++given_ == limit_)) Finish();
    return series;
  }
  const Annotations& annotations() const override { return annotations_; }

 private:
  bool Before(size_t i, size_t j) const {
    if (heads_[i] == nullptr || heads_[j] == nullptr) return heads_[j] == nullptr && (heads_[i] != nullptr || i < j);
    int order = CompareLabels(heads_[i]->labels(), heads_[j]->labels());
    return order != 0 ? order < 0 : i < j;
  }
  Status Advance(size_t i) {
    GN_ASSIGN(heads_[i], sets_[i]->Next());
    return Status();
  }
  Result<std::unique_ptr<Series>> Merge() {
    auto before = [this](size_t i, size_t j) { return Before(i, j); };
    if (!started_) {
      started_ = true;
      for (size_t i = 0; i < sets_.size(); ++i) GN_TRY(Advance(i));
      tree_.Start(sets_.size(), before);
    }
    if (heads_[tree_.winner()] == nullptr) return std::unique_ptr<Series>();
    std::vector<std::unique_ptr<Series>> same;
    do {
      size_t winner = tree_.winner();
      same.push_back(std::move(heads_[winner]));
      GN_TRY(Advance(winner));
      tree_.Replay(before);
    } while (heads_[tree_.winner()] != nullptr && heads_[tree_.winner()]->labels() == same[0]->labels());
    if (same.size() == 1) return std::move(same[0]);
    return std::unique_ptr<Series>(std::make_unique<ChainedSeries>(std::move(same)));
  }
  void Finish() {
    finished_ = true;
    for (const auto& set : sets_) annotations_.Merge(set->annotations());
  }

  std::vector<std::unique_ptr<SeriesSet>> sets_;
  std::vector<std::unique_ptr<Series>> heads_;  // the next series of each set; null when it ended
  const int64_t limit_;
  int64_t given_ = 0;
  bool started_ = false, finished_ = false;
  LoserTree tree_;
  Status status_;
  Annotations annotations_;
};

class EmptySet : public SeriesSet {
 public:
  Result<std::unique_ptr<Series>> Next() override { return std::unique_ptr<Series>(); }
  const Annotations& annotations() const override { return annotations_; }

 private:
  Annotations annotations_;
};

// A set whose failure before the first series is only a warning.
class SecondarySet : public SeriesSet {
 public:
  explicit SecondarySet(std::unique_ptr<SeriesSet> set) : set_(std::move(set)) {}
  Result<std::unique_ptr<Series>> Next() override {
    if (failed_) return std::unique_ptr<Series>();
    auto series = set_->Next();
    if (!series.ok() && first_ && !IsCallers(series.status().code())) {
      failed_ = true;
      annotations_.Warn(std::string(series.status().message()));
      return std::unique_ptr<Series>();
    }
    first_ = false;
    if (series.ok() && *series == nullptr) annotations_.Merge(set_->annotations());
    return series;
  }
  const Annotations& annotations() const override { return annotations_; }
  static bool IsCallers(Code code) { return code == Code::kCancelled; }

 private:
  std::unique_ptr<SeriesSet> set_;
  bool first_ = true, failed_ = false;
  Annotations annotations_;
};

// Walks one column; where its histograms are, too.
struct Cursor {
  const Samples* samples;
  size_t at = 0, histogram = 0;
  bool done() const { return at == samples->size(); }
  int64_t time() const { return samples->times_ms[at]; }
  bool on_histogram() const {
    return histogram < samples->histograms.size() && samples->histograms[histogram].position == at;
  }
  void Step() {
    histogram += on_histogram();
    ++at;
  }
};

void AppendFrom(const Cursor& from, bool after_its_neighbour, Samples* out) {
  auto position = static_cast<uint32_t>(out->size());
  out->times_ms.push_back(from.time());
  out->values.push_back(from.samples->values[from.at]);
  if (!from.samples->start_times_ms.empty() || !out->start_times_ms.empty()) {
    out->start_times_ms.resize(position + 1);
    if (!from.samples->start_times_ms.empty()) out->start_times_ms[position] = from.samples->start_times_ms[from.at];
  }
  if (!from.on_histogram()) return;
  auto& added = out->histograms.emplace_back(from.samples->histograms[from.histogram]);
  added.position = position;
  ResetHint& hint = added.histogram.reset_hint;
  if (!after_its_neighbour && hint != ResetHint::kGauge) hint = ResetHint::kUnknown;
}

}  // namespace

void ChainSamples(const std::vector<Samples>& parts, Samples* out) {
  std::vector<Cursor> cursors;
  for (const Samples& samples : parts) {
    if (samples.size() > 0) cursors.push_back({&samples});
  }
  if (cursors.empty()) return;
  auto before = [&](size_t i, size_t j) {
    if (cursors[i].done() || cursors[j].done()) return cursors[j].done() && (!cursors[i].done() || i < j);
    return cursors[i].time() != cursors[j].time() ? cursors[i].time() < cursors[j].time() : i < j;
  };
  LoserTree tree;
  tree.Start(cursors.size(), before);
  const size_t none = cursors.size();
  size_t previous = none;  // whose sample was taken last
  size_t previous_at = 0;  // and where it stood
  const size_t first = out->size();
  while (!cursors[tree.winner()].done()) {
    size_t winner = tree.winner();
    Cursor& cursor = cursors[winner];
    bool repeats = out->size() > first && out->times_ms.back() == cursor.time();
    if (!repeats) {
      bool neighbour = previous == winner && cursor.at == previous_at + 1;
      AppendFrom(cursor, neighbour || previous == none, out);
      previous = winner;
      previous_at = cursor.at;
    }
    cursor.Step();
    tree.Replay(before);
  }
}

std::unique_ptr<SeriesSet> MergeSeriesSets(std::vector<std::unique_ptr<SeriesSet>> sets, int64_t limit) {
  if (sets.empty()) return std::make_unique<EmptySet>();
  if (sets.size() == 1 && limit <= 0) return std::move(sets[0]);
  return std::make_unique<MergedSet>(std::move(sets), limit);
}

std::unique_ptr<SeriesSet> MergeQuerier::Select(const SelectHints& hints, std::span<const Matcher> matchers,
                                                const Cancel& cancel, MemoryBudget* budget) {
  std::vector<std::unique_ptr<SeriesSet>> sets;
  for (MergeSource& source : sources_) {
    auto set = source.querier->Select(hints, matchers, cancel, budget);
    if (source.secondary) set = std::make_unique<SecondarySet>(std::move(set));
    sets.push_back(std::move(set));
  }
  return MergeSeriesSets(std::move(sets), hints.limit);
}

template <typename Ask>
Result<Strings> MergeQuerier::AskAll(int64_t limit, const Ask& ask) {
  std::vector<Strings> parts;
  for (MergeSource& source : sources_) {
    auto part = ask(*source.querier);
    if (part.ok()) {
      parts.push_back(*std::move(part));
    } else if (source.secondary && !SecondarySet::IsCallers(part.status().code())) {
      parts.emplace_back().annotations.Warn(std::string(part.status().message()));
    } else {
      return part.status();
    }
  }
  Strings merged = MergeStrings(std::move(parts));
  Truncate(merged, limit);
  return merged;
}

Result<Strings> MergeQuerier::LabelNames(std::span<const Matcher> matchers, int64_t limit, const Cancel& cancel) {
  return AskAll(limit, [&](Querier& querier) { return querier.LabelNames(matchers, limit, cancel); });
}

Result<Strings> MergeQuerier::LabelValues(const std::string& name, std::span<const Matcher> matchers, int64_t limit,
                                          const Cancel& cancel) {
  return AskAll(limit, [&](Querier& querier) { return querier.LabelValues(name, matchers, limit, cancel); });
}

}  // namespace gauntlet::storage
