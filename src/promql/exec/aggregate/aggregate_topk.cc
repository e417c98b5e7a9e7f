// topk and bottomk: per group and step a heap of the k best; series that are in none are forgotten.
//
// Which of equal values stays depends on the shape of the heap, so it is sifted as Go's container/heap does.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "promql/exec/aggregate/aggregate.h"
#include "promql/exec/rows/go_sort.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

struct Candidate {
  double value;
  uint32_t series;
};

// The worst candidate on top.
class CandidateHeap {
 public:
  // Whether a is worse than b; NaN is the worst.
  static bool Worse(bool top, double a, double b) { return std::isnan(a) || (top ? a < b : a > b); }

  // Returns whether the candidate is in.
  bool Offer(bool top, size_t k, Candidate candidate) {
    if (heap_.size() < k) {
      heap_.push_back(candidate);
      Up(top, heap_.size() - 1);
      return true;
    }
    double worst = heap_[0].value, v = candidate.value;
    if (!((top ? worst < v : worst > v) || (std::isnan(worst) && !std::isnan(v)))) return false;
    heap_[0] = candidate;
    Down(top);
    return true;
  }

  std::vector<Candidate>& candidates() { return heap_; }
  // Best first.
  void Sort(bool top) {
    GoSort(&heap_, [top](const Candidate& a, const Candidate& b) { return Worse(top, b.value, a.value); });
  }

 private:
  void Up(bool top, size_t j) {
    while (j > 0) {
      size_t i = (j - 1) / 2;
      if (!Worse(top, heap_[j].value, heap_[i].value)) break;
      std::swap(heap_[i], heap_[j]);
      j = i;
    }
  }
  void Down(bool top) {
    for (size_t i = 0;;) {
      size_t j = 2 * i + 1;
      if (j >= heap_.size()) return;
      if (j + 1 < heap_.size() && Worse(top, heap_[j + 1].value, heap_[j].value)) ++j;
      if (!Worse(top, heap_[j].value, heap_[i].value)) return;
      std::swap(heap_[i], heap_[j]);
      i = j;
    }
  }

  std::vector<Candidate> heap_;
};

// The steps, of one word of presence, whose value is better than the bar, or where there is none (NaN).
template <bool top>
[[gnu::always_inline]] inline uint64_t ContenderLoop(const double* values, const double* bars, uint32_t size) {
  uint64_t bits = 0;
  for (uint32_t i = 0; i < size; ++i) {
    const bool better = top ? values[i] > bars[i] : values[i] < bars[i];
    const bool contends = better | (bars[i] != bars[i]);
    bits |= uint64_t{contends} << i;
  }
  return bits;
}
GN_WIDE_VECTORS uint64_t Above(const double* values, const double* bars, uint32_t size) {
  return ContenderLoop<true>(values, bars, size);
}
GN_WIDE_VECTORS uint64_t Below(const double* values, const double* bars, uint32_t size) {
  return ContenderLoop<false>(values, bars, size);
}

class TopK : public Operator {
 public:
  TopK(ExecContext& context, const AggregateNode& node, std::unique_ptr<ScalarOperator> param,
       std::unique_ptr<Operator> input)
      : Operator(context, node),
        aggregate_(node),
        top_(node.op == AggregateOp::kTopK),
        unsure_order_(node.expr->unsure_order),
        param_(std::move(param)),
        grouping_(node.grouping, node.without) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    GN_ASSIGN(params_, EvaluateParams(*param_, aggregate_.param->kind == PlanKind::kNumber));
    param_->Annotate(&below_);
    Rows input;
    while (true) {
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(bool more, child().Next(&input));
      if (!more) break;
      if (!checked_) GN_TRY(CheckParams());
      if (params_.max < 1) continue;  // nothing to keep, but the input may have an error
      for (Row& row : input) GN_TRY(Add(&row));
    }
    CloseChild();
    if (!checked_) GN_TRY(CheckParams());
    if (params_.max < 1) return false;
    if (unsure_order_) GN_TRY(CheckTies());
    node_.grid.instant() ? EmitInOrder(batch) : EmitSeries(batch);
    GN_TRY(held_.Set(CountSamples(*batch)));
    charge_.Clear();
    return !batch->empty();
  }

 private:
  struct Series {
    Labels labels;
    bool drop_name;
  };

  Status CheckParams() {
    checked_ = true;
    return params_.max < 1 ? Status() : CheckCountParams(params_);
  }

  Status Add(Row* row) {
    if (!row->column.histograms().empty()) {
      own_.HistogramIgnoredInAggregation(top_ ? "topk" : "bottomk", node_.pos);
    }
    uint32_t group = grouping_.Find(row->labels);
    if (group == heaps_.size()) {
      heaps_.emplace_back(node_.grid.steps);
      bars_.emplace_back(node_.grid.steps, std::numeric_limits<double>::quiet_NaN());
      if (unsure_order_) left_out_.emplace_back(node_.grid.steps);
      GN_TRY(charge_.Grow(node_.grid.steps * (sizeof(CandidateHeap) + sizeof(double)) +
                          grouping_.labels(group).memory_bytes() + 64));
    }
    uint32_t index = static_cast<uint32_t>(series_.size());
    bool in_any = false;
    size_t grown = 0;
    auto offer = [&](uint32_t step) {
      double k = params_.values[step];
      if (!(k >= 1)) return;
      CandidateHeap& heap = heaps_[group][step];
      size_t before = heap.candidates().capacity();
      // k may be beyond any number of series, and then beyond size_t.
      size_t limit = k < 1e9 ? static_cast<size_t>(k) : size_t{1'000'000'000};
      const Candidate candidate{row->column.values()[step], index};
      const bool full = heap.candidates().size() == limit;
      const double worst = full ? heap.candidates()[0].value : 0;
      const bool in = heap.Offer(top_, limit, candidate);
      if (full && unsure_order_) Drop(in ? worst : candidate.value, &left_out_[group][step]);
      in_any |= in;
      if (heap.candidates().size() == limit) bars_[group][step] = heap.candidates()[0].value;
      grown += (heap.candidates().capacity() - before) * sizeof(Candidate);
    };
    GN_TRY(context_.InBlocks(node_.grid.steps, [&](uint32_t begin, uint32_t end) {
      for (; begin < end; begin += 64) {
        const uint64_t bits =
            row->column.present()[begin / 64] & Contenders(*row, group, begin, std::min(begin + 64, end));
        ForEachBit(&bits, 1, [&](uint32_t i) { offer(begin + i); });
      }
    }));
    if (in_any) {
      grown += sizeof(Series) + row->labels.memory_bytes();
      series_.push_back({std::move(row->labels), row->drop_name});
    }
    return charge_.Grow(grown);
  }

  // At most 64 steps. Whoever wants to know of those that are left out looks at all.
  uint64_t Contenders(const Row& row, uint32_t group, uint32_t begin, uint32_t end) const {
    if (unsure_order_) return ~uint64_t{0};
    const double *values = row.column.values() + begin, *bars = bars_[group].data() + begin;
    return top_ ? Above(values, bars, end - begin) : Below(values, bars, end - begin);
  }

  void Drop(double value, std::optional<double>* best) const {
    if (!*best || CandidateHeap::Worse(top_, **best, value)) *best = value;
  }

  // Where the order of the series is not upstream's, it must not matter: neither for which of equal values is in, nor,
  // in an instant query, for what comes first.
  Status CheckTies() {
    auto equal = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    const bool instant = node_.grid.instant();
    if (instant && heaps_.size() > 1) return context_.NeedsLocal();
    for (size_t group = 0; group < heaps_.size(); ++group) {
      for (uint32_t step = 0; step < node_.grid.steps; ++step) {
        CandidateHeap& heap = heaps_[group][step];
        const std::optional<double>& left_out = left_out_[group][step];
        if (left_out && equal(*left_out, heap.candidates()[0].value)) return context_.NeedsLocal();
        if (!instant) continue;
        heap.Sort(top_);
        const auto& best = heap.candidates();
        for (size_t i = 1; i < best.size(); ++i) {
          if (equal(best[i - 1].value, best[i].value)) return context_.NeedsLocal();
        }
      }
    }
    return Status();
  }

  // One step: group by group, best first.
  void EmitInOrder(Rows* batch) {
    for (auto& steps : heaps_) {
      steps[0].Sort(top_);
      for (const Candidate& c : steps[0].candidates()) {
        Row& row = batch->emplace_back();
        row.labels = std::move(series_[c.series].labels);
        row.drop_name = series_[c.series].drop_name;
        row.column = Column(1);
        row.column.Set(0, c.value);
      }
    }
  }

  void EmitSeries(Rows* batch) {
    std::vector<Row> rows(series_.size());
    for (auto& steps : heaps_) {
      for (uint32_t step = 0; step < node_.grid.steps; ++step) {
        for (const Candidate& c : steps[step].candidates()) {
          if (rows[c.series].column.steps() == 0) rows[c.series].column = Column(node_.grid.steps);
          rows[c.series].column.Set(step, c.value);
        }
      }
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].column.steps() == 0) continue;
      rows[i].labels = std::move(series_[i].labels);
      rows[i].drop_name = series_[i].drop_name;
      batch->push_back(std::move(rows[i]));
    }
  }

  const AggregateNode& aggregate_;
  const bool top_, unsure_order_;
  std::unique_ptr<ScalarOperator> param_;
  AggregateParams params_;
  bool checked_ = false;
  Grouping grouping_;
  // By group and step.
  std::vector<std::vector<CandidateHeap>> heaps_;
  std::vector<std::vector<double>> bars_;  // the worst of a heap that is full; NaN: whoever comes is offered
  std::vector<std::vector<std::optional<double>>> left_out_;  // the best value that is in no heap; with unsure order
  std::vector<Series> series_;                                // those that are or were in a heap
};

}  // namespace

std::unique_ptr<Operator> MakeTopK(ExecContext& context, const AggregateNode& node,
                                   std::unique_ptr<ScalarOperator> param, std::unique_ptr<Operator> input) {
  return std::make_unique<TopK>(context, node, std::move(param), std::move(input));
}

}  // namespace gauntlet::promql
