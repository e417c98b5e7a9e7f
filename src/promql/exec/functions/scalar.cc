#include "promql/exec/functions/scalar.h"

#include <cmath>
#include <utility>

#include "base/float_limits.h"
#include "promql/exec/rows/math.h"
#include "promql/plan/arithmetic.h"

namespace gauntlet::promql {
namespace {

// values[i] = at(i) for each of the steps.
template <typename At>
Status Fill(const ExecContext& context, uint32_t steps, std::vector<double>* values, At at) {
  values->clear();
  values->reserve(steps);
  return context.InBlocks(steps, [&](uint32_t begin, uint32_t end) {
    values->resize(end);
    for (uint32_t i = begin; i < end; ++i) (*values)[i] = at(i);
  });
}

class Constant : public ScalarOperator {
 public:
  Constant(const ExecContext& context, double value, uint32_t steps)
      : context_(context), value_(value), steps_(steps) {}
  Status Evaluate(std::vector<double>* values) override {
    return Fill(context_, steps_, values, [this](uint32_t) { return value_; });
  }

 private:
  const ExecContext& context_;
  const double value_;
  const uint32_t steps_;
};

class Time : public ScalarOperator {
 public:
  Time(const ExecContext& context, const StepGrid& grid) : context_(context), grid_(grid) {}
  Status Evaluate(std::vector<double>* values) override {
    return Fill(context_, grid_.steps, values,
                [this](uint32_t i) { return static_cast<double>(grid_.time_ms(i)) / 1000; });
  }

 private:
  const ExecContext& context_;
  const StepGrid grid_;
};

class ScalarOfVector : public ScalarOperator {
 public:
  ScalarOfVector(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input)
      : context_(context), steps_(node.grid.steps), held_(context.meter), input_(std::move(input)) {}

  Status Evaluate(std::vector<double>* values) override {
    GN_TRY(Fill(context_, steps_, values, [](uint32_t) { return kNaN; }));
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
        GN_TRY(context_.InBlocks(steps_, [&](uint32_t begin, uint32_t end) {
          const double* from = row.column.values() + begin;
          double* to = values->data() + begin;
          ForEachBit(row.column.present() + begin / 64, Column::WordCount(end - begin),
                     [&](uint32_t i) { to[i] = from[i]; });
        }));
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
  const ExecContext& context_;
  const uint32_t steps_;
  HeldSamples held_;
  std::unique_ptr<Operator> input_;
  AnnotationSet annotations_;
};

// One made of others.
class Composite : public ScalarOperator {
 public:
  explicit Composite(const ExecContext& context, std::unique_ptr<ScalarOperator> lhs,
                     std::unique_ptr<ScalarOperator> rhs = nullptr)
      : context_(context), lhs_(std::move(lhs)), rhs_(std::move(rhs)) {}
  void Annotate(AnnotationSet* out) const override {
    lhs_->Annotate(out);
    if (rhs_ != nullptr) rhs_->Annotate(out);
  }

 protected:
  // (*values)[i] = fn(i) for those that are there.
  template <typename Fn>
  Status Replace(std::vector<double>* values, Fn fn) const {
    return context_.InBlocks(static_cast<uint32_t>(values->size()), [&](uint32_t begin, uint32_t end) {
      for (uint32_t i = begin; i < end; ++i) (*values)[i] = fn(i);
    });
  }

  const ExecContext& context_;
  std::unique_ptr<ScalarOperator> lhs_, rhs_;
};

template <typename Fn>
class Pairwise : public Composite {
 public:
  Pairwise(const ExecContext& context, std::unique_ptr<ScalarOperator> lhs, std::unique_ptr<ScalarOperator> rhs, Fn fn)
      : Composite(context, std::move(lhs), std::move(rhs)), fn_(std::move(fn)) {}
  Status Evaluate(std::vector<double>* values) override {
    std::vector<double> rhs;
    GN_TRY(lhs_->Evaluate(values));
    GN_TRY(rhs_->Evaluate(&rhs));
    return Replace(values, [&](uint32_t i) { return fn_((*values)[i], rhs[i]); });
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
      GN_TRY(context_.InBlocks(static_cast<uint32_t>(rhs.size()), [&](uint32_t begin, uint32_t end) {
        for (uint32_t i = begin; i < end; ++i) (*values)[i] = ApplyScalar(term.op, (*values)[i], rhs[i]);
      }));
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
    return Replace(values, [values](uint32_t i) { return -(*values)[i]; });
  }
};

class ScalarRepeat : public Composite {
 public:
  ScalarRepeat(const ExecContext& context, std::unique_ptr<ScalarOperator> input, uint32_t steps,
               std::unique_ptr<SampleScope> inner, SampleScope* outer)
      : Composite(context, std::move(input)), steps_(steps), inner_(std::move(inner)), outer_(outer) {}
  Status Evaluate(std::vector<double>* values) override {
    GN_TRY(lhs_->Evaluate(values));
    const double value = values->front();
    GN_TRY(Fill(context_, steps_, values, [value](uint32_t) { return value; }));
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
    GN_TRY(context_.InBlocks(node_.grid.steps, [&](uint32_t begin, uint32_t end) {
      std::copy(values.begin() + begin, values.begin() + end, row.column.values() + begin);
    }));
    row.column.SetAllPresent();
    batch->push_back(std::move(row));
    GN_TRY(held_.Set(node_.grid.steps));
    return true;
  }

 private:
  std::unique_ptr<ScalarOperator> input_;
};

}  // namespace

std::unique_ptr<ScalarOperator> MakeConstant(ExecContext& context, double value, uint32_t steps) {
  return std::make_unique<Constant>(context, value, steps);
}
std::unique_ptr<ScalarOperator> MakeTime(ExecContext& context, const StepGrid& grid) {
  return std::make_unique<Time>(context, grid);
}
std::unique_ptr<ScalarOperator> MakeScalarOfVector(ExecContext& context, const PlanNode& node,
                                                   std::unique_ptr<Operator> input) {
  return std::make_unique<ScalarOfVector>(context, node, std::move(input));
}
std::unique_ptr<ScalarOperator> MakeScalarChain(ExecContext& context, std::unique_ptr<ScalarOperator> first,
                                                std::vector<ScalarTerm> terms) {
  return std::make_unique<ScalarChain>(context, std::move(first), std::move(terms));
}
std::unique_ptr<ScalarOperator> MakeScalarNegate(ExecContext& context, std::unique_ptr<ScalarOperator> input) {
  return std::make_unique<ScalarNegate>(context, std::move(input));
}
std::unique_ptr<ScalarOperator> MakeScalarRepeat(ExecContext& context, std::unique_ptr<ScalarOperator> input,
                                                 uint32_t steps, std::unique_ptr<SampleScope> inner,
                                                 SampleScope* outer) {
  return std::make_unique<ScalarRepeat>(context, std::move(input), steps, std::move(inner), outer);
}
std::unique_ptr<ScalarOperator> MakeScalarExtremum(ExecContext& context, bool maximum,
                                                   std::unique_ptr<ScalarOperator> lhs,
                                                   std::unique_ptr<ScalarOperator> rhs) {
  auto fn = [maximum](double a, double b) { return maximum ? GoMax(a, b) : GoMin(a, b); };
  return std::make_unique<Pairwise<decltype(fn)>>(context, std::move(lhs), std::move(rhs), fn);
}
std::unique_ptr<Operator> MakeVectorOfScalar(ExecContext& context, const PlanNode& node,
                                             std::unique_ptr<ScalarOperator> input) {
  return std::make_unique<VectorOfScalar>(context, node, std::move(input));
}

}  // namespace gauntlet::promql
