// Remote read's stream of chunks: frames out of a byte stream that arrives in pieces, and the series in a frame.
//
// Format:  uvarint length, CRC-32C big-endian, ChunkedReadResponse (proto/prometheus/remote.proto)
// Upstream: prometheus storage/remote/chunked.go
// Threads: one thread at a time.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "wire/label_fields.h"
#include "wire/series.h"

namespace gauntlet::wire {

// What Prometheus accepts.
inline constexpr size_t kChunkedFrameBytesMax = 50'000'000;

// Cuts the stream. Bytes are copied only where a frame is spread over pieces.
class ChunkedFrames {
 public:
  explicit ChunkedFrames(size_t frame_bytes_max = kChunkedFrameBytesMax) : frame_bytes_max_(frame_bytes_max) {}

  // Takes bytes from the front of `*input`. True: `*frame` is the next checked frame; it dies with the input's bytes or
  // the next call. False: all of the input was taken, and no frame is whole; call again with more.
  Result<bool> Next(std::string_view* input, std::string_view* frame);
  // At the end of the stream: kCorrupt when that is within a frame.
  Status Finish() const;

 private:
  enum class Header { kWhole, kShort, kMalformed };
  Header ParseHeader(std::string_view bytes);
  Result<std::string_view> Check(std::string_view frame);

  const size_t frame_bytes_max_;
  std::string pending_;  // an unfinished frame with its header; or, when taken_, the frame given out last
  bool taken_ = false;
  size_t header_bytes_ = 0;  // of the header parsed last, as the next two
  uint64_t frame_bytes_ = 0;
  uint32_t crc_ = 0;
  uint64_t offset_ = 0;  // in the stream, of the current frame
};

// Reads the series of one frame. Use as SeriesReader.
class ChunkedSeriesReader {
 public:
  void Reset(std::string_view frame);
  Result<bool> Next();
  LabelsView labels() const { return labels_; }
  // Raw chunks. A chunk of a type that is not said is corrupt.
  std::span<const ChunkView> chunks() const { return chunks_; }
  // Which query of the request the frame answers.
  int64_t query_index() const { return query_index_; }

 private:
  bool ParseSeries(std::string_view message);
  bool ParseChunk(std::string_view message);

  std::string_view frame_, rest_;
  LabelFields fields_;
  LabelsView labels_;
  std::vector<ChunkView> chunks_;
  int64_t query_index_ = 0;
};

// Appends a frame with `message` in it.
void AppendChunkedFrame(std::string& out, std::string_view message);
// Appends one series to a ChunkedReadResponse under construction (the query index is a field of its own).
void AppendChunkedSeries(std::string& message, LabelsView labels, std::span<const ChunkView> chunks);
void AppendChunkedQueryIndex(std::string& message, int64_t query_index);

}  // namespace gauntlet::wire
