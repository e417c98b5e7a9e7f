// Series frames of StoreAPI, written from packed labels and chunk bytes, with all sizes known before the first byte.
//
// Threads: the functions are pure; a SeriesBatch is for one thread at a time.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/labels.h"
#include "wire/series.h"

namespace gauntlet::wire {

// Append one SeriesResponse each.
// REQUIRES: chunks of one AggrChunk (joined) follow each other in the order of Aggregate; encodings are not 0.
void AppendSeriesFrame(std::string& out, LabelsView labels, std::span<const ChunkView> chunks);
void AppendEncodedSeriesFrame(std::string& out, std::string_view series);  // SeriesReader::encoded()
void AppendWarningFrame(std::string& out, std::string_view warning);
void AppendHintsFrame(std::string& out, std::string_view any);  // a google.protobuf.Any

// Series that travel in one frame, for clients that asked for batches.
class SeriesBatch {
 public:
  SeriesBatch() { Clear(); }
  void Add(LabelsView labels, std::span<const ChunkView> chunks);
  void AddEncoded(std::string_view series);
  size_t series() const { return series_; }
  size_t bytes() const { return buffer_.size(); }
  // The SeriesResponse, valid until the next call. REQUIRES: series() > 0
  std::string_view Frame();
  void Clear();

 private:
  std::string buffer_;  // room for the frame's header, then the batch
  size_t series_ = 0;
};

}  // namespace gauntlet::wire
