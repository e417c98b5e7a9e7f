#include "tsdb/block/block_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <utility>

#include "base/check.h"
#include "tsdb/block/block_writer.h"

namespace gauntlet::tsdb {
namespace {

constexpr int kSamplesPerChunk = 120;
constexpr size_t kChunkBytesMax = 1024 - 19;

// When a chunk that began at `start` and got a quarter of its samples by `now` should end, so that chunks of about
// equal length fill the time up to `end`.
int64_t PredictEnd(int64_t start, int64_t now, int64_t end) {
  double n = static_cast<double>(end - start) / (static_cast<double>(now - start + 1) * 4);
  if (n <= 1) return end;
  return static_cast<int64_t>(static_cast<double>(start) + static_cast<double>(end - start) / std::floor(n));
}

}  // namespace

int64_t BlockBuilder::RangeEnd(int64_t time_ms) const {
  return time_ms / chunk_range_ms_ * chunk_range_ms_ + chunk_range_ms_;
}

void BlockBuilder::Close(Series& series) {
  if (series.open.count() == 0) return;
  series.chunks.push_back({series.open_mint_ms, series.last_ms, series.open.Release()});
}

Status BlockBuilder::Append(LabelsView labels, int64_t time_ms, double value) {
  key_.assign(labels.packed());
  std::unique_ptr<Series>& entry = series_[key_];
  if (entry == nullptr) entry = std::make_unique<Series>();
  Series& series = *entry;
  bool first = series.open.count() == 0 && series.chunks.empty();
  if (!first && time_ms <= series.last_ms) {
    if (time_ms < series.last_ms) return Status(Code::kOutOfOrder, "out of order sample");
    if (std::bit_cast<uint64_t>(value) == std::bit_cast<uint64_t>(series.last_value)) return Status();
    return Status(Code::kOutOfOrder, "duplicate sample for timestamp");
  }
  if (series.open.count() == kSamplesPerChunk / 4) {
    series.next_cut_ms = PredictEnd(series.open_mint_ms, series.last_ms, series.next_cut_ms);
  }
  bool full = time_ms >= series.next_cut_ms || series.open.count() >= 2 * kSamplesPerChunk ||
              series.open.bytes().size() > kChunkBytesMax;
  if (series.open.count() > 0 && full) Close(series);
  if (series.open.count() == 0) {
    series.open_mint_ms = time_ms;
    series.next_cut_ms = RangeEnd(time_ms);
  }
  series.open.Append(time_ms, value);
  series.last_ms = time_ms;
  series.last_value = value;
  mint_ms_ = std::min(mint_ms_.value_or(time_ms), time_ms);
  maxt_ms_ = std::max(maxt_ms_.value_or(time_ms), time_ms);
  return Status();
}

Result<BlockMeta> BlockBuilder::Write(io::FileSystem& files, const std::string& parent, Ulid ulid) {
  GN_CHECK(!empty());
  BlockMeta meta;
  meta.ulid = ulid;
  meta.mint_ms = *mint_ms_;
  meta.maxt_ms = *maxt_ms_ + 1;
  meta.compaction.sources = {ulid};
  std::vector<std::pair<LabelsView, Series*>> sorted;
  std::set<std::string_view> symbols = {""};  // a head has it for its list of all series
  for (auto& [packed, series] : series_) {
    sorted.emplace_back(LabelsView(packed), series.get());
    for (const Label& label : LabelsView(packed)) {
      symbols.insert(label.name);
      symbols.insert(label.value);
    }
  }
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return CompareLabels(a.first, b.first) < 0; });
  GN_ASSIGN(std::unique_ptr<BlockWriter> writer, BlockWriter::Create(files, parent, std::move(meta)));
  for (std::string_view symbol : symbols) GN_TRY(writer->AddSymbol(symbol));
  std::vector<BlockChunk> chunks;
  for (auto& [labels, series] : sorted) {
    Close(*series);
    chunks.clear();
    for (const Chunk& chunk : series->chunks) {
      chunks.push_back({chunk.mint_ms, chunk.maxt_ms, {Encoding::kXor, chunk.bytes}});
    }
    GN_TRY(writer->AddSeries(labels, chunks));
    series->chunks = std::vector<Chunk>();
  }
  GN_TRY(writer->Finish());
  return writer->meta();
}

}  // namespace gauntlet::tsdb
