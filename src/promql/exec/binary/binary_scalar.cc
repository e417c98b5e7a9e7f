#include "promql/exec/binary/binary_scalar.h"

#include <algorithm>
#include <utility>

#include "promql/exec/binary/binary_histograms.h"
#include "promql/exec/binary/binary_kernels.h"
#include "promql/exec/rows/name_dropper.h"

namespace gauntlet::promql {
namespace {

class BinaryScalarStage : public Stage {
 public:
  BinaryScalarStage(ExecContext& context, const BinaryNode& node, std::unique_ptr<ScalarOperator> scalar,
                    bool scalar_first, bool careful)
      : node_(node), scalar_(std::move(scalar)), scalar_first_(scalar_first), dropper_(context, careful) {}

  Status Open() override { return scalar_->Evaluate(&values_); }
  bool input_first() const override { return !scalar_first_; }
  void Annotate(AnnotationSet* out) const override { scalar_->Annotate(out); }

  Status Apply(Row* row, WorkerScratch* scratch) const override {
    Column& column = row->column;
    if (!column.histograms().empty()) ApplyHistograms(&column, scratch);
    const double* lhs = scalar_first_ ? values_.data() : column.values();
    const double* rhs = scalar_first_ ? column.values() : values_.data();
    if (ChangesMetric(node_.op)) {
      GN_TRY(scratch->InBlocks(column.steps(), [&](uint32_t begin, uint32_t end) {
        ApplyArithmetic(node_.op, lhs + begin, rhs + begin, column.values() + begin, end - begin);
      }));
    } else if (IsComparison(node_.op)) {
      GN_TRY(scratch->InBlocks(column.steps(),
                               [&](uint32_t begin, uint32_t end) { Compare(lhs, rhs, begin, end, &column); }));
    } else if (column.CountFloats() > 0) {  // trim
      scratch->annotations.IncompatibleTypes("float", BinaryOpText(node_.op), "float", node_.pos);
      std::fill_n(column.present(), column.words(), 0);
    }
    if (column.empty()) return Status();
    if (ChangesMetric(node_.op) || node_.return_bool) return dropper_.Drop(row, scratch);
    return Status();
  }

 private:
  // A comparison keeps the vector's value, or gives 0 and 1.
  void Compare(const double* lhs, const double* rhs, uint32_t first, uint32_t end, Column* column) const {
    constexpr uint32_t kWords = 16;
    uint64_t holds[kWords];
    for (uint32_t begin = first; begin < end; begin += kWords * 64) {
      uint32_t count = std::min(kWords * 64, end - begin);
      ApplyComparison(node_.op, lhs + begin, rhs + begin, holds, count);
      if (node_.return_bool) {
        for (uint32_t i = 0; i < count; ++i) {
          column->values()[begin + i] = static_cast<double>(holds[i / 64] >> (i % 64) & 1);
        }
      } else {
        for (uint32_t w = 0; w < Column::WordCount(count); ++w) column->present()[begin / 64 + w] &= holds[w];
      }
    }
  }

  void ApplyHistograms(Column* column, WorkerScratch* scratch) const {
    std::vector<HistogramPoint> points = std::move(column->histograms());
    column->histograms().clear();
    Operand vector, scalar;
    HistogramPair pair;
    BinaryNote note = BinaryNote::kNone;
    for (HistogramPoint& p : points) {
      // Lookback repeats histograms.
      const bool repeated = p.histogram == vector.histogram && values_[p.step] == scalar.value;
      vector.histogram = std::move(p.histogram);
      scalar.value = values_[p.step];
      if (!repeated)
        pair = CombineHistograms(node_.op, scalar_first_ ? scalar : vector, scalar_first_ ? vector : scalar);
      if (pair.note != BinaryNote::kNone) note = pair.note;
      if (pair.histogram != nullptr) column->histograms().push_back({p.step, pair.histogram});
    }
    TellNote(note, node_.op, !scalar_first_, scalar_first_, node_.pos, &scratch->annotations);
  }

  const BinaryNode& node_;
  std::unique_ptr<ScalarOperator> scalar_;
  const bool scalar_first_;
  NameDropper dropper_;
  std::vector<double> values_;
};

class TrimOfScalar : public Operator {
 public:
  TrimOfScalar(ExecContext& context, const BinaryNode& node, std::unique_ptr<ScalarOperator> scalar,
               std::unique_ptr<Operator> input)
      : Operator(context, node), binary_(node), scalar_(std::move(scalar)) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    std::vector<double> values;
    GN_TRY(scalar_->Evaluate(&values));
    scalar_->Annotate(&below_);
    enum : uint8_t { kNothing, kFloat, kHistogram };
    std::vector<uint8_t> last(node_.grid.steps, kNothing);
    while (true) {
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(bool more, child().Next(batch));
      if (!more) break;
      for (const Row& row : *batch) {
        ForEachBit(row.column.present(), row.column.words(), [&](uint32_t step) { last[step] = kFloat; });
        for (const HistogramPoint& p : row.column.histograms()) last[p.step] = kHistogram;
      }
    }
    CloseChild();
    for (uint8_t kind : {kFloat, kHistogram}) {
      if (std::find(last.begin(), last.end(), kind) == last.end()) continue;
      TellNote(BinaryNote::kIncompatibleTypes, binary_.op, false, kind == kHistogram, node_.pos, &own_);
    }
    return false;
  }

 private:
  const BinaryNode& binary_;
  std::unique_ptr<ScalarOperator> scalar_;
};

}  // namespace

std::unique_ptr<Operator> MakeTrimOfScalar(ExecContext& context, const BinaryNode& node,
                                           std::unique_ptr<ScalarOperator> scalar, std::unique_ptr<Operator> input) {
  return std::make_unique<TrimOfScalar>(context, node, std::move(scalar), std::move(input));
}

std::unique_ptr<Stage> MakeBinaryScalar(ExecContext& context, const BinaryNode& node,
                                        std::unique_ptr<ScalarOperator> scalar, bool scalar_first, bool careful) {
  return std::make_unique<BinaryScalarStage>(context, node, std::move(scalar), scalar_first, careful);
}

}  // namespace gauntlet::promql
