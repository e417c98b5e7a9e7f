// Planner: walks a syntax tree and makes a node of the plan of each of its nodes. Internal to this module: planner.h is
// the way in.
//
// Upstream: prometheus promql/engine.go (PreprocessExpr, eval's cases)
// Threads:  one thread at a time.      Borrows: the options and the syntax tree.

#pragma once

#include <string>
#include <vector>

#include "promql/plan/durations.h"
#include "promql/plan/invariance.h"
#include "promql/plan/node.h"
#include "promql/plan/planner.h"
#include "promql/plan/scope.h"
#include "promql/plan/selection.h"

namespace gauntlet::promql {

class Planner {
 public:
  // `root`: all of the query.
  Planner(const Expr& root, const PlanOptions& options)
      : options_(options),
        times_{options.start_ms, options.step_ms == 0 ? options.start_ms : options.end_ms, options.step_ms},
        invariance_(root) {}

  Result<Plan> Make(const Expr& root);

 private:
  using Built = Result<PlanPtr>;

  // planner.cc
  Built Build(const Expr& expr, const Scope& scope);
  Built BuildBare(const Expr& expr, const Scope& scope);
  Built Number(const Expr& expr, double value, const Scope& scope);
  Built Unary(const UnaryExpr& unary, const Scope& scope);
  Built Aggregate(const AggregateExpr& aggregate, const Scope& scope);

  // planner_binary.cc
  Built Chain(const BinaryExpr& top, const Scope& scope);
  Built Binary(const BinaryExpr& binary, PlanPtr lhs, const Scope& scope, const Scope& below);

  // planner_selector.cc
  Built VectorSelect(const VectorSelector& selector, const Scope& scope);
  Built MatrixSelect(const MatrixSelector& matrix, const Scope& scope);
  Built Subquery(const SubqueryExpr& subquery, const Scope& scope);

  // planner_call.cc
  Built CallOf(const Call& call, const Scope& scope);
  // `function` in place of the call's own.
  Built CallOf(const Call& call, const Function& function, const Scope& scope);
  Built ValueCall(const Call& call, std::vector<PlanPtr> args, const Scope& scope);
  Built RangeCall(const Call& call, const Function& function, PlanPtr range, std::vector<PlanPtr> args,
                  const Scope& scope);
  Built WindowAverage(const Call& call, const Scope& scope);
  Built InfoCall(const Call& call, const Scope& scope);
  Built InfoSelect(const Call& call, const Scope& scope);

  // For what is below a node: one deeper, and no longer directly below an aggregation.
  static Scope Below(const Scope& scope) {
    Scope below = scope;
    below.aggregate = nullptr;
    ++below.depth;
    return below;
  }
  // Type, grid and position.
  static void Describe(PlanNode& node, const Expr& expr, const Scope& scope);
  // Names the node after itself and the first selector below.
  static void Title(PlanNode& node);

  const PlanOptions& options_;
  const QueryTimes times_;
  const Invariance invariance_;
  Selection selection_{options_, times_, invariance_};
};

}  // namespace gauntlet::promql
