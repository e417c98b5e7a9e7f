// prometheus.TimeSeries: one series with decoded samples, as sampled remote read, remote write 1.0 and the Query API
// carry it.
//
// Format:  proto/prometheus/types.proto      Upstream: prometheus storage/remote/codec.go, prompb/codec.go
// Threads: one thread at a time.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "model/samples.h"
#include "wire/label_fields.h"

namespace gauntlet::wire {

class TimeSeriesReader {
 public:
  // Reads one TimeSeries message, appending to `*samples` (which is cleared first). Floats and histograms are merged by
  // time; of two at one time the float stays. Exemplars are not read. kCorrupt when malformed, or when times do not
  // ascend.
  Status Read(std::string_view message, Samples* samples);
  // Of the message read last; valid until the next Read().
  LabelsView labels() const { return labels_; }

 private:
  LabelFields fields_;
  LabelsView labels_;
  std::vector<std::string_view> histograms_;
};

// The TimeSeries messages that a sampled ReadResponse has for one query of the request; borrowed from it.
Result<std::vector<std::string_view>> ReadResponseSeries(std::string_view response, size_t query = 0);

// Appends the series as a field of the message under construction: field 1 of a WriteRequest and of a QueryResult, 2 of
// a QueryResponse. REQUIRES: field < 16
void AppendTimeSeries(std::string& out, uint32_t field, LabelsView labels, const Samples& samples);

// One histogram message. Absolute counts of integer histograms become deltas, and back.
Status ReadHistogram(std::string_view message, Histogram* histogram, int64_t* time_ms);
void AppendHistogram(std::string& out, uint32_t field, const Histogram& histogram, int64_t time_ms);

}  // namespace gauntlet::wire
