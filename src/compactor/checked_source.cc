#include "compactor/checked_source.h"

#include <fmt/format.h>

#include <string>

namespace gauntlet::compactor {
namespace {

// A chunk that begins where the block ends is left out, as upstream's repair does (prometheus/tsdb issue 347).
bool Belongs(const tsdb::ChunkMeta& chunk, const tsdb::BlockMeta& block) {
  if (chunk.mint_ms == block.maxt_ms) return true;
  return chunk.mint_ms >= block.mint_ms && chunk.maxt_ms <= block.maxt_ms;
}

}  // namespace

Status CheckedSource::Pass(const Status& status) {
  const tsdb::BlockFault& fault = inner_->fault();
  if (fault.kind == tsdb::FaultKind::kNone) return status;
  // Its text names the block already.
  std::string_view text = status.message();
  const std::string prefix = "block " + meta().ulid.ToString() + ": ";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  const std::string series = "series " + fault.series + ": ";
  if (text.starts_with(series)) text.remove_prefix(series.size());
  return Fail(fault.kind, Status(status.code(), std::string(text)), fault.series);
}

Result<bool> CheckedSource::NextSymbol(const Cancel& cancel, std::string_view* symbol) {
  Result<bool> more = inner_->NextSymbol(cancel, symbol);
  if (!more.ok()) return Pass(more.status());
  return more;
}

Result<bool> CheckedSource::Next(const Cancel& cancel, tsdb::SourceSeries* out) {
  Result<bool> more = inner_->Next(cancel, out);
  if (!more.ok()) return Pass(more.status());
  if (!*more) return more;
  for (const tsdb::SourceChunk& chunk : out->chunks) {
    if (Belongs(chunk.meta, meta())) continue;
    return Fail(tsdb::FaultKind::kIndex,
                Status(Code::kCorrupt, fmt::format("a chunk from {} to {} lies {}, {} to {}", chunk.meta.mint_ms,
                                                   chunk.meta.maxt_ms, kOutsideText, meta().mint_ms, meta().maxt_ms)));
  }
  return more;
}

}  // namespace gauntlet::compactor
