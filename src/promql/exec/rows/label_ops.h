// Label operations of the language: grouping, matching signatures, dropping the name.
//
// Upstream: prometheus model/labels (BytesWithLabels, BytesWithoutLabels, DropReserved), schema/labels.go
// Threads:  functions; a NameGuard is thread-safe.

#pragma once

#include <atomic>
#include <span>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "model/labels.h"

namespace gauntlet::promql {

inline constexpr std::string_view kMetricType = "__type__";
inline constexpr std::string_view kMetricUnit = "__unit__";

inline bool IsMetadataLabel(std::string_view name) {
  return name.starts_with("__") && (name == kMetricName || name == kMetricType || name == kMetricUnit);
}

// Writes the packed labels whose names are in `names` (sorted). Reuses `packed`.
void KeepLabels(LabelsView labels, std::span<const std::string> names, std::string* packed);
// Writes the packed labels whose names are neither in `names` (sorted) nor __name__.
void RemoveLabels(LabelsView labels, std::span<const std::string> names, std::string* packed);
// Without __name__, __type__ and __unit__. Appends what went, packed, to `dropped` when that is not null.
Labels DropMetadata(LabelsView labels, std::string* dropped = nullptr);
// The same without __name__ alone.
Labels DropName(LabelsView labels, std::string* dropped = nullptr);

// Watches what is dropped from the series of one operator: as long as it is always the same, no two of them become
// equal. Thread-safe.
class NameGuard {
 public:
  // False when `dropped` differs from that of an earlier call.
  bool Same(std::string_view dropped);

 private:
  Mutex mutex_;
  std::atomic<const std::string*> first_{nullptr};
  std::string storage_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::promql
