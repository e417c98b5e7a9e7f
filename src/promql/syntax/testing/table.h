// Test tables of this module: blocks of lines that start with a mark and a space, divided by blank lines.
//
// A line break inside a value is written as U+2424.

#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "promql/syntax/ast.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {

using TestBlock = std::map<char, std::string>;  // by mark

inline std::vector<TestBlock> ReadTestTable(const std::string& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  std::vector<TestBlock> blocks(1);
  for (std::string line; std::getline(in, line);) {
    if (line.empty() && !blocks.back().empty()) blocks.emplace_back();
    if (line.size() < 2 || line[0] == '#') continue;
    std::string value = line.substr(2);
    constexpr std::string_view kBreak = "\u2424";
    for (size_t at; (at = value.find(kBreak)) != value.npos;) value.replace(at, kBreak.size(), "\n");
    blocks.back()[line[0]] = value;
  }
  if (blocks.back().empty()) blocks.pop_back();
  return blocks;
}

// Kind@start-end(children) of each node.
inline std::string DumpTree(const Expr& e) {
  static constexpr const char* kNames[] = {"NumberLiteral", "StringLiteral", "VectorSelector", "MatrixSelector",
                                           "SubqueryExpr",  "ParenExpr",     "UnaryExpr",      "BinaryExpr",
                                           "AggregateExpr", "Call",          "DurationExpr"};
  std::string out = kNames[static_cast<size_t>(e.kind)];
  out += "@" + std::to_string(e.pos.start) + "-" + std::to_string(e.pos.end);
  std::string children;
  ForEachChild(e, [&](const Expr& child) { children += (children.empty() ? "" : " ") + DumpTree(child); });
  return children.empty() ? out : out + "(" + children + ")";
}

}  // namespace gauntlet::promql
