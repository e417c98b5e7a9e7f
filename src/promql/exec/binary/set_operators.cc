// and, or, unless. For `and` and `unless` of the right side only its presence is kept; the left side streams.

#include <algorithm>
#include <utility>

#include "promql/exec/binary/binary_vector.h"
#include "promql/exec/binary/matching.h"
#include "promql/exec/rows/grouping.h"
#include "promql/exec/rows/merge.h"

namespace gauntlet::promql {
namespace {

using Bits = std::vector<uint64_t>;

// The steps at which each match group has something.
class GroupPresence {
 public:
  GroupPresence(const std::vector<std::string>& names, bool on, uint32_t words)
      : grouping_(names, !on), words_(words) {}
  Bits& Find(LabelsView labels) {
    uint32_t group = grouping_.Find(labels);
    if (group == bits_.size()) bits_.emplace_back(words_);
    return bits_[group];
  }
  size_t size() const { return bits_.size(); }

 private:
  Grouping grouping_;
  const uint32_t words_;
  std::vector<Bits> bits_;
};

// Leaves of the column only the steps whose bit in `mask`, XORed with `flip`, is set.
void Mask(Column* column, const Bits& mask, uint64_t flip) {
  for (uint32_t w = 0; w < column->words(); ++w) column->present()[w] &= mask[w] ^ flip;
  std::erase_if(column->histograms(),
                [&](const HistogramPoint& p) { return !((mask[p.step / 64] ^ flip) >> (p.step % 64) & 1); });
}

class SetOperator : public Operator {
 public:
  SetOperator(ExecContext& context, const BinaryNode& node, std::unique_ptr<Operator> lhs,
              std::unique_ptr<Operator> rhs)
      : Operator(context, node),
        op_(node.op),
        names_(SortedMatchNames(*node.matching)),
        groups_(names_, node.matching->on, Column::WordCount(node.grid.steps)) {
    AddChild(std::move(lhs));
    AddChild(std::move(rhs));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (op_ == BinaryOp::kOr) return Or(batch);
    if (children_[1] != nullptr) {
      Status status = Watch(1);
      if (!status.ok()) {
        // Upstream evaluates the left side first; an error of its own comes before this one.
        GN_TRY(Exhaust(0));
        return status;
      }
    }
    while (children_[0] != nullptr) {
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(bool more, child(0).Next(batch));
      if (!more) {
        CloseChild(0);
        break;
      }
      for (Row& row : *batch) Mask(&row.column, groups_.Find(row.labels), op_ == BinaryOp::kAnd ? 0 : ~uint64_t{0});
      std::erase_if(*batch, [](const Row& row) { return row.column.empty(); });
      points_ += CountSamples(*batch);
      GN_TRY(held_.Set(points_));
      if (!batch->empty()) return true;
    }
    return false;
  }

 private:
  // Pulls a child dry, keeping only where its groups have something.
  Status Watch(size_t i) {
    Rows batch;
    while (true) {
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(bool more, child(i).Next(&batch));
      if (!more) break;
      size_t before = groups_.size();
      for (const Row& row : batch) row.column.OrPresence(groups_.Find(row.labels).data());
      GN_TRY(charge_.Grow((groups_.size() - before) * (Column::WordCount(node_.grid.steps) * sizeof(uint64_t) + 256)));
    }
    CloseChild(i);
    return Status();
  }

  // Once a row of what is held: now and then whether the query is over.
  Status Poll() {
    polled_ += 64 + Column::WordCount(node_.grid.steps);
    if (polled_ < kPollSteps) return Status();
    polled_ = 0;
    return context_.CheckCancel();
  }

  Result<bool> Or(Rows* batch) {
    if (children_[0] == nullptr) return false;
    Rows rhs;
    GN_TRY(Drain(0, batch));
    for (const Row& row : *batch) {
      GN_TRY(Poll());
      row.column.OrPresence(groups_.Find(row.labels).data());
    }
    GN_TRY(Drain(1, &rhs));
    for (Row& row : rhs) {
      GN_TRY(Poll());
      Mask(&row.column, groups_.Find(row.labels), ~uint64_t{0});
      if (!row.column.empty()) batch->push_back(std::move(row));
    }
    bool keep_equal = node_.grid.instant() && context_.options.delayed_name_removal;
    if (!keep_equal) GN_TRY(MergeSameLabels(context_, batch, MergedName::kOfFirstStep));
    GN_TRY(held_.Set(CountSamples(*batch)));
    charge_.Clear();
    return !batch->empty();
  }

  const BinaryOp op_;
  const std::vector<std::string> names_;
  GroupPresence groups_;
  int64_t points_ = 0;
  uint64_t polled_ = 0;
};

}  // namespace

std::unique_ptr<Operator> MakeSetOperator(ExecContext& context, const BinaryNode& node, std::unique_ptr<Operator> lhs,
                                          std::unique_ptr<Operator> rhs) {
  return std::make_unique<SetOperator>(context, node, std::move(lhs), std::move(rhs));
}

}  // namespace gauntlet::promql
