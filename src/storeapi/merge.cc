#include "storeapi/merge.h"

#include <utility>

namespace gauntlet::storeapi {

SeriesMerge::SeriesMerge(std::vector<std::unique_ptr<SeriesStream>> streams, OnEnd on_end)
    : on_end_(std::move(on_end)) {
  cursors_.resize(streams.size());
  for (size_t i = 0; i < streams.size(); ++i) cursors_[i].stream = std::move(streams[i]);
}

SeriesMerge::~SeriesMerge() = default;

Status SeriesMerge::Advance(uint32_t source) {
  Cursor& cursor = cursors_[source];
  if (cursor.batch && ++cursor.index < cursor.batch->size()) {
    cursor.labels = cursor.batch->labels(cursor.index);
    return Status();
  }
  cursor.index = 0;
  do {
    Result<SeriesBatchPtr> next = cursor.stream->Next();
    if (!next.ok() || *next == nullptr) {
      cursor.batch = nullptr;
      cursor.labels = LabelsView();
      return on_end_(source, next.status());
    }
    cursor.batch = *std::move(next);
  } while (cursor.batch->size() == 0);
  cursor.labels = cursor.batch->labels(0);
  return Status();
}

// Ended sources sort last, equal labels by source.
bool SeriesMerge::Less(uint32_t a, uint32_t b) const {
  const Cursor &x = cursors_[a], &y = cursors_[b];
  if (!x.batch || !y.batch) return x.batch || (!y.batch && a < b);
  int order = CompareLabels(x.labels, y.labels);
  return order < 0 || (order == 0 && a < b);
}

uint32_t SeriesMerge::Build(uint32_t node) {
  auto n = static_cast<uint32_t>(cursors_.size());
  if (node >= n) return node - n;
  uint32_t left = Build(2 * node), right = Build(2 * node + 1);
  if (Less(right, left)) std::swap(left, right);
  losers_[node] = right;
  return left;
}

void SeriesMerge::Replay(uint32_t source) {
  uint32_t winner = source;
  for (uint32_t node = (source + static_cast<uint32_t>(cursors_.size())) / 2; node >= 1; node /= 2) {
    if (Less(losers_[node], winner)) std::swap(losers_[node], winner);
  }
  losers_[0] = winner;
}

Status SeriesMerge::Start() {
  started_ = true;
  for (uint32_t i = 0; i < cursors_.size(); ++i) GN_TRY(Advance(i));
  losers_.resize(std::max<size_t>(cursors_.size(), 1));
  losers_[0] = cursors_.size() > 1 ? Build(1) : 0;
  return Status();
}

Result<bool> SeriesMerge::Next(MergedSeries* series) {
  series->parts.clear();
  if (!started_) GN_TRY(Start());
  if (cursors_.empty()) return false;
  while (true) {
    uint32_t winner = losers_[0];
    Cursor& cursor = cursors_[winner];
    if (!cursor.batch) break;
    if (series->parts.empty()) {
      series->labels = cursor.labels;
      series->parts.reserve(cursors_.size());
    } else if (!(cursor.labels == series->labels)) {
      break;
    }
    series->parts.push_back({cursor.batch, cursor.index, winner});
    GN_TRY(Advance(winner));
    Replay(winner);
  }
  return !series->parts.empty();
}

}  // namespace gauntlet::storeapi
