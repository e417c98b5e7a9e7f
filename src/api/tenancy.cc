#include "api/tenancy.h"

#include "promql/syntax/parser.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/walk.h"

namespace gauntlet::api {
namespace {

Status EnforceIn(promql::Expr& node, const std::string& label, const std::string& tenant) {
  if (node.kind == promql::NodeKind::kVectorSelector) {
    GN_TRY(EnforceTenant(&static_cast<promql::VectorSelector&>(node).matchers, label, tenant));
  }
  Status status;
  promql::ForEachChild(node, [&](promql::Expr& child) {
    if (status.ok()) status = EnforceIn(child, label, tenant);
  });
  return status;
}

}  // namespace

Status EnforceTenant(Matchers* matchers, const std::string& label, const std::string& tenant) {
  for (const Matcher& matcher : *matchers) {
    if (matcher.name() != label) continue;
    if (!matcher.Matches(tenant)) {
      return Status(Code::kInvalid,
                    "label matcher " + matcher.ToString() + " conflicts with the tenant " + GoQuote(tenant));
    }
  }
  // A matcher on the label itself is covered by the exact one, and the exact one stands alone.
  std::erase_if(*matchers, [&](const Matcher& matcher) { return matcher.name() == label; });
  matchers->push_back(Matcher::Equal(label, tenant));
  return Status();
}

Result<std::string> EnforceTenant(std::string_view expression, const std::string& label, const std::string& tenant) {
  promql::ParserOptions options;
  options.experimental_functions = options.extended_range_selectors = options.binop_fill = options.x_functions = true;
  GN_ASSIGN(promql::ExprPtr expr, promql::ParseExpr(expression, options));
  GN_TRY(EnforceIn(*expr, label, tenant));
  return promql::ToString(*expr);
}

}  // namespace gauntlet::api
