// sum and avg: per group and step a sum with its compensation, added in the order of the series, as upstream; so the
// bits are the same whatever the number of threads.
//
// An average whose sum would overflow goes on as an incremental mean from there, step by step.

#include <bit>
#include <cmath>
#include <cstring>

#include "promql/exec/aggregate/aggregate.h"
#include "promql/exec/aggregate/group_histograms.h"
#include "promql/exec/rows/math.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

GN_WIDE_VECTORS void AddToSums(const double* values, double* sums, double* compensations, uint32_t size) {
  for (uint32_t i = 0; i < size; ++i) KahanAdd(values[i], sums[i], compensations[i]);
}

GN_WIDE_VECTORS void Increment(double* counts, uint32_t size) {
  for (uint32_t i = 0; i < size; ++i) counts[i] += 1;
}

// Whether adding would overflow somewhere, or has before.
GN_WIDE_VECTORS bool MayOverflow(const double* values, const double* sums, uint32_t size) {
  bool any = false;
  for (uint32_t i = 0; i < size; ++i) any |= !(std::fabs(sums[i] + values[i]) <= std::numeric_limits<double>::max());
  return any;
}

class SumAccumulator : public Accumulator {
 public:
  explicit SumAccumulator(const AggregateCall& call)
      : call_(call), average_(call.op == AggregateOp::kAvg), words_(Column::WordCount(call.steps)) {}

  size_t AddGroup() override {
    Group& group = groups_.emplace_back();
    size_t doubles = (average_ ? 3 : 2) * call_.steps;
    group.data = std::make_unique<double[]>(doubles);
    for (uint32_t i = 0; i < call_.steps; ++i) group.data[i] = -0.0;  // neutral, also for -0
    group.seen = std::make_unique<uint64_t[]>(words_);
    return sizeof(Group) + (doubles + words_) * sizeof(double);
  }

  Result<size_t> Add(uint32_t index, Row* row, AnnotationSet* annotations) override {
    Group& group = groups_[index];
    const Column& column = row->column;
    size_t grown = 0;
    if (group.histograms != nullptr || !column.histograms().empty()) [[unlikely]] {
      grown = AddHistograms(&group, *row, annotations);
    }
    const uint64_t* present = column.present();
    for (uint32_t w = 0; w < words_; ++w) {
      group.seen[w] |= present[w];
    }
    GN_TRY(call_.context->InBlocks(call_.steps, [&](uint32_t begin, uint32_t end) {
      AddWords(&group, column, begin / 64, Column::WordCount(end));
    }));
    return grown;
  }

  Status Finish(uint32_t index, Column* out, AnnotationSet* annotations) override {
    Group& group = groups_[index];
    double *sums = Sums(&group), *cs = Compensations(&group);
    GN_TRY(call_.context->InBlocks(call_.steps, [&](uint32_t begin, uint32_t end) {
      for (uint32_t i = begin; i < end; ++i) {
        if (!average_) {
          out->values()[i] = sums[i] + cs[i];
        } else if (group.incremental.empty() || !(group.incremental[i / 64] >> (i % 64) & 1)) {
          double n = Counts(&group)[i];
          out->values()[i] = sums[i] / n + cs[i] / n;
        } else {
          out->values()[i] = sums[i] + cs[i];
        }
      }
    }));
    std::memcpy(out->present(), group.seen.get(), words_ * sizeof(uint64_t));
    if (group.histograms != nullptr) group.histograms->Finish(call_.expr_pos, out, annotations);
    group = Group();
    return Status();
  }

 private:
  struct Group {
    // Sums, compensations, and for an average counts: `steps` of each. Where `incremental` says so, the sum is a mean.
    std::unique_ptr<double[]> data;
    std::unique_ptr<uint64_t[]> seen;
    std::vector<uint64_t> incremental;
    std::unique_ptr<GroupHistograms> histograms;  // from the first one on
  };
  double* Sums(Group* g) const { return g->data.get(); }
  double* Compensations(Group* g) const { return g->data.get() + call_.steps; }
  double* Counts(Group* g) const { return g->data.get() + 2 * call_.steps; }
  uint64_t FullWord(uint32_t w) const {
    return w + 1 == words_ && call_.steps % 64 != 0 ? (uint64_t{1} << (call_.steps % 64)) - 1 : ~uint64_t{0};
  }

  size_t AddHistograms(Group* group, const Row& row, AnnotationSet* annotations) const {
    if (group->histograms == nullptr) {
      group->histograms = std::make_unique<GroupHistograms>(
          average_, std::vector<uint64_t>(group->seen.get(), group->seen.get() + words_));
    }
    return group->histograms->Add(row, call_.expr_pos, annotations);
  }

  // The floats of the words [w, end).
  void AddWords(Group* group, const Column& column, uint32_t w, uint32_t end) {
    const uint64_t* present = column.present();
    while (w < end) {
      // A run of words that are wholly present.
      uint32_t run = w;
      while (run < end && present[run] == FullWord(run)) ++run;
      if (run > w) {
        AddRun(group, column.values(), w * 64, std::min(run * 64, call_.steps));
        w = run;
        continue;
      }
      for (uint64_t bits = present[w]; bits != 0; bits &= bits - 1) {
        AddOne(group, column.values(), w * 64 + static_cast<uint32_t>(std::countr_zero(bits)));
      }
      ++w;
    }
  }

  void AddRun(Group* group, const double* values, uint32_t begin, uint32_t end) {
    double *sums = Sums(group), *cs = Compensations(group);
    if (average_ && (!group->incremental.empty() || MayOverflow(values + begin, sums + begin, end - begin))) {
      for (uint32_t i = begin; i < end; ++i) AddOne(group, values, i);
      return;
    }
    AddToSums(values + begin, sums + begin, cs + begin, end - begin);
    if (average_) Increment(Counts(group) + begin, end - begin);
  }

  void AddOne(Group* group, const double* values, uint32_t i) {
    double &sum = Sums(group)[i], &c = Compensations(group)[i], v = values[i];
    if (!average_) return KahanAdd(v, sum, c);
    double& count = Counts(group)[i];
    count += 1;
    if (count == 1) {
      sum = v;
      return;
    }
    bool incremental = !group->incremental.empty() && (group->incremental[i / 64] >> (i % 64) & 1);
    if (!incremental) {
      double new_sum = sum, new_c = c;
      KahanAdd(v, new_sum, new_c);
      if (!std::isinf(new_sum)) {
        sum = new_sum;
        c = new_c;
        return;
      }
      group->incremental.resize(words_);
      group->incremental[i / 64] |= uint64_t{1} << (i % 64);
      sum /= count - 1;
      c /= count - 1;
    }
    double q = (count - 1) / count;
    sum *= q;
    c *= q;
    KahanAdd(v / count, sum, c);
  }

  const AggregateCall call_;
  const bool average_;
  const uint32_t words_;
  std::vector<Group> groups_;
};

}  // namespace

std::unique_ptr<Accumulator> MakeSumAccumulator(const AggregateCall& call) {
  return std::make_unique<SumAccumulator>(call);
}

}  // namespace gauntlet::promql
