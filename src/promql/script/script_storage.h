// ScriptStorage: the samples that a script loads.
//
// Histograms go through chunks before they are stored, as in upstream's database: there they get the bucket layout of
// their chunk, and the hint whether the counter was reset before them.
//
// Threads: one thread at a time; what reads storage() may run beside.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/histogram.h"
#include "model/labels.h"
#include "storage/memory_storage.h"
#include "tsdb/chunkenc/histogram_appender.h"

namespace gauntlet::promql {

class ScriptStorage {
 public:
  void Append(LabelsView labels, int64_t time_ms, double value, int64_t start_time_ms = 0);
  // Seen by readers after Flush().
  void AppendHistogram(LabelsView labels, int64_t time_ms, const Histogram& histogram, int64_t start_time_ms = 0);
  Status Flush();
  void Clear();
  storage::MemoryStorage& storage() { return storage_; }

 private:
  // The chunks of a series of histograms.
  struct Chunks {
    std::vector<std::string> finished;
    std::unique_ptr<tsdb::HistogramAppender> open;
    bool changed = false;
  };
  Status Flush(const Labels& labels, Chunks* chunks);

  storage::MemoryStorage storage_;
  std::map<Labels, Chunks> chunks_;
};

}  // namespace gauntlet::promql
