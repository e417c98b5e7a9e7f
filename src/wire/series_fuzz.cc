// Any bytes as a SeriesResponse: what reads must read the same after being written again.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "wire/series.h"
#include "wire/series_writer.h"

using namespace gauntlet;  // NOLINT: a fuzz target

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<char> exact(data, data + size);  // exactly as long as the input, so that reads beyond it show
  wire::SeriesReader reader, again;
  reader.Reset({exact.data(), exact.size()});
  for (;;) {
    auto more = reader.Next();
    if (!more.ok() || !*more) return 0;
    if (reader.kind() != wire::SeriesReader::Kind::kSeries) continue;
    std::string written;
    wire::AppendSeriesFrame(written, reader.labels(), reader.chunks());
    again.Reset(written);
    auto read = again.Next();
    GN_CHECK(read.ok() && *read);
    GN_CHECK(again.labels() == reader.labels());
    GN_CHECK(again.chunks().size() == reader.chunks().size());
    // An AggrChunk whose aggregates come in another order, or twice, is written as read.
    for (size_t i = 0; i < reader.chunks().size(); ++i) GN_CHECK(again.chunks()[i] == reader.chunks()[i]);
    auto end = again.Next();
    GN_CHECK(end.ok() && !*end);
  }
}
