// Every query that the shared test data holds parses, and prints to a text that parses and prints the same.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "io/compress.h"
#include "io/file_system.h"
#include "io/path.h"
#include "json/reader.h"
#include "promql/syntax/parser.h"
#include "promql/syntax/prettier.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/series_description.h"
#include "promql/syntax/testing/parse.h"
#include "promql/syntax/testing/table.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

void ExpectFixpoint(std::string_view query) {
  Result<ExprPtr> e = ParseExpr(query, AllOn());
  ASSERT_TRUE(e.ok()) << query << "\n" << e.status().message();
  const std::string printed = ToString(**e);
  Result<ExprPtr> again = ParseExpr(printed, AllOn());
  ASSERT_TRUE(again.ok()) << printed << "\n" << again.status().message();
  EXPECT_EQ(ToString(**again), printed) << query;
  Result<ExprPtr> pretty = ParseExpr(Prettify(**e), AllOn());
  ASSERT_TRUE(pretty.ok()) << Prettify(**e) << "\n" << pretty.status().message();
  EXPECT_EQ(ToString(**pretty), printed) << query;
  EXPECT_EQ(DumpTree(*Clone(**e)), DumpTree(**e));
}

// "" without the shared test data.
std::string Shared(std::string_view name) {
  const char* shared = std::getenv("GAUNTLET_SHARED");
  return shared != nullptr && std::filesystem::exists(shared) ? io::JoinPath(shared, name) : std::string();
}

template <typename F>
void ForEachLine(std::string_view text, F f) {
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

TEST(Corpus, RecordedQueriesPrintToAFixpoint) {
  const std::string dir = Shared("golden/promql");
  if (dir.empty()) GTEST_SKIP() << "no shared test data (GAUNTLET_SHARED)";
  io::FileSystem& fs = io::RealFileSystem();
  auto files = fs.List(dir);
  ASSERT_TRUE(files.ok()) << files.status().message();
  size_t queries = 0, refused = 0;
  for (const io::FileInfo& file : *files) {
    if (!file.name.ends_with(".jsonl.gz")) continue;
    auto lines = io::GzipDecompress(*fs.ReadFile(io::JoinPath(dir, file.name)), 1 << 30);
    ASSERT_TRUE(lines.ok()) << lines.status().message();
    ForEachLine(*lines, [&](std::string_view line) {
      auto record = json::Document::Parse(line);
      ASSERT_TRUE(record.ok()) << record.status().message();
      std::string_view query = record->root().Get("query").String().value_or("");
      std::string_view error = record->root().Get("error").String().value_or("");
      queries++;
      // Recorded parse errors are ours, word for word.
      if (size_t at = error.find("parse error: "); at != error.npos) {
        refused++;
        Result<ExprPtr> e = ParseExpr(query, AllOn());
        ASSERT_FALSE(e.ok()) << query;
        EXPECT_TRUE(error.ends_with(e.status().message())) << error << "\n" << e.status().message();
        return;
      }
      ExpectFixpoint(query);
    });
  }
  EXPECT_GT(queries, 2500u);
  RecordProperty("refused", static_cast<int>(refused));
}

TEST(Corpus, ComplianceQueriesPrintToAFixpoint) {
  const std::string path = Shared("fixtures/compliance/queries.jsonl");
  if (path.empty()) GTEST_SKIP() << "no shared test data (GAUNTLET_SHARED)";
  auto lines = io::RealFileSystem().ReadFile(path);
  ASSERT_TRUE(lines.ok()) << lines.status().message();
  size_t queries = 0;
  ForEachLine(*lines, [&](std::string_view line) {
    auto record = json::Document::Parse(line);
    ASSERT_TRUE(record.ok()) << record.status().message();
    std::string_view query = record->root().Get("query").String().value_or("");
    queries++;
    if (record->root().Get("should_fail").Bool().value_or(false)) return;  // when evaluated, or here
    ExpectFixpoint(query);
  });
  EXPECT_GT(queries, 500u);
}

// "eval instant at 5m rate(a[1m])" -> "rate(a[1m])"; nothing for other lines.
std::string_view EvalExpression(std::string_view line) {
  if (!line.starts_with("eval")) return {};
  auto word = [&] {
    size_t end = std::min(line.find_first_of(" \t"), line.size());
    std::string_view taken = line.substr(0, end);
    line.remove_prefix(std::min(line.find_first_not_of(" \t", end), line.size()));
    return taken;
  };
  word();
  const int words = word() == "range" ? 6 : 2;  // "from A to B step C", "at A"
  for (int i = 0; i < words; i++) word();
  return line;
}

TEST(Corpus, ScriptsParse) {
  const std::string dir = Shared("promqltest");
  if (dir.empty()) GTEST_SKIP() << "no shared test data (GAUNTLET_SHARED)";
  io::FileSystem& fs = io::RealFileSystem();
  auto files = fs.List(dir);
  ASSERT_TRUE(files.ok()) << files.status().message();
  size_t evals = 0, series = 0;
  for (const io::FileInfo& file : *files) {
    if (!file.name.ends_with(".test")) continue;
    bool loading = false;
    auto lines = fs.ReadFile(io::JoinPath(dir, file.name));
    ForEachLine(*lines, [&](std::string_view line) {
      const bool indented = line[0] == ' ' || line[0] == '\t';
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      if (line.empty() || line[0] == '#') return;
      if (std::string_view query = EvalExpression(line); !query.empty()) {
        evals++;
        ExpectFixpoint(query);
        loading = false;
        return;
      }
      if (!indented) loading = line.starts_with("load");
      // @st lines have a language of their own.
      if (!indented || !loading || line.find("@st") != line.npos) return;
      series++;
      Result<SeriesDescription> s = ParseSeriesDescription(line);
      EXPECT_TRUE(s.ok()) << file.name << ": " << line << "\n" << s.status().message();
    });
  }
  EXPECT_GT(evals, 2200u);
  EXPECT_GT(series, 900u);
}

}  // namespace
}  // namespace gauntlet::promql
