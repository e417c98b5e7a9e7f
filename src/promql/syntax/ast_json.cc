#include "promql/syntax/ast_json.h"

#include "model/float_text.h"
#include "promql/syntax/function_table.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

using json::Writer;

void WriteChild(Writer& out, std::string_view key, const Expr* e) {
  out.Key(key);
  if (e) {
    WriteJson(out, *e);
  } else {
    out.Null();
  }
}

void WriteStrings(Writer& out, std::string_view key, const std::vector<std::string>& values) {
  out.Key(key).BeginArray();
  for (const std::string& value : values) out.String(value);
  out.EndArray();
}

void WriteFill(Writer& out, std::string_view key, std::optional<double> value) {
  out.Key(key);
  if (value) {
    out.Double(*value);
  } else {
    out.Null();
  }
}

// Duration expressions say of their numbers how they were written; expressions do not.
void WriteDuration(Writer& out, const Expr* e) {
  if (!e) {
    out.Null();
  } else if (e->kind == NodeKind::kNumber) {
    const auto& number = static_cast<const NumberLiteral&>(*e);
    out.BeginObject().BoolMember("duration", number.is_duration);
    out.StringMember("type", "numberLiteral").StringMember("val", FormatFloatF(number.value)).EndObject();
  } else {
    const auto& duration = static_cast<const DurationExpr&>(*e);
    out.BeginObject().Key("lhs");
    WriteDuration(out, duration.lhs.get());
    out.StringMember("op", DurationOpText(duration.op)).Key("rhs");
    WriteDuration(out, duration.rhs.get());
    out.StringMember("type", "durationExpr").BoolMember("wrapped", duration.wrapped).EndObject();
  }
}

void WriteMatchers(Writer& out, const VectorSelector& e) {
  out.Key("matchers").BeginArray();
  for (const Matcher& m : e.matchers) {
    out.BeginObject().StringMember("name", m.name());
    out.StringMember("type", MatchTypeText(m.type())).StringMember("value", m.value()).EndObject();
  }
  out.EndArray();
}

void WriteOffset(Writer& out, const TimeModifiers& time) {
  out.IntMember("offset", time.offset_ms).Key("offsetExpr");
  WriteDuration(out, time.offset_expr.get());
}

void WriteStartOrEnd(Writer& out, const TimeModifiers& time) {
  out.Key("startOrEnd");
  if (time.at == AtModifier::kStart || time.at == AtModifier::kEnd) {
    out.String(time.at == AtModifier::kStart ? "start" : "end");
  } else {
    out.Null();
  }
}

void WriteTimestamp(Writer& out, const TimeModifiers& time) {
  out.Key("timestamp");
  if (time.at == AtModifier::kTimestamp) {
    out.Int(time.at_ms);
  } else {
    out.Null();
  }
}

// A selector, or a range selector when `range` is given.
void WriteSelector(Writer& out, const VectorSelector& e, const MatrixSelector* range) {
  out.BeginObject().BoolMember("anchored", e.anchored);
  WriteMatchers(out, e);
  out.StringMember("name", e.name);
  WriteOffset(out, e.time);
  if (range) {
    out.IntMember("range", range->range_ms).Key("rangeExpr");
    WriteDuration(out, range->range_expr.get());
  }
  out.BoolMember("smoothed", e.smoothed);
  WriteStartOrEnd(out, e.time);
  WriteTimestamp(out, e.time);
  out.StringMember("type", range ? "matrixSelector" : "vectorSelector").EndObject();
}

void Write(Writer& out, const SubqueryExpr& e) {
  out.BeginObject();
  WriteChild(out, "expr", e.expr.get());
  WriteOffset(out, e.time);
  out.IntMember("range", e.range_ms).Key("rangeExpr");
  WriteDuration(out, e.range_expr.get());
  WriteStartOrEnd(out, e.time);
  out.IntMember("step", e.step_ms).Key("stepExpr");
  WriteDuration(out, e.step_expr.get());
  WriteTimestamp(out, e.time);
  out.StringMember("type", "subquery").EndObject();
}

void WriteMatching(Writer& out, const VectorMatching& m) {
  out.BeginObject().StringMember("card", MatchCardinalityText(m.card)).Key("fillValues").BeginObject();
  WriteFill(out, "lhs", m.fill_left);
  WriteFill(out, "rhs", m.fill_right);
  out.EndObject();
  WriteStrings(out, "include", m.include);
  WriteStrings(out, "labels", m.labels);
  out.BoolMember("on", m.on).EndObject();
}

void Write(Writer& out, const BinaryExpr& top) {
  const std::vector<const BinaryExpr*> chain = ChainOf(top);
  for (const BinaryExpr* e : chain) out.BeginObject().BoolMember("bool", e->return_bool).Key("lhs");
  WriteJson(out, *chain.back()->lhs);
  for (size_t i = chain.size(); i-- > 0;) {
    const BinaryExpr& e = *chain[i];
    out.Key("matching");
    if (e.matching) {
      WriteMatching(out, *e.matching);
    } else {
      out.Null();
    }
    out.StringMember("op", BinaryOpText(e.op));
    WriteChild(out, "rhs", e.rhs.get());
    out.StringMember("type", "binaryExpr").EndObject();
  }
}

void Write(Writer& out, const AggregateExpr& e) {
  out.BeginObject();
  WriteChild(out, "expr", e.expr.get());
  WriteStrings(out, "grouping", e.grouping);
  out.StringMember("op", AggregateOpText(e.op));
  WriteChild(out, "param", e.param.get());
  out.StringMember("type", "aggregation").BoolMember("without", e.without).EndObject();
}

void Write(Writer& out, const Call& e) {
  const Function& f = *e.function;
  out.BeginObject().Key("args").BeginArray();
  for (const ExprPtr& arg : e.args) WriteJson(out, *arg);
  out.EndArray().Key("func").BeginObject().Key("argTypes").BeginArray();
  for (ValueType type : f.arg_types) out.String(ValueTypeText(type));
  out.EndArray().StringMember("name", f.name).StringMember("returnType", ValueTypeText(f.return_type));
  out.IntMember("variadic", f.variadic).EndObject().StringMember("type", "call").EndObject();
}

}  // namespace

void WriteJson(Writer& out, const Expr& e) {
  switch (e.kind) {
    case NodeKind::kNumber:
      out.BeginObject().StringMember("type", "numberLiteral");
      out.StringMember("val", FormatFloatF(static_cast<const NumberLiteral&>(e).value)).EndObject();
      return;
    case NodeKind::kString:
      out.BeginObject().StringMember("type", "stringLiteral");
      out.StringMember("val", static_cast<const StringLiteral&>(e).value).EndObject();
      return;
    case NodeKind::kVectorSelector:
      return WriteSelector(out, static_cast<const VectorSelector&>(e), nullptr);
    case NodeKind::kMatrixSelector: {
      const auto& matrix = static_cast<const MatrixSelector&>(e);
      return WriteSelector(out, *matrix.selector, &matrix);
    }
    case NodeKind::kSubquery:
      return Write(out, static_cast<const SubqueryExpr&>(e));
    case NodeKind::kParen:
      out.BeginObject();
      WriteChild(out, "expr", static_cast<const ParenExpr&>(e).expr.get());
      out.StringMember("type", "parenExpr").EndObject();
      return;
    case NodeKind::kUnary:
      out.BeginObject();
      WriteChild(out, "expr", static_cast<const UnaryExpr&>(e).expr.get());
      out.StringMember("op", static_cast<const UnaryExpr&>(e).minus ? "-" : "+").StringMember("type", "unaryExpr");
      out.EndObject();
      return;
    case NodeKind::kBinary:
      return Write(out, static_cast<const BinaryExpr&>(e));
    case NodeKind::kAggregate:
      return Write(out, static_cast<const AggregateExpr&>(e));
    case NodeKind::kCall:
      return Write(out, static_cast<const Call&>(e));
    case NodeKind::kDuration:
      return WriteDuration(out, &e);
  }
}

}  // namespace gauntlet::promql
