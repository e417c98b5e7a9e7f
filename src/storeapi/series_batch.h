// SeriesBatch: some series in flight, as they came in one frame: packed labels, and chunks that borrow the frame.
//
// Batches are shared and immutable once filled: whoever merges or keeps a series holds its batch, and copies nothing.
// Threads: one thread while it is filled, then immutable.     Owns: the frame, the labels, the chunk list

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "wire/series.h"

namespace gauntlet::tsdb {
struct EncodedChunk;
}

namespace gauntlet::storeapi {

// About as many series as travel together.
inline constexpr size_t kBatchSeries = 64;

class SeriesBatch {
 public:
  size_t size() const { return entries_.size(); }
  LabelsView labels(size_t i) const {
    return LabelsView(std::string_view(labels_).substr(entries_[i].labels_begin, entries_[i].labels_size));
  }
  std::span<const wire::ChunkView> chunks(size_t i) const {
    return std::span(chunks_).subspan(entries_[i].chunks_begin, entries_[i].chunks_count);
  }
  // With the batches kept alive, each as if it were kept by this one alone.
  size_t memory_bytes() const {
    return sizeof(*this) + frame_.capacity() + labels_.capacity() + chunks_.capacity() * sizeof(wire::ChunkView) +
           entries_.capacity() * sizeof(Entry) + kept_bytes_;
  }

  // ---- Filling ----
  // Takes the bytes that chunks will point into. REQUIRES: before the first Add.
  std::string* frame() { return &frame_; }
  // Room for so many series with so many bytes of labels.
  void Reserve(size_t series, size_t labels_bytes);
  // Copies labels and chunk views; the data of the chunks must be in frame().
  void Add(LabelsView labels, std::span<const wire::ChunkView> chunks);
  // Appends chunks to the last series.
  void Extend(std::span<const wire::ChunkView> chunks);
  // For batches made from others: the chunks point into `other`'s frame.
  void KeepAlive(std::shared_ptr<const SeriesBatch> other);
  // For chunks that point into anything else.
  void KeepAlive(std::shared_ptr<const void> owner, size_t memory_bytes);

 private:
  struct Entry {
    uint32_t labels_begin, labels_size, chunks_begin, chunks_count;
  };
  std::string frame_, labels_;
  std::vector<wire::ChunkView> chunks_;
  std::vector<Entry> entries_;
  std::vector<std::shared_ptr<const void>> kept_;
  size_t kept_bytes_ = 0;
};

using SeriesBatchPtr = std::shared_ptr<const SeriesBatch>;

// One series of these chunks, copied.
SeriesBatchPtr BatchOf(LabelsView labels, std::span<const tsdb::EncodedChunk> chunks);

// What one SeriesResponse frame holds.
struct ParsedFrame {
  SeriesBatchPtr series;  // null when none
  std::vector<std::string> warnings;
};

// Takes the frame over. kCorrupt names the byte.
Result<ParsedFrame> ParseFrame(std::string frame);

}  // namespace gauntlet::storeapi
