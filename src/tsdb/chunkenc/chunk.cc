#include "tsdb/chunkenc/chunk.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/varint.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/columns.h"
#include "tsdb/chunkenc/histogram_decode.h"
#include "tsdb/chunkenc/histogram_layout.h"
#include "tsdb/chunkenc/xor.h"
#include "tsdb/chunkenc/xor2.h"
#include "tsdb/chunkenc/xor_lanes.h"

namespace gauntlet::tsdb {
namespace {

Status AppendDecoded(ChunkView chunk, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  switch (chunk.encoding) {
    case Encoding::kXor:
      return DecodeXor(chunk.bytes, maxt_ms, out);
    case Encoding::kXor2:
      return DecodeXor2(chunk.bytes, maxt_ms, out);
    case Encoding::kHistogram:
    case Encoding::kFloatHistogram:
    case Encoding::kHistogramSt:
    case Encoding::kFloatHistogramSt:
      return DecodeHistograms(chunk.encoding, chunk.bytes, mint_ms, maxt_ms, out);
    default:
      return Status(Code::kUnsupported, fmt::format("decode a chunk of encoding {}", static_cast<int>(chunk.encoding)));
  }
}

// False, with nothing appended, when the chunks are to be decoded one by one.
bool DecodeAbreast(std::span<const ChunkView> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  const size_t base = out->size();
  if (!DecodeXorAbreast(chunks, out)) return false;
  size_t border = base;
  for (size_t k = 0; k + 1 < chunks.size(); ++k) {
    border += SampleCount(chunks[k]);
    if (out->times_ms[border] > out->times_ms[border - 1]) continue;
    DropTail(base, out);
    return false;
  }
  CutToRange(base, mint_ms, maxt_ms, out);
  return true;
}

}  // namespace

std::string_view EncodingName(Encoding encoding) {
  switch (encoding) {
    case Encoding::kNone:
      return "none";
    case Encoding::kXor:
      return "XOR";
    case Encoding::kHistogram:
      return "histogram";
    case Encoding::kFloatHistogram:
      return "floathistogram";
    case Encoding::kXor2:
      return "XOR2";
    case Encoding::kHistogramSt:
      return "histogramST";
    case Encoding::kFloatHistogramSt:
      return "floathistogramST";
    case Encoding::kAggregate:
      return "aggregate";
  }
  return "<unknown>";
}

uint32_t SampleCount(ChunkView chunk) {
  if (IsHistogramEncoding(chunk.encoding)) {
    HistogramHeader header;
    return ReadHistogramHeader(chunk.encoding, chunk.bytes, &header) ? header.count : 0;
  }
  if (chunk.encoding == Encoding::kAggregate) {
    auto parts = ParseAggrChunk(chunk.bytes);
    return parts.ok() ? SampleCount((*parts)[Aggregate::kCount]) : 0;
  }
  ByteReader header(chunk.bytes);
  uint16_t count = 0;
  return header.Be16(&count) ? count : 0;
}

Status DecodeChunk(ChunkView chunk, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  size_t base = out->size();
  bool had_start_times = !out->start_times_ms.empty();
  Status status = AppendDecoded(chunk, mint_ms, maxt_ms, out);
  if (!status.ok()) {
    DropTail(base, out);
    return status;
  }
  auto& starts = out->start_times_ms;
  if (!starts.empty()) starts.resize(out->size());
  if (!had_start_times && std::ranges::all_of(starts, [](int64_t start) { return start == 0; })) starts.clear();
  CutToRange(base, mint_ms, maxt_ms, out);
  return Status();
}

Status DecodeChunks(std::span<const ChunkView> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  const size_t base = out->size();
  // Of the next chunk's samples; false when there can be none.
  auto begin = [&](int64_t* first_ms) {
    *first_ms = mint_ms;
    if (out->size() == base) return true;
    const int64_t last_ms = out->times_ms.back();
    if (last_ms >= maxt_ms) return false;
    *first_ms = std::max(mint_ms, last_ms + 1);
    return true;
  };
  int64_t first_ms;
  while (!chunks.empty() && begin(&first_ms)) {
    size_t n = out->start_times_ms.empty() ? ChunksAbreast(chunks) : 0;
    if (n == 0 || !DecodeAbreast(chunks.first(n), first_ms, maxt_ms, out)) {
      n = std::max<size_t>(n, 1);
      for (size_t k = 0; k < n && begin(&first_ms); ++k) GN_TRY(DecodeChunk(chunks[k], first_ms, maxt_ms, out));
    }
    chunks = chunks.subspan(n);
  }
  return Status();
}

Result<TimeRange> ReadTimeRange(ChunkView chunk) {
  TimeRange range;
  auto widen = [&range](ChunkView part) {
    Samples samples;
    GN_TRY(DecodeChunk(part, &samples));
    if (samples.size() == 0) return Status();
    range.mint_ms = std::min(range.mint_ms, samples.times_ms.front());
    range.maxt_ms = std::max(range.maxt_ms, samples.times_ms.back());
    return Status();
  };
  if (chunk.encoding != Encoding::kAggregate) {
    GN_TRY(widen(chunk));
    return range;
  }
  GN_ASSIGN(auto parts, ParseAggrChunk(chunk.bytes));
  for (ChunkView part : parts.parts) {
    if (part.encoding != Encoding::kNone) GN_TRY(widen(part));
  }
  return range;
}

}  // namespace gauntlet::tsdb
