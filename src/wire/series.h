// Series frames of StoreAPI, walked over the received bytes.
//
// Format:  proto/thanos/store.proto (SeriesResponse)      Upstream: thanos pkg/store/storepb
// Threads: one thread at a time.                          Owns: the labels of the current series; all else is the
// frame's

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "wire/label_fields.h"

namespace gauntlet::wire {

// Which samples of a downsampled chunk; raw data has kRaw only. The numbers are StoreAPI's.
enum class Aggregate : uint8_t { kRaw, kCount, kSum, kMin, kMax, kCounter };

// An encoded chunk on its way through. `data` is borrowed.
struct ChunkView {
  int64_t min_time_ms = 0, max_time_ms = 0;
  std::string_view data;
  uint64_t hash = 0;     // xxHash64 of data, 0 = not computed
  uint8_t encoding = 1;  // as in blocks and in remote read: XOR = 1; StoreAPI's numbers are one less
  Aggregate aggregate = Aggregate::kRaw;
  bool joined = false;  // one AggrChunk with the chunk before: another aggregate of the same time
  bool operator==(const ChunkView&) const = default;
};

// Reads the series, warnings and hints of one frame after the other:
//
//   reader.Reset(frame);
//   for (;;) {
//     GN_ASSIGN(bool more, reader.Next());
//     if (!more) break;
//     if (reader.kind() == SeriesReader::Kind::kSeries) Use(reader.labels(), reader.chunks());
//   }
class SeriesReader {
 public:
  enum class Kind : uint8_t { kSeries, kWarning, kHints };

  // Borrows `frame`, one SeriesResponse, until the next Reset.
  void Reset(std::string_view frame);
  // The next item; false at the end of the frame. kCorrupt names the byte.
  Result<bool> Next();

  Kind kind() const { return kind_; }
  // Of a series: sorted, without empty values; valid until Next() or Reset().
  LabelsView labels() const { return labels_; }
  // Valid until Next() or Reset(); their data as long as the frame.
  std::span<const ChunkView> chunks() const { return chunks_; }
  // The series as it was sent, to be passed on unchanged (series_writer.h).
  std::string_view encoded() const { return item_; }
  // Of a warning: its text. Of hints: the google.protobuf.Any.
  std::string_view text() const { return item_; }

 private:
  bool ParseSeries(std::string_view message);
  bool ParseAggrChunk(std::string_view message);
  bool ParseChunk(std::string_view message, Aggregate aggregate);
  bool Fail(const char* at, const char* what) {
    error_at_ = at;
    error_ = what;
    return false;
  }

  std::string_view frame_, rest_, batch_;
  Kind kind_ = Kind::kSeries;
  std::string_view item_;
  LabelFields fields_;
  LabelsView labels_;
  std::vector<ChunkView> chunks_;
  const char* error_at_ = nullptr;
  const char* error_ = nullptr;
};

}  // namespace gauntlet::wire
