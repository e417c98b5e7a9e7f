#include "tsdb/chunkenc/aggr_chunk.h"

#include <fmt/format.h>

#include "base/varint.h"

namespace gauntlet::tsdb {

std::string_view AggregateName(Aggregate aggregate) {
  static constexpr std::string_view kNames[kAggregates] = {"count", "sum", "min", "max", "counter"};
  return kNames[static_cast<size_t>(aggregate)];
}

Result<AggrChunkView> ParseAggrChunk(std::string_view bytes) {
  AggrChunkView view;
  ByteReader in(bytes);
  for (size_t i = 0; i < kAggregates; ++i) {
    uint64_t length;
    uint8_t encoding = 0;
    bool ok = in.Uvarint(&length) && (length == 0 || (in.U8(&encoding) && encoding != 0 && length <= in.left() &&
                                                      in.Bytes(length, &view.parts[i].bytes)));
    if (!ok) {
      return Status(Code::kCorrupt, fmt::format("aggregate chunk of {} bytes does not parse at its {}", bytes.size(),
                                                AggregateName(static_cast<Aggregate>(i))));
    }
    if (length != 0) view.parts[i].encoding = static_cast<Encoding>(encoding);
  }
  return view;
}

std::string EncodeAggrChunk(const AggrChunkView& parts) {
  std::string out;
  for (const auto& part : parts.parts) {
    bool present = part.encoding != Encoding::kNone;
    AppendUvarint(out, present ? part.bytes.size() : 0);
    if (!present) continue;
    out.push_back(static_cast<char>(part.encoding));
    out.append(part.bytes);
  }
  return out;
}

}  // namespace gauntlet::tsdb
