// Series entries of an index: labels as references to symbols, and where the chunks are.
//
// Format:   docs/format/index.md#series      Upstream: prometheus tsdb/index/index.go (Decoder)
// Threads:  a decoder is for one thread at a time.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/varint.h"
#include "model/labels.h"
#include "tsdb/index/symbols.h"

namespace gauntlet::tsdb {

struct ChunkMeta {
  int64_t mint_ms = 0, maxt_ms = 0;
  uint64_t ref = 0;
  bool Overlaps(int64_t mint, int64_t maxt) const { return mint_ms <= maxt && mint <= maxt_ms; }
  bool operator==(const ChunkMeta&) const = default;
};

struct SeriesEntry {
  std::string packed_labels;
  std::vector<ChunkMeta> chunks;
  LabelsView labels() const { return LabelsView(packed_labels); }
};

// The bytes that the entry at the front of `bytes` takes; 0 when its length does not parse (10 bytes show it).
uint64_t SeriesEntryBytes(std::string_view bytes);

// Appends the entry. `symbols` are the references of names and values in turn.
void AppendSeriesEntry(std::span<const uint32_t> symbols, std::span<const ChunkMeta> chunks, std::string* out);

class SeriesDecoder {
 public:
  explicit SeriesDecoder(const SymbolTable& symbols) : symbols_(symbols) {}

  // `bytes` begin with the entry. Replaces *out, whose buffers are reused. kCorrupt when it does not parse, its
  // checksum is wrong or it names symbols that are not there.
  Status Decode(std::string_view bytes, SeriesEntry* out);
  // Only the chunks that overlap [mint_ms, maxt_ms]; when there are none, the labels stay empty.
  Status DecodeOverlapping(std::string_view bytes, int64_t mint_ms, int64_t maxt_ms, SeriesEntry* out);
  // References of the names and values in turn, nothing looked up. Valid until the next call.
  Result<std::span<const uint32_t>> DecodeSymbols(std::string_view bytes);
  // The same, and all chunks to *chunks.
  Result<std::span<const uint32_t>> DecodeSymbols(std::string_view bytes, std::vector<ChunkMeta>* chunks);

 private:
  struct Slot {
    uint32_t ref = 0;
    std::string_view symbol;  // without data = unused
  };
  // Checks the entry; what is left after its labels goes to *rest.
  Status Open(std::string_view bytes, ByteReader* rest);
  Status PackLabels(std::string* out);
  bool Symbol(uint32_t ref, std::string_view* symbol) {
    Slot& slot = cache_[ref % cache_.size()];
    if (slot.ref != ref || slot.symbol.data() == nullptr) {
      if (!symbols_.Lookup(ref, &slot.symbol)) return false;
      slot.ref = ref;
    }
    *symbol = slot.symbol;
    return true;
  }

  const SymbolTable& symbols_;
  std::vector<uint32_t> refs_;
  std::array<Slot, 1024> cache_;
};

}  // namespace gauntlet::tsdb
