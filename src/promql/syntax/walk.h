// Walks over expression trees, and deep copies.
//
// Children are expressions that yield values: the operands, arguments and parameters, and the selector within a range
// selector. Duration expressions are not children.
//
// Upstream: prometheus promql/parser/ast.go (Walk, Inspect, ChildrenIter, ExtractSelectors)

#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "promql/syntax/ast.h"

namespace gauntlet::promql {

namespace walk_internal {

// E is Expr or const Expr; a node of type N inherits its constness.
template <typename N, typename E>
auto& As(E& e) {
  if constexpr (std::is_const_v<E>) {
    return static_cast<const N&>(e);
  } else {
    return static_cast<N&>(e);
  }
}

template <typename E, typename F>
void Children(E& e, F&& f) {
  switch (e.kind) {
    case NodeKind::kMatrixSelector:
      f(static_cast<E&>(*As<MatrixSelector>(e).selector));
      return;
    case NodeKind::kSubquery:
      f(static_cast<E&>(*As<SubqueryExpr>(e).expr));
      return;
    case NodeKind::kParen:
      f(static_cast<E&>(*As<ParenExpr>(e).expr));
      return;
    case NodeKind::kUnary:
      f(static_cast<E&>(*As<UnaryExpr>(e).expr));
      return;
    case NodeKind::kBinary:
      f(static_cast<E&>(*As<BinaryExpr>(e).lhs));
      f(static_cast<E&>(*As<BinaryExpr>(e).rhs));
      return;
    case NodeKind::kAggregate:
      f(static_cast<E&>(*As<AggregateExpr>(e).expr));
      if (As<AggregateExpr>(e).param) f(static_cast<E&>(*As<AggregateExpr>(e).param));
      return;
    case NodeKind::kCall:
      for (auto& arg : As<Call>(e).args) f(static_cast<E&>(*arg));
      return;
    case NodeKind::kNumber:
    case NodeKind::kString:
    case NodeKind::kVectorSelector:
    case NodeKind::kDuration:
      return;
  }
}

template <typename F>
void InspectNode(const Expr& node, std::vector<const Expr*>& path, F& f) {
  if (!f(node, std::span<const Expr* const>(path))) return;
  path.push_back(&node);
  Children(node, [&](const Expr& child) { InspectNode(child, path, f); });
  path.pop_back();
}

}  // namespace walk_internal

// Calls f(child) for each child in upstream's order (an aggregation's expression before its parameter).
template <typename F>
void ForEachChild(const Expr& e, F&& f) {
  walk_internal::Children(e, f);
}
template <typename F>
void ForEachChild(Expr& e, F&& f) {
  walk_internal::Children(e, f);
}

// Depth first, a node before its children. f(node, path) gets the nodes from the root to the node's parent (valid
// during the call) and returns whether to go on into the node.
template <typename F>
void Inspect(const Expr& root, F&& f) {
  std::vector<const Expr*> path;
  walk_internal::InspectNode(root, path, f);
}

// All vector selectors, those within range selectors too, as Inspect meets them. Borrowed from the tree.
std::vector<const VectorSelector*> ExtractSelectors(const Expr& root);

// A deep copy; positions are kept.
ExprPtr Clone(const Expr& e);
template <typename N>
std::unique_ptr<N> CloneAs(const N& e) {
  return std::unique_ptr<N>(static_cast<N*>(Clone(e).release()));
}

}  // namespace gauntlet::promql
