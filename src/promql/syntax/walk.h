// Walks over expression trees, and deep copies.
//
// Children are expressions that yield values: the operands, arguments and parameters, and the selector within a range
// selector. Duration expressions are not children.
//
// Upstream: prometheus promql/parser/ast.go (Walk, Inspect, ChildrenIter, ExtractSelectors)
// Threads:  functions on the caller's trees.

#pragma once

#include <algorithm>
#include <cstddef>
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
  struct Entry {
    const Expr* node;
    size_t depth;  // of the node: how many are above it
  };
  std::vector<const Expr*> path;
  std::vector<Entry> waiting = {{&root, 0}};
  while (!waiting.empty()) {
    const Entry entry = waiting.back();
    waiting.pop_back();
    path.resize(entry.depth);
    if (!f(*entry.node, std::span<const Expr* const>(path))) continue;
    path.push_back(entry.node);
    const size_t first = waiting.size();
    ForEachChild(*entry.node, [&](const Expr& child) { waiting.push_back({&child, entry.depth + 1}); });
    std::reverse(waiting.begin() + static_cast<ptrdiff_t>(first), waiting.end());
  }
}

// The binary operators of a chain, from `top` on down to the left: of a + b + c that of (a + b) + c, then of a + b.
// Walks that recurse take a chain at once, by these: it may be longer than a stack is deep.
template <typename Binary>  // BinaryExpr, const or not
std::vector<Binary*> ChainOf(Binary& top) {
  std::vector<Binary*> chain;
  for (Binary* e = &top;; e = static_cast<Binary*>(e->lhs.get())) {
    chain.push_back(e);
    if (e->lhs->kind != NodeKind::kBinary) return chain;
  }
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
