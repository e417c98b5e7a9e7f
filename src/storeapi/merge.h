// SeriesMerge: many sorted streams as one, by a loser tree on labels; equal label sets come out together.
//
// Threads: one thread at a time.

#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/status.h"
#include "storeapi/series_batch.h"
#include "storeapi/store.h"

namespace gauntlet::storeapi {

// One source's share of a merged series.
struct SeriesPart {
  SeriesBatchPtr batch;
  uint32_t index;   // in the batch
  uint32_t source;  // position of the stream in the merge

  std::span<const wire::ChunkView> chunks() const { return batch->chunks(index); }
};

struct MergedSeries {
  LabelsView labels;              // borrowed from parts[0]
  std::vector<SeriesPart> parts;  // by source; a source whose series came in pieces has several, in order
};

class SeriesMerge {
 public:
  // `on_end(source, status)` is called once for each stream that ends, with its error if it had one. What it returns
  // ends the merge when it is an error; Ok carries on without that source (a partial response).
  using OnEnd = std::function<Status(uint32_t source, const Status& status)>;

  SeriesMerge(std::vector<std::unique_ptr<SeriesStream>> streams, OnEnd on_end);
  ~SeriesMerge();

  // False at the end.
  Result<bool> Next(MergedSeries* series);

 private:
  struct Cursor {
    std::unique_ptr<SeriesStream> stream;
    SeriesBatchPtr batch;  // null = ended
    uint32_t index = 0;
    LabelsView labels;
  };

  Status Start();
  // Moves the source to its next series.
  Status Advance(uint32_t source);
  bool Less(uint32_t a, uint32_t b) const;
  // Plays the source's matches up to the root.
  void Replay(uint32_t source);
  uint32_t Build(uint32_t node);

  std::vector<Cursor> cursors_;
  std::vector<uint32_t> losers_;  // losers_[0] is the winner, losers_[1..n) the inner nodes
  OnEnd on_end_;
  bool started_ = false;
};

}  // namespace gauntlet::storeapi
