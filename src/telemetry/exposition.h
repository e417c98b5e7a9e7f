// Exposition: metric families as text, in Prometheus' format 0.0.4 or OpenMetrics 1.0.0.
//
// Format:  https://prometheus.io/docs/instrumenting/exposition_formats/  Upstream: prometheus/common expfmt
// Threads: one thread at a time.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/metrics.h"

namespace gauntlet::telemetry {

class ExpositionWriter {
 public:
  ExpositionWriter(bool open_metrics, std::string& out) : open_metrics_(open_metrics), out_(out) {}

  // Writes # HELP and # TYPE before the first sample of the family.
  void BeginFamily(std::string_view name, std::string_view help, std::string_view type);
  // `le`, if any, is written as the last label.
  void WriteFloat(std::string_view suffix, const LabelPairs& labels, double value, const double* le = nullptr);
  void WriteCount(std::string_view suffix, const LabelPairs& labels, uint64_t value, const double* le = nullptr);
  void Finish();

 private:
  void WriteHead();
  void WriteName(std::string_view suffix, const LabelPairs& labels, const double* le);
  void WriteNumber(double v);

  const bool open_metrics_;
  std::string& out_;
  std::string_view name_, help_, type_;
  std::string_view total_;  // "_total" when OpenMetrics wants it on the samples but not on the family
  bool head_pending_ = false;
};

}  // namespace gauntlet::telemetry
