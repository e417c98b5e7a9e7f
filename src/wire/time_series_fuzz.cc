// Any bytes as a TimeSeries: what reads must read the same after being written again.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "wire/fields.h"
#include "wire/time_series.h"

using namespace gauntlet;  // NOLINT: a fuzz target

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<char> exact(data, data + size);
  std::string_view input(exact.data(), exact.size());
  Samples samples, again;
  wire::TimeSeriesReader reader, second;
  if (auto series = wire::ReadResponseSeries(input); series.ok()) GN_CHECK(series->size() <= size);
  if (!reader.Read(input, &samples).ok()) return 0;
  std::string written;
  wire::AppendTimeSeries(written, 1, reader.labels(), samples);
  wire::FieldReader field(written);
  GN_CHECK(field.Next() && field.rest().empty());
  GN_CHECK(second.Read(field.bytes(), &again).ok());
  GN_CHECK(second.labels() == reader.labels());
  GN_CHECK(again.times_ms == samples.times_ms);
  GN_CHECK(again.histograms.size() == samples.histograms.size());
  if (samples.histograms.empty() && samples.size() != 0)
    GN_CHECK(!std::memcmp(again.values.data(), samples.values.data(), 8 * samples.size()));
  return 0;
}
