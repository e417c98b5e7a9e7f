// Any text is a series description or is refused.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "promql/syntax/series_description.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto series = gauntlet::promql::ParseSeriesDescription({reinterpret_cast<const char*>(data), size});
  if (!series.ok()) return 0;
  for (const auto& item : series->items) {
    size_t buckets = 0;
    for (const auto& span : item.histogram.positive_spans) buckets += span.length;
    GN_CHECK(buckets == item.histogram.positive_buckets.size());
  }
  return 0;
}
