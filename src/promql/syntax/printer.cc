#include "promql/syntax/printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "model/float_text.h"
#include "model/labels.h"
#include "model/time.h"
#include "promql/syntax/function_table.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

void AppendLabels(std::string& out, const std::vector<std::string>& labels) {
  out += '(';
  for (size_t i = 0; i < labels.size(); i++) {
    if (i > 0) out += ", ";
    out += IsLegacyLabelName(labels[i]) ? labels[i] : GoQuote(labels[i]);
  }
  out += ')';
}

// An expression where there is one, the milliseconds otherwise.
void AppendDuration(std::string& out, const std::unique_ptr<DurationExpr>& expr, int64_t ms) {
  if (expr) {
    AppendTo(out, *expr);
  } else {
    out += FormatPromDuration(ms);
  }
}

void AppendAt(std::string& out, const TimeModifiers& time) {
  switch (time.at) {
    case AtModifier::kNone:
      return;
    case AtModifier::kTimestamp:
      fmt::format_to(std::back_inserter(out), " @ {:.3f}", static_cast<double>(time.at_ms) / 1000.0);
      return;
    case AtModifier::kStart:
      out += " @ start()";
      return;
    case AtModifier::kEnd:
      out += " @ end()";
      return;
  }
}

// Whether the parser would end the offset early: it takes operators after a parenthesis or two signs only. Such a
// tree comes of a plus that left no trace, as in `offset +-5m * 2`; upstream's text means another thing then.
bool EndsEarly(const DurationExpr& e, std::string_view text) {
  const DurationExpr* top = &e;
  while (!top->wrapped && top->op == DurationExpr::Op::kNegate && top->rhs->kind == NodeKind::kDuration) {
    top = static_cast<const DurationExpr*>(top->rhs.get());
  }
  if (top->wrapped || top->op > DurationExpr::Op::kPow) return false;
  return text[0] != '(' && !(text[0] == '-' && text[1] == '-');
}

void AppendOffset(std::string& out, const TimeModifiers& time) {
  if (time.offset_expr) {
    std::string text = ToString(*time.offset_expr);
    out += " offset ";
    out += EndsEarly(*time.offset_expr, text) ? "(" + text + ")" : text;
  } else if (time.offset_ms > 0) {
    out += " offset " + FormatPromDuration(time.offset_ms);
  } else if (time.offset_ms < 0) {
    out += " offset -" + FormatPromDuration(-time.offset_ms);
  }
}

void AppendExtended(std::string& out, const VectorSelector& e) {
  if (e.anchored) {
    out += " anchored";
  } else if (e.smoothed) {
    out += " smoothed";
  }
}

// name{matchers}
void AppendSeries(std::string& out, const VectorSelector& e) {
  out += e.name;
  std::vector<std::string> matchers;
  for (const Matcher& m : e.matchers) {
    const bool is_name = m.name() == kMetricName && m.type() == MatchType::kEqual && m.value() == e.name;
    if (!is_name || m.value().empty()) matchers.push_back(m.ToString());
  }
  if (matchers.empty()) {
    if (e.name.empty()) out += "{}";  // info(a, {}): upstream prints nothing, which does not parse
    return;
  }
  std::ranges::sort(matchers);
  out += '{';
  for (size_t i = 0; i < matchers.size(); i++) {
    if (i > 0) out += ',';
    out += matchers[i];
  }
  out += '}';
}

void Append(std::string& out, const VectorSelector& e) {
  AppendSeries(out, e);
  AppendAt(out, e.time);
  AppendExtended(out, e);
  AppendOffset(out, e.time);
}

void Append(std::string& out, const MatrixSelector& e) {
  AppendSeries(out, *e.selector);
  out += '[';
  AppendDuration(out, e.range_expr, e.range_ms);
  out += ']';
  AppendExtended(out, *e.selector);
  AppendAt(out, e.selector->time);
  AppendOffset(out, e.selector->time);
}

void Append(std::string& out, const NumberLiteral& e) {
  if (!e.is_duration) {
    char text[kFloatTextMax];
    out.append(text, WriteFloatF(e.value, text));
    return;
  }
  if (e.value < 0) out += '-';
  // In nanoseconds first, as upstream, which drops what rounding put below a millisecond.
  out += FormatPromDuration(static_cast<int64_t>(std::fabs(e.value) * 1e9) / 1'000'000);
}

void Append(std::string& out, const DurationExpr& e) {
  using Op = DurationExpr::Op;
  if (e.wrapped) out += '(';
  switch (e.op) {
    case Op::kStep:
    case Op::kRange:
      out += DurationOpText(e.op);
      out += "()";
      break;
    case Op::kMinOf:
    case Op::kMaxOf:
      out += DurationOpText(e.op);
      out += '(';
      AppendTo(out, *e.lhs);
      out += ", ";
      AppendTo(out, *e.rhs);
      out += ')';
      break;
    case Op::kNegate:
      out += '-';
      AppendTo(out, *e.rhs);
      break;
    case Op::kPlus:
      AppendTo(out, *e.rhs);
      break;
    default:
      AppendTo(out, *e.lhs);
      out += ' ';
      out += DurationOpText(e.op);
      out += ' ';
      AppendTo(out, *e.rhs);
  }
  if (e.wrapped) out += ')';
}

void Append(std::string& out, const AggregateExpr& e, size_t bytes_max) {
  AppendAggregateHead(out, e);
  out += '(';
  if (e.param) {
    AppendTo(out, *e.param, bytes_max);
    out += ", ";
  }
  AppendTo(out, *e.expr, bytes_max);
  out += ')';
}

void Append(std::string& out, const Call& e, size_t bytes_max) {
  out += e.function->name;
  out += '(';
  for (size_t i = 0; i < e.args.size() && out.size() <= bytes_max; i++) {
    if (i > 0) out += ", ";
    AppendTo(out, *e.args[i], bytes_max);
  }
  out += ')';
}

// The modifiers that the text of `e` ends with; null when it ends otherwise.
const TimeModifiers* LastModifiers(const Expr& e) {
  switch (e.kind) {
    case NodeKind::kVectorSelector:
      return &static_cast<const VectorSelector&>(e).time;
    case NodeKind::kMatrixSelector:
      return &static_cast<const MatrixSelector&>(e).selector->time;
    case NodeKind::kSubquery:
      return &static_cast<const SubqueryExpr&>(e).time;
    case NodeKind::kUnary:
      return LastModifiers(*static_cast<const UnaryExpr&>(e).expr);
    case NodeKind::kBinary:
      return LastModifiers(*static_cast<const BinaryExpr&>(e).rhs);
    default:
      return nullptr;
  }
}

// An offset that starts with a parenthesis takes the arithmetic that follows, one with a sign before it does not. So
// after `offset +(5m)` the plus, which upstream drops, must stay where arithmetic follows.
void KeepOffsetApart(std::string& out, const BinaryExpr& e) {
  if (e.op > BinaryOp::kPow) return;
  const TimeModifiers* time = LastModifiers(*e.lhs);
  if (!time || !time->offset_expr || !time->offset_expr->wrapped) return;
  out.insert(out.size() - ToString(*time->offset_expr).size(), 1, '+');
}

void Append(std::string& out, const BinaryExpr& top, size_t bytes_max) {
  const std::vector<const BinaryExpr*> chain = ChainOf(top);
  AppendTo(out, *chain.back()->lhs, bytes_max);
  for (size_t i = chain.size(); i-- > 0 && out.size() <= bytes_max;) {
    KeepOffsetApart(out, *chain[i]);
    out += ' ';
    AppendBinaryOperator(out, *chain[i]);
    out += ' ';
    AppendTo(out, *chain[i]->rhs, bytes_max);
  }
}

}  // namespace

const char* DurationOpText(DurationExpr::Op op) {
  static constexpr const char* kText[] = {"+", "-", "*", "/", "%", "^", "-", "+", "step", "range", "min_of", "max_of"};
  return kText[static_cast<size_t>(op)];
}

void AppendAggregateHead(std::string& out, const AggregateExpr& e) {
  out += AggregateOpText(e.op);
  if (!e.without && e.grouping.empty()) return;
  out += e.without ? " without " : " by ";
  AppendLabels(out, e.grouping);
  out += ' ';
}

void AppendBinaryOperator(std::string& out, const BinaryExpr& e) {
  out += BinaryOpText(e.op);
  if (e.return_bool) out += " bool";
  if (!e.matching) return;
  const VectorMatching& m = *e.matching;
  const bool group = m.card == MatchCardinality::kManyToOne || m.card == MatchCardinality::kOneToMany;
  if (!m.labels.empty() || m.on || group) {
    out += m.on ? " on " : " ignoring ";
    AppendLabels(out, m.labels);
  }
  if (group) {
    out += m.card == MatchCardinality::kManyToOne ? " group_left " : " group_right ";
    AppendLabels(out, m.include);
  }
  auto fill = [&](const char* name, double value) { out += name + FormatFloatG(value) + ")"; };
  if (m.fill_left && m.fill_right && *m.fill_left == *m.fill_right) {
    fill(" fill (", *m.fill_left);
    return;
  }
  if (m.fill_left) fill(" fill_left (", *m.fill_left);
  if (m.fill_right) fill(" fill_right (", *m.fill_right);
}

void AppendSubquerySuffix(std::string& out, const SubqueryExpr& e) {
  out += '[';
  AppendDuration(out, e.range_expr, e.range_ms);
  out += ':';
  if (e.step_ms != 0 || e.step_expr) AppendDuration(out, e.step_expr, e.step_ms);
  out += ']';
  AppendAt(out, e.time);
  AppendOffset(out, e.time);
}

void AppendTo(std::string& out, const Expr& e, size_t bytes_max) {
  if (out.size() > bytes_max) return;
  switch (e.kind) {
    case NodeKind::kNumber:
      return Append(out, static_cast<const NumberLiteral&>(e));
    case NodeKind::kString:
      out += GoQuote(static_cast<const StringLiteral&>(e).value);
      return;
    case NodeKind::kVectorSelector:
      return Append(out, static_cast<const VectorSelector&>(e));
    case NodeKind::kMatrixSelector:
      return Append(out, static_cast<const MatrixSelector&>(e));
    case NodeKind::kSubquery:
      AppendTo(out, *static_cast<const SubqueryExpr&>(e).expr, bytes_max);
      return AppendSubquerySuffix(out, static_cast<const SubqueryExpr&>(e));
    case NodeKind::kParen:
      out += '(';
      AppendTo(out, *static_cast<const ParenExpr&>(e).expr, bytes_max);
      out += ')';
      return;
    case NodeKind::kUnary:
      out += static_cast<const UnaryExpr&>(e).minus ? '-' : '+';
      return AppendTo(out, *static_cast<const UnaryExpr&>(e).expr, bytes_max);
    case NodeKind::kBinary:
      return Append(out, static_cast<const BinaryExpr&>(e), bytes_max);
    case NodeKind::kAggregate:
      return Append(out, static_cast<const AggregateExpr&>(e), bytes_max);
    case NodeKind::kCall:
      return Append(out, static_cast<const Call&>(e), bytes_max);
    case NodeKind::kDuration:
      return Append(out, static_cast<const DurationExpr&>(e));
  }
}

std::string ToString(const Expr& e) {
  std::string out;
  AppendTo(out, e);
  return out;
}

}  // namespace gauntlet::promql
