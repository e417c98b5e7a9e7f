#include "blocks/parquet_filter.h"

#include <algorithm>
#include <utility>

#include "io/path.h"
#include "objstore/directories.h"
#include "wire/fields.h"

namespace gauntlet::blocks {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;
constexpr char kParquetMeta[] = "meta.pb";
constexpr size_t kParquetMetaBytesMax = 64 << 20;
constexpr uint32_t kSources = 6;

int64_t DayOf(int64_t ms) { return ms / kDayMs - (ms % kDayMs < 0 ? 1 : 0); }

struct Span {
  int64_t begin_ms, end_ms;
};

// Blocks by their beginning; what follows each other without a gap is one span.
std::vector<Span> Joined(std::vector<Span> blocks) {
  std::sort(blocks.begin(), blocks.end(), [](const Span& a, const Span& b) { return a.begin_ms < b.begin_ms; });
  std::vector<Span> joined;
  for (const Span& block : blocks) {
    // The original takes the end of a block for its last time: so that a millisecond between two is no gap.
    if (!joined.empty() && block.begin_ms - 1 <= joined.back().end_ms) {
      joined.back().end_ms = std::max(joined.back().end_ms, block.end_ms);
    } else {
      joined.push_back(block);
    }
  }
  return joined;
}

// Whether the span that holds the block reaches over all of the block's days.
bool DaysAreCovered(const std::vector<Span>& joined, const Span& block) {
  if (block.end_ms <= block.begin_ms) return true;
  auto after = std::upper_bound(joined.begin(), joined.end(), block.begin_ms,
                                [](int64_t at, const Span& span) { return at < span.begin_ms; });
  if (after == joined.begin()) return false;
  const Span& span = *std::prev(after);
  return span.begin_ms <= DayOf(block.begin_ms) * kDayMs && span.end_ms >= (DayOf(block.end_ms - 1) + 1) * kDayMs - 1;
}

}  // namespace

Result<std::vector<Ulid>> ParseParquetSources(std::string_view bytes) {
  std::vector<Ulid> sources;
  wire::FieldReader fields(bytes);
  while (fields.Next()) {
    if (fields.key() != wire::BytesKey(kSources)) continue;
    std::optional<Ulid> id = Ulid::Parse(fields.bytes());
    if (!id.has_value()) return Status(Code::kCorrupt, "meta.pb names a block that is none");
    sources.push_back(*id);
  }
  if (!fields.ok()) return Status(Code::kCorrupt, "meta.pb is malformed");
  return sources;
}

Result<std::set<Ulid>> ParquetFilter::Converted(const Cancel& cancel) {
  std::map<std::string, Read> now;
  std::vector<std::map<std::string, Read>::iterator> ask;
  GN_TRY(bucket_->Iter("", {.recursive = true, .attributes = true}, cancel, [&](const objstore::ObjectEntry& entry) {
    if (io::BaseName(entry.name) != kParquetMeta) return Status();
    auto at = now.emplace(entry.name, Read{entry.modified_ms, {}}).first;
    auto known = read_.find(at->first);
    if (known != read_.end() && known->second.modified_ms == entry.modified_ms) {
      at->second.sources = known->second.sources;
    } else {
      ask.push_back(at);
    }
    return Status();
  }));
  GN_TRY(objstore::ForEachConcurrently(
      executor_, ask.size(), concurrency_, cancel, [&](size_t i, const Cancel& part) -> Status {
        const std::string& name = ask[i]->first;
        GN_ASSIGN(std::string bytes, objstore::ReadObject(*bucket_, name, part, kParquetMetaBytesMax));
        Result<std::vector<Ulid>> sources = ParseParquetSources(bytes);
        if (!sources.ok()) return sources.status().Wrap(name);
        ask[i]->second.sources = *std::move(sources);
        return Status();
      }));
  read_ = std::move(now);
  std::set<Ulid> converted;
  for (const auto& [name, read] : read_) converted.insert(read.sources.begin(), read.sources.end());
  return converted;
}

Status ParquetFilter::Filter(const Catalog&, const Cancel& cancel, MetaMap* metas, StateCounts* synced, StateCounts*) {
  Result<std::set<Ulid>> converted = Converted(cancel);
  if (!converted.ok()) return converted.status().Wrap("read which blocks are converted to parquet");
  std::vector<Span> spans;
  for (const Ulid& id : *converted) {
    auto meta = metas->find(id);
    if (meta != metas->end()) spans.push_back({meta->second->block.mint_ms, meta->second->block.maxt_ms});
  }
  const std::vector<Span> joined = Joined(std::move(spans));
  for (const Ulid& id : *converted) {
    auto meta = metas->find(id);
    if (meta == metas->end() || !DaysAreCovered(joined, {meta->second->block.mint_ms, meta->second->block.maxt_ms}))
      continue;
    metas->erase(meta);
    ++(*synced)["parquet-converted"];
  }
  return Status();
}

}  // namespace gauntlet::blocks
