#include "promql/exec/binary_scalar.h"

#include <algorithm>
#include <utility>

#include "promql/exec/binary_kernels.h"
#include "promql/exec/name_dropper.h"
#include "promql/exec/range_function.h"

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
    if (!column.histograms().empty()) GN_TRY(ApplyHistograms(&column, scratch));
    const double* lhs = scalar_first_ ? values_.data() : column.values();
    const double* rhs = scalar_first_ ? column.values() : values_.data();
    if (ChangesMetric(node_.op)) {
      ApplyArithmetic(node_.op, lhs, rhs, column.values(), column.steps());
    } else if (IsComparison(node_.op)) {
      Compare(lhs, rhs, &column);
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
  void Compare(const double* lhs, const double* rhs, Column* column) const {
    constexpr uint32_t kWords = 16;
    uint64_t holds[kWords];
    for (uint32_t begin = 0; begin < column->steps(); begin += kWords * 64) {
      uint32_t count = std::min(kWords * 64, column->steps() - begin);
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

  Status ApplyHistograms(Column* column, WorkerScratch* scratch) const {
    bool trim = node_.op == BinaryOp::kTrimLower || node_.op == BinaryOp::kTrimUpper;
    if (node_.op == BinaryOp::kMul || (!scalar_first_ && (node_.op == BinaryOp::kDiv || trim))) {
      return HistogramsUnsupported(std::string("operator ") + BinaryOpText(node_.op));
    }
    std::string_view vector = "histogram", scalar = "float";
    scratch->annotations.IncompatibleTypes(scalar_first_ ? scalar : vector, BinaryOpText(node_.op),
                                           scalar_first_ ? vector : scalar, node_.pos);
    column->histograms().clear();
    return Status();
  }

  const BinaryNode& node_;
  std::unique_ptr<ScalarOperator> scalar_;
  const bool scalar_first_;
  NameDropper dropper_;
  std::vector<double> values_;
};

}  // namespace

std::unique_ptr<Stage> MakeBinaryScalar(ExecContext& context, const BinaryNode& node,
                                        std::unique_ptr<ScalarOperator> scalar, bool scalar_first, bool careful) {
  return std::make_unique<BinaryScalarStage>(context, node, std::move(scalar), scalar_first, careful);
}

}  // namespace gauntlet::promql
