#include "promql/syntax/parse_error.h"

#include <fmt/format.h>

#include <algorithm>

namespace gauntlet::promql {

std::string PositionText(std::string_view query, int pos) {
  if (query.empty()) return "unknown position";
  if (pos < 0 || static_cast<size_t>(pos) > query.size()) return "invalid position";
  std::string_view before = query.substr(0, static_cast<size_t>(pos));
  auto line = 1 + std::ranges::count(before, '\n');
  size_t line_break = before.rfind('\n');  // npos + 1 is 0
  return fmt::format("{}:{}", line, before.size() - (line_break + 1) + 1);
}

Status ParseErrorAt(std::string_view query, int pos, std::string_view what) {
  return Status(Code::kInvalid, fmt::format("{}: parse error: {}", PositionText(query, pos), what));
}

}  // namespace gauntlet::promql
