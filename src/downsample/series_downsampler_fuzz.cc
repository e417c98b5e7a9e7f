// Any bytes as the chunks of a series, downsampled twice: they are refused, or what comes out can be read.
//
// Input: for each chunk an encoding, a byte of time, two bytes of length, the bytes.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "downsample/chunk_reader.h"
#include "downsample/series_downsampler.h"
#include "downsample/windows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet;
  using namespace gauntlet::downsample;
  std::string_view in(reinterpret_cast<const char*>(data), size);
  std::vector<TimedChunk> chunks;
  int64_t t = 0;
  while (in.size() >= 4 && chunks.size() < 8) {
    auto encoding = static_cast<tsdb::Encoding>(in[0]);
    int64_t end = t + static_cast<uint8_t>(in[1]) * int64_t{60'000};
    size_t length = static_cast<uint8_t>(in[2]) + 256 * static_cast<uint8_t>(in[3]);
    chunks.push_back({t, end, {encoding, in.substr(4, length)}});
    in.remove_prefix(in.size() < 4 + length ? in.size() : 4 + length);
    t = end + 1;
  }
  for (int64_t from : {int64_t{0}, kFiveMinutesMs}) {
    std::vector<tsdb::EncodedChunk> made, again;
    if (!SeriesDownsampler(from, from == 0 ? kFiveMinutesMs : kHourMs).Downsample(chunks, &made).ok()) continue;
    std::vector<TimedChunk> views;
    for (const auto& chunk : made) {
      GN_CHECK(tsdb::ParseAggrChunk(chunk.bytes).ok());
      views.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view()});
    }
    (void)SeriesDownsampler(from + 1, kHourMs).Downsample(views, &again).ok();
  }
  return 0;
}
