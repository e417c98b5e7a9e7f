// PlanNode: an expression ready to be run: times absolute, durations known, invariant parts marked.
//
// Each node knows the grid on which it is evaluated; below a subquery or an invariant part it differs from the query's.
// A selector's reference time at step i is grid.time_ms(i) - shift_ms: `offset` and `@` are both folded into the shift.
//
// Upstream: prometheus promql/engine.go (PreprocessExpr, setOffsetForAtModifier, populateSeries)
// Threads:  immutable once planned.             Owns: everything; the syntax tree may go.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/matcher.h"
#include "promql/plan/step_grid.h"
#include "promql/syntax/ast.h"
#include "promql/syntax/function_table.h"

namespace gauntlet::promql {

enum class PlanKind : uint8_t {
  kNumber,
  kString,
  kVectorSelect,
  kMatrixSelect,
  kSubquery,
  kFunction,       // no range vector among its arguments
  kRangeFunction,  // one range vector
  kAggregate,
  kBinary,
  kNegate,
  kStepInvariant,
  kRemote,
};

struct PlanNode {
  const PlanKind kind;
  ValueType type = ValueType::kNone;
  StepGrid grid;
  PositionRange pos;  // in the query's text; without the parentheses that upstream removes
  // All series of the result have the same __name__ (or none): dropping it can make no two of them equal.
  bool single_name = true;
  // "rate for up{job=\"x\"}": the operator and the first selector below it, for errors on memory.
  std::string title;
  // How many equal subtrees of the query this node stands for: it is run once.
  uint32_t uses = 1;
  // Its series may come in another order than upstream's: something below is evaluated elsewhere.
  bool unsure_order = false;

  explicit PlanNode(PlanKind k) : kind(k) {}
  virtual ~PlanNode() = default;
};
using PlanPtr = std::shared_ptr<PlanNode>;

struct NumberNode : PlanNode {
  NumberNode() : PlanNode(PlanKind::kNumber) {}
  double value = 0;
};

struct StringNode : PlanNode {
  StringNode() : PlanNode(PlanKind::kString) {}
  std::string value;
};

// What is asked of the storage for one selector; storage::SelectHints has the same fields.
struct SelectSpec {
  Matchers matchers;
  int64_t start_ms = 0, end_ms = 0, step_ms = 0, range_ms = 0;
  std::string func;
  std::vector<std::string> grouping;
  bool by = false;
};

// A selector, of instants or of ranges.
struct SelectNode : PlanNode {
  using PlanNode::PlanNode;
  SelectSpec select;
  int64_t shift_ms = 0;
  int64_t lookback_ms = 0;  // of ranges: how far before the window a sample may matter to those that look there
  bool smoothed = false;
  bool histogram_statistics = false;  // count and sum are all that is wanted of histograms
};

struct VectorSelectNode : SelectNode {
  VectorSelectNode() : SelectNode(PlanKind::kVectorSelect) {}
};

struct MatrixSelectNode : SelectNode {
  MatrixSelectNode() : SelectNode(PlanKind::kMatrixSelect) {}
  int64_t range_ms = 0;
  bool fixed = false;  // by `@`: all steps see the window of the first
  bool anchored = false;
};

struct SubqueryNode : PlanNode {
  SubqueryNode() : PlanNode(PlanKind::kSubquery) {}
  PlanPtr expr;  // on the subquery's own grid
  int64_t shift_ms = 0, range_ms = 0;
  bool fixed = false;
};

struct FunctionNode : PlanNode {
  FunctionNode() : PlanNode(PlanKind::kFunction) {}
  const Function* function = nullptr;
  std::vector<PlanPtr> args;
};

struct RangeFunctionNode : PlanNode {
  RangeFunctionNode() : PlanNode(PlanKind::kRangeFunction) {}
  const Function* function = nullptr;
  PlanPtr range;              // kMatrixSelect or kSubquery
  std::vector<PlanPtr> args;  // the others, in order: scalars
  PositionRange first_arg_pos;
};

struct AggregateNode : PlanNode {
  AggregateNode() : PlanNode(PlanKind::kAggregate) {}
  AggregateOp op = AggregateOp::kSum;
  PlanPtr expr;
  PlanPtr param;                      // null when there is none
  std::vector<std::string> grouping;  // sorted
  bool without = false;
};

struct BinaryNode : PlanNode {
  BinaryNode() : PlanNode(PlanKind::kBinary) {}
  ~BinaryNode() override;
  BinaryOp op = BinaryOp::kAdd;
  PlanPtr lhs, rhs;
  std::optional<VectorMatching> matching;  // between two vectors
  bool return_bool = false;
};

struct NegateNode : PlanNode {
  NegateNode() : PlanNode(PlanKind::kNegate) {}
  PlanPtr expr;
};

// `expr` is evaluated at one step and repeated at all steps of this grid.
struct StepInvariantNode : PlanNode {
  StepInvariantNode() : PlanNode(PlanKind::kStepInvariant) {}
  PlanPtr expr;
};

// A part of the query that leaves evaluate; distribute.h. Its series come ordered by their labels.
struct RemoteNode : PlanNode {
  RemoteNode() : PlanNode(PlanKind::kRemote) {}
  struct Part {
    uint32_t leaf = 0;  // its number among the leaves
    std::string name;
    std::set<std::vector<std::string>> values;  // of the labels `told_apart_by`, that its series have
  };
  // Of the answers, when the query must be evaluated here after all.
  enum class Check : uint8_t {
    kNone,
    kSum,       // near overflow, infinite, histograms that differ in layout: another order of adding would show
    kAverage,   // and any histogram at all
    kExtremum,  // a negative zero: which of two zeros is left is a matter of order
  };

  PlanPtr expr;      // what a leaf evaluates, as it was to be here
  std::string text;  // the same in the query's words and at their places
  int64_t lookback_ms = 0;
  std::vector<Part> parts;
  std::vector<std::string>
      told_apart_by;  // labels that the series of each part must have; none when nothing hangs on it
  Check check = Check::kNone;
  bool aggregated = false;  // its results are aggregated once more
  bool silent = false;      // another part says the same
  std::string name_before;  // that the series had when they were selected, and in the order of which they come
};

// As ChainOf of expressions: the operator itself, then that on its left, and so on; not those that are used elsewhere.
std::vector<const BinaryNode*> PlanChain(const BinaryNode& top);
// What a selector asks of the storage; null for other nodes.
const SelectSpec* SelectOf(const PlanNode& node);
// The nodes directly below, in the order of evaluation.
std::vector<const PlanNode*> PlanChildren(const PlanNode& node);
// "rate", "sum", "+", "select": what a title starts with.
std::string_view PlanOperatorName(const PlanNode& node);
// Whether one metric alone can match.
bool HasOneName(const Matchers& matchers);
// up{job="x"}: a selector as it could be written, without modifiers.
std::string SelectorText(const Matchers& matchers);

}  // namespace gauntlet::promql
