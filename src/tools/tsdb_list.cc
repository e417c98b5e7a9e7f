#include "tools/tsdb_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "model/time.h"

namespace gauntlet::tools {
namespace {

// Go's text of a time.Time in UTC, whole seconds.
std::string GoTime(int64_t ms) {
  std::string text = FormatRfc3339Ms(ms / 1000 * 1000);  // 2026-01-05T00:00:00Z
  std::replace(text.begin(), text.end(), 'T', ' ');
  if (text.ends_with('Z')) text.pop_back();
  return text + " +0000 UTC";
}

// Columns as wide as their widest cell and two more, at least 13; the last one is not padded.
std::string Aligned(const std::vector<std::vector<std::string>>& rows) {
  constexpr size_t kWidthMin = 13, kGap = 2;
  std::vector<size_t> widths(rows[0].size(), kWidthMin);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + kGap);
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i) fmt::format_to(std::back_inserter(out), "{:<{}}", row[i], widths[i]);
    out += row.back();
    out += '\n';
  }
  return out;
}

}  // namespace

Result<std::shared_ptr<const tsdb::BlockList>> OpenBlocks(io::FileSystem& files, const std::string& dir) {
  tsdb::BlockDirectory directory(files, dir, tsdb::BlockDirectory::Superseded::kKept);
  std::vector<tsdb::BlockDirectory::Problem> problems;
  GN_TRY(directory.Refresh(&problems));
  if (problems.empty()) return directory.blocks();
  std::string text = "unexpected corrupted block";
  for (const auto& problem : problems) {
    fmt::format_to(std::back_inserter(text), "; {}: {}", problem.name, problem.status.message());
  }
  return Status(Code::kCorrupt, std::move(text));
}

std::string BlockTable(const tsdb::BlockList& blocks, bool human) {
  std::vector<std::vector<std::string>> rows = {
      {"BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE"}};
  auto time = [human](int64_t ms) { return human ? GoTime(ms) : std::to_string(ms); };
  for (const tsdb::BlockPtr& block : blocks) {
    const tsdb::BlockMeta& meta = block->meta();
    rows.push_back({meta.ulid.ToString(), time(meta.mint_ms), time(meta.maxt_ms),
                    FormatGoDuration((meta.maxt_ms - meta.mint_ms) * 1000000), std::to_string(meta.stats.samples),
                    std::to_string(meta.stats.chunks), std::to_string(meta.stats.series),
                    human ? Base2Bytes(block->bytes()) : std::to_string(block->bytes())});
  }
  return Aligned(rows);
}

std::string Base2Bytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes == 0) return "0B";
  std::string out;
  for (size_t i = 0; bytes > 0; ++i, bytes >>= 10) {
    if (bytes % 1024 != 0) out = fmt::format("{}{}", bytes % 1024, kUnits[i]) + out;
  }
  return out;
}

}  // namespace gauntlet::tools
