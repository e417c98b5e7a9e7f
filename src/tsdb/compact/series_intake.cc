#include "tsdb/compact/series_intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tsdb/compact/part.h"

namespace gauntlet::tsdb {

Status SeriesIntake::Blame(FaultKind kind, size_t source, Status status, std::span<const uint32_t> labels,
                           BlockFault* fault) const {
  const Ulid& block = sources_[source]->meta().ulid;
  *fault = {kind, block, labels.empty() ? "" : sink_.LabelText(labels)};
  if (!fault->series.empty()) status.Wrap(fmt::format("series {}", fault->series));
  return std::move(status.Wrap(fmt::format("block {}", block.ToString())));
}

Status SeriesIntake::BlameSource(size_t source, Status status) {
  fault_ = sources_[source]->fault();
  const std::vector<uint32_t>& symbols = cursors_[source].series.symbols;
  if (fault_.kind == FaultKind::kNone || !fault_.series.empty() || symbols.empty()) return status;
  std::vector<uint32_t> labels;
  for (uint32_t symbol : symbols) {
    if (symbol >= cursors_[source].numbers->size()) return status;
    labels.push_back((*cursors_[source].numbers)[symbol]);
  }
  fault_.series = sink_.LabelText(labels);
  return std::move(status.Wrap(fmt::format("series {}", fault_.series)));
}

Status SeriesIntake::Start() {
  size_t failed = 0;
  auto maps = SymbolMaps::Merge(sources_, sink_, cancel_, &failed);
  if (!maps.ok()) {
    fault_ = sources_[failed]->fault();
    if (fault_.kind == FaultKind::kNone && maps.status().code() == Code::kInvalid) {
      // Its symbols do not ascend.
      return Blame(FaultKind::kIndex, failed, Status(Code::kCorrupt, std::string(maps.status().message())), {},
                   &fault_);
    }
    return maps.status();
  }
  maps_ = *std::move(maps);
  cursors_.resize(sources_.size());
  for (size_t i = 0; i < cursors_.size(); ++i) {
    cursors_[i].source = sources_[i].get();
    cursors_[i].numbers = &maps_.of(i);
    GN_ASSIGN(bool more, Advance(i));
    if (more) heap_.Push(i);
  }
  return Status();
}

Result<bool> SeriesIntake::Advance(size_t i) {
  Cursor& cursor = cursors_[i];
  for (;;) {
    auto more = cursor.source->Next(cancel_, &cursor.series);
    if (!more.ok()) return BlameSource(i, more.status());
    if (!*more) return false;
    last_.swap(cursor.labels);
    cursor.labels.clear();
    for (uint32_t symbol : cursor.series.symbols) {
      if (symbol >= cursor.numbers->size()) {
        return Blame(FaultKind::kIndex, i, Status(Code::kCorrupt, "a series names a symbol that is not there"), {},
                     &fault_);
      }
      cursor.labels.push_back((*cursor.numbers)[symbol]);
    }
    if (cursor.started && !std::ranges::lexicographical_compare(last_, cursor.labels)) {
      return Blame(FaultKind::kSeriesOrder, i, Status(Code::kCorrupt, "it is not behind the series before it"),
                   cursor.labels, &fault_);
    }
    cursor.started = true;
    if (DropDeleted(mint_ms_, maxt_ms_, &cursor.series)) return true;
  }
}

Status SeriesIntake::Take(TakenSeries* out, size_t* bytes) {
  out->labels = cursors_[heap_.top()].labels;
  out->parts_used = 0;
  out->sources.clear();
  popped_.clear();
  while (!heap_.empty() && cursors_[heap_.top()].labels == out->labels) {
    size_t i = heap_.Pop();
    popped_.push_back(i);
    if (out->parts_used == out->parts.size()) out->parts.emplace_back();
    SourceSeries& part = out->parts[out->parts_used++];
    std::swap(part, cursors_[i].series);
    out->sources.push_back(static_cast<uint32_t>(i));
    for (const SourceChunk& chunk : part.chunks) *bytes += chunk.stored.size();
  }
  for (size_t i : popped_) {
    GN_ASSIGN(bool more, Advance(i));
    if (more) heap_.Push(i);
  }
  return Status();
}

}  // namespace gauntlet::tsdb
