// Invariance: which parts of an expression have the same value at every step, and where upstream wraps them.
//
// Upstream: prometheus promql/engine.go (preprocessExprHelper)
// Threads:  immutable once built.               Borrows: the syntax tree.

#pragma once

#include <unordered_map>
#include <unordered_set>

#include "promql/syntax/ast.h"

namespace gauntlet::promql {

class Invariance {
 public:
  explicit Invariance(const Expr& root);

  // To be evaluated once and repeated at all steps. Holds for the outermost node of an invariant part, seen without its
  // parentheses where upstream removes these.
  bool Wrapped(const Expr& expr) const { return wrapped_.contains(&expr); }
  // Whether upstream's preparation has visited the node: the parameter of an aggregation is left out, so there
  // `@ start()` and `@ end()` have no effect.
  bool Visited(const Expr& expr) const { return visited_.contains(&expr); }

 private:
  struct Flags {
    bool invariant, wrap;
  };
  Flags Visit(const Expr& expr);
  Flags VisitCall(const Call& call);
  Flags VisitChain(const BinaryExpr& top);
  std::unordered_set<const Expr*> wrapped_, visited_;
};

// Without enclosing parentheses.
const Expr& Unparen(const Expr& expr);

}  // namespace gauntlet::promql
