// Operator: yields the series of one plan node, a batch of rows at a time.
//
// Rows come in the order in which upstream has its series. Operators are pulled by one thread; the work below them may
// run on the executor (scan.h).
//
// Threads: one thread at a time.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "promql/exec/rows/annotation_set.h"
#include "promql/exec/rows/context.h"
#include "promql/exec/rows/row.h"
#include "promql/plan/node.h"

namespace gauntlet::promql {

using Rows = std::vector<Row>;

class Operator {
 public:
  // `node` is borrowed.
  Operator(ExecContext& context, const PlanNode& node)
      : context_(context), node_(node), charge_(context.budget, node.title), held_(context.meter) {}
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  // Replaces `batch` with the next rows, none of them empty; false, and no rows, at the end.
  virtual Result<bool> Next(Rows* batch) = 0;

  // What this and the operators below it had to say so far, in upstream's order.
  void Annotate(AnnotationSet* out) const {
    out->Merge(below_);
    for (size_t i = 0; i < children_.size(); ++i) {
      children_[i] != nullptr ? children_[i]->Annotate(out) : out->Merge(closed_[i]);
    }
    out->Merge(own_);
  }

  const PlanNode& node() const { return node_; }
  // Of the query's memory, without what operators below hold.
  virtual size_t held_bytes() const { return charge_.bytes(); }

 protected:
  Operator& AddChild(std::unique_ptr<Operator> child) {
    closed_.emplace_back();
    return *children_.emplace_back(std::move(child));
  }
  Operator& child(size_t i = 0) { return *children_[i]; }
  // The child has ended: keeps its annotations, frees the rest.
  void CloseChild(size_t i = 0) {
    if (children_[i] == nullptr) return;
    children_[i]->Annotate(&closed_[i]);
    children_[i].reset();
  }
  // Pulls a child dry for its errors alone.
  Status Exhaust(size_t i);
  // Pulls a child dry into `rows`, charged to this operator, and closes it.
  Status Drain(size_t i, Rows* rows);

  ExecContext& context_;
  const PlanNode& node_;
  MemoryCharge charge_;
  HeldSamples held_;
  AnnotationSet below_, own_;
  std::vector<std::unique_ptr<Operator>> children_;
  std::vector<AnnotationSet> closed_;  // of the children that have ended, whichever of them did first
};

// A scalar expression: one value per step. Evaluated once, on demand.
class ScalarOperator {
 public:
  virtual ~ScalarOperator() = default;
  // As many values as the grid has steps.
  virtual Status Evaluate(std::vector<double>* values) = 0;
  virtual void Annotate(AnnotationSet*) const {}
};

// Floats and histograms, in upstream's measure: a histogram counts as the 16-byte points that it is as large as.
int64_t CountSamples(const Column& column);
int64_t CountSamples(const Rows& rows);
int64_t HistogramSampleCount(const Histogram& histogram);

}  // namespace gauntlet::promql
