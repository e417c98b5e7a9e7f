#include "promql/exec/scalar.h"

#include <cmath>
#include <utility>

#include "base/float_limits.h"
#include "promql/exec/math.h"
#include "promql/plan/arithmetic.h"

namespace gauntlet::promql {
namespace {

class Constant : public ScalarOperator {
 public:
  Constant(double value, uint32_t steps) : value_(value), steps_(steps) {}
  Status Evaluate(std::vector<double>* values) override {
    values->assign(steps_, value_);
    return Status();
  }

 private:
  const double value_;
  const uint32_t steps_;
};

class Time : public ScalarOperator {
 public:
  explicit Time(const StepGrid& grid) : grid_(grid) {}
  Status Evaluate(std::vector<double>* values) override {
    values->resize(grid_.steps);
    for (uint32_t i = 0; i < grid_.steps; ++i) (*values)[i] = static_cast<double>(grid_.time_ms(i)) / 1000;
    return Status();
  }

 private:
  const StepGrid grid_;
};

class ScalarOfVector : public ScalarOperator {
 public:
  ScalarOfVector(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input)
      : steps_(node.grid.steps), held_(context.meter), input_(std::move(input)) {}

  Status Evaluate(std::vector<double>* values) override {
    values->assign(steps_, kNaN);
    std::vector<uint64_t> once(Column::WordCount(steps_)), again(once.size());
    Rows batch;
    while (true) {
      GN_ASSIGN(bool more, input_->Next(&batch));
      if (!more) break;
      for (const Row& row : batch) {
        for (size_t w = 0; w < once.size(); ++w) {
          again[w] |= once[w] & row.column.present()[w];
          once[w] |= row.column.present()[w];
        }
        ForEachBit(row.column.present(), row.column.words(),
                   [&](uint32_t step) { (*values)[step] = row.column.values()[step]; });
      }
    }
    ForEachBit(again.data(), static_cast<uint32_t>(again.size()), [&](uint32_t step) { (*values)[step] = kNaN; });
    input_->Annotate(&annotations_);
    input_.reset();
    return held_.Set(steps_);
  }
  void Annotate(AnnotationSet* out) const override {
    if (input_ != nullptr) input_->Annotate(out);
    out->Merge(annotations_);
  }

 private:
  const uint32_t steps_;
  HeldSamples held_;
  std::unique_ptr<Operator> input_;
  AnnotationSet annotations_;
};

// One made of others.
class Composite : public ScalarOperator {
 public:
  explicit Composite(std::unique_ptr<ScalarOperator> lhs, std::unique_ptr<ScalarOperator> rhs = nullptr)
      : lhs_(std::move(lhs)), rhs_(std::move(rhs)) {}
  void Annotate(AnnotationSet* out) const override {
    lhs_->Annotate(out);
    if (rhs_ != nullptr) rhs_->Annotate(out);
  }

 protected:
  std::unique_ptr<ScalarOperator> lhs_, rhs_;
};

template <typename Fn>
class Pairwise : public Composite {
 public:
  Pairwise(std::unique_ptr<ScalarOperator> lhs, std::unique_ptr<ScalarOperator> rhs, Fn fn)
      : Composite(std::move(lhs), std::move(rhs)), fn_(std::move(fn)) {}
  Status Evaluate(std::vector<double>* values) override {
    std::vector<double> rhs;
    GN_TRY(lhs_->Evaluate(values));
    GN_TRY(rhs_->Evaluate(&rhs));
    for (size_t i = 0; i < rhs.size(); ++i) (*values)[i] = fn_((*values)[i], rhs[i]);
    return Status();
  }

 private:
  const Fn fn_;
};

class ScalarChain : public ScalarOperator {
 public:
  ScalarChain(ExecContext& context, std::unique_ptr<ScalarOperator> first, std::vector<ScalarTerm> terms)
      : context_(context), first_(std::move(first)), terms_(std::move(terms)) {}
  Status Evaluate(std::vector<double>* values) override {
    std::vector<double> rhs;
    GN_TRY(first_->Evaluate(values));
    for (const ScalarTerm& term : terms_) {
      GN_TRY(context_.CheckCancel());
      GN_TRY(term.rhs->Evaluate(&rhs));
      for (size_t i = 0; i < rhs.size(); ++i) (*values)[i] = ApplyScalar(term.op, (*values)[i], rhs[i]);
    }
    return Status();
  }
  void Annotate(AnnotationSet* out) const override {
    first_->Annotate(out);
    for (const ScalarTerm& term : terms_) term.rhs->Annotate(out);
  }

 private:
  ExecContext& context_;
  const std::unique_ptr<ScalarOperator> first_;
  const std::vector<ScalarTerm> terms_;
};

class ScalarNegate : public Composite {
 public:
  using Composite::Composite;
  Status Evaluate(std::vector<double>* values) override {
    GN_TRY(lhs_->Evaluate(values));
    for (double& v : *values) v = -v;
    return Status();
  }
};

class ScalarRepeat : public Composite {
 public:
  ScalarRepeat(std::unique_ptr<ScalarOperator> input, uint32_t steps, std::unique_ptr<SampleScope> inner,
               SampleScope* outer)
      : Composite(std::move(input)), steps_(steps), inner_(std::move(inner)), outer_(outer) {}
  Status Evaluate(std::vector<double>* values) override {
    GN_TRY(lhs_->Evaluate(values));
    double value = values->front();
    values->assign(steps_, value);
    outer_->AddRepeated(*inner_, steps_);
    return Status();
  }

 private:
  const uint32_t steps_;
  std::unique_ptr<SampleScope> inner_;
  SampleScope* outer_;
};

class VectorOfScalar : public Operator {
 public:
  VectorOfScalar(ExecContext& context, const PlanNode& node, std::unique_ptr<ScalarOperator> input)
      : Operator(context, node), input_(std::move(input)) {}

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (input_ == nullptr || node_.grid.steps == 0) return false;
    std::vector<double> values;
    GN_TRY(input_->Evaluate(&values));
    input_->Annotate(&below_);
    input_.reset();
    Row row;
    row.column = Column(node_.grid.steps);
    std::copy(values.begin(), values.end(), row.column.values());
    row.column.SetAllPresent();
    batch->push_back(std::move(row));
    GN_TRY(held_.Set(node_.grid.steps));
    return true;
  }

 private:
  std::unique_ptr<ScalarOperator> input_;
};

}  // namespace

std::unique_ptr<ScalarOperator> MakeConstant(double value, uint32_t steps) {
  return std::make_unique<Constant>(value, steps);
}
std::unique_ptr<ScalarOperator> MakeTime(const StepGrid& grid) { return std::make_unique<Time>(grid); }
std::unique_ptr<ScalarOperator> MakeScalarOfVector(ExecContext& context, const PlanNode& node,
                                                   std::unique_ptr<Operator> input) {
  return std::make_unique<ScalarOfVector>(context, node, std::move(input));
}
std::unique_ptr<ScalarOperator> MakeScalarChain(ExecContext& context, std::unique_ptr<ScalarOperator> first,
                                                std::vector<ScalarTerm> terms) {
  return std::make_unique<ScalarChain>(context, std::move(first), std::move(terms));
}
std::unique_ptr<ScalarOperator> MakeScalarNegate(std::unique_ptr<ScalarOperator> input) {
  return std::make_unique<ScalarNegate>(std::move(input));
}
std::unique_ptr<ScalarOperator> MakeScalarRepeat(std::unique_ptr<ScalarOperator> input, uint32_t steps,
                                                 std::unique_ptr<SampleScope> inner, SampleScope* outer) {
  return std::make_unique<ScalarRepeat>(std::move(input), steps, std::move(inner), outer);
}
std::unique_ptr<ScalarOperator> MakeScalarExtremum(bool maximum, std::unique_ptr<ScalarOperator> lhs,
                                                   std::unique_ptr<ScalarOperator> rhs) {
  auto fn = [maximum](double a, double b) { return maximum ? GoMax(a, b) : GoMin(a, b); };
  return std::make_unique<Pairwise<decltype(fn)>>(std::move(lhs), std::move(rhs), fn);
}
std::unique_ptr<Operator> MakeVectorOfScalar(ExecContext& context, const PlanNode& node,
                                             std::unique_ptr<ScalarOperator> input) {
  return std::make_unique<VectorOfScalar>(context, node, std::move(input));
}

}  // namespace gauntlet::promql
