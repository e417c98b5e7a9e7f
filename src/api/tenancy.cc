#include "api/tenancy.h"

#include <algorithm>
#include <vector>

#include "promql/syntax/parser.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/walk.h"

namespace gauntlet::api {
namespace {

Status EnforceIn(promql::Expr& root, const std::string& label, const std::string& tenant) {
  std::vector<promql::Expr*> waiting = {&root};
  while (!waiting.empty()) {
    promql::Expr& node = *waiting.back();
    waiting.pop_back();
    if (node.kind == promql::NodeKind::kVectorSelector) {
      GN_TRY(EnforceTenant(&static_cast<promql::VectorSelector&>(node).matchers, label, tenant));
    }
    const size_t first = waiting.size();
    promql::ForEachChild(node, [&](promql::Expr& child) { waiting.push_back(&child); });
    std::reverse(waiting.begin() + static_cast<ptrdiff_t>(first), waiting.end());
  }
  return Status();
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
