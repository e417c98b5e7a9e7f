#include "promql/exec/rows/merge.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/hash.h"

namespace gauntlet::promql {
namespace {

struct HashLabels {
  size_t operator()(std::string_view packed) const { return XxHash64(packed); }
};

class Merge : public Operator {
 public:
  Merge(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input) : Operator(context, node) {
    AddChild(std::move(input));
  }
  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    GN_TRY(Drain(0, batch));
    GN_TRY(MergeSameLabels(context_, batch, MergedName::kOfFirstStep));
    GN_TRY(held_.Set(CountSamples(*batch)));
    charge_.Clear();
    return !batch->empty();
  }
};

class Unique : public Operator {
 public:
  Unique(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input) : Operator(context, node) {
    AddChild(std::move(input));
  }
  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    GN_ASSIGN(bool more, child().Next(batch));
    if (!more) {
      int64_t held = 0;
      std::swap(held, points_);
      CloseChild();
      GN_TRY(held_.Set(held));
      return false;
    }
    points_ += CountSamples(*batch);
    for (const Row& row : *batch) {
      if (!seen_.insert(row.labels.Hash()).second) return SameLabelset();
      GN_TRY(charge_.Grow(4 * sizeof(uint64_t)));
    }
    return true;
  }

 private:
  std::unordered_set<uint64_t> seen_;  // by hash, as upstream
  int64_t points_ = 0;
};

uint32_t FirstStep(const Column& column) {
  uint32_t first = column.histograms().empty() ? column.steps() : column.histograms().front().step;
  for (uint32_t w = 0; w < column.words(); ++w) {
    if (column.present()[w] == 0) continue;
    return std::min(first, w * 64 + static_cast<uint32_t>(std::countr_zero(column.present()[w])));
  }
  return first;
}

}  // namespace

Status MergeColumns(const ExecContext& context, Column* column, Column&& other) {
  const uint32_t words = column->words();
  std::vector<uint64_t> mine(words), theirs(words);
  column->OrPresence(mine.data());
  other.OrPresence(theirs.data());
  for (uint32_t w = 0; w < words; ++w) {
    if ((mine[w] & theirs[w]) != 0) return SameLabelset();
  }
  GN_TRY(context.ForEachStep(other.present(), other.steps(),
                             [&](uint32_t step) { column->Set(step, other.values()[step]); }));
  auto& histograms = column->histograms();
  histograms.insert(histograms.end(), std::make_move_iterator(other.histograms().begin()),
                    std::make_move_iterator(other.histograms().end()));
  std::sort(histograms.begin(), histograms.end(),
            [](const HistogramPoint& a, const HistogramPoint& b) { return a.step < b.step; });
  return Status();
}

Status MergeSameLabels(const ExecContext& context, Rows* rows, MergedName name) {
  if (rows->size() < 2) return Status();
  std::unordered_map<std::string_view, size_t, HashLabels> first;
  first.reserve(rows->size());
  bool merged = false;
  for (size_t i = 0; i < rows->size(); ++i) {
    if (i % kPollSteps == kPollSteps - 1) GN_TRY(context.CheckCancel());
    auto [at, inserted] = first.try_emplace((*rows)[i].labels.packed(), i);
    if (inserted) continue;
    merged = true;
    Row &into = (*rows)[at->second], &row = (*rows)[i];
    if (name == MergedName::kOfFirstStep && FirstStep(row.column) < FirstStep(into.column)) {
      into.drop_name = row.drop_name;
    }
    GN_TRY(context.CheckCancel());
    GN_TRY(MergeColumns(context, &into.column, std::move(row.column)));
    row.column = Column();
  }
  if (merged) std::erase_if(*rows, [](const Row& row) { return row.column.steps() == 0; });
  return Status();
}

std::unique_ptr<Operator> MakeMerge(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input) {
  return std::make_unique<Merge>(context, node, std::move(input));
}
std::unique_ptr<Operator> MakeUnique(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input) {
  return std::make_unique<Unique>(context, node, std::move(input));
}

}  // namespace gauntlet::promql
