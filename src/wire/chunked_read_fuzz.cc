// Any bytes as a remote read stream, whole and cut in two places: the frames must be the same. And any bytes as a
// frame: what reads must read the same after being written again.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "wire/chunked_read.h"

using namespace gauntlet;  // NOLINT: a fuzz target

namespace {

// The frames up to the first error; "!" stands for that.
std::vector<std::string> Frames(const std::vector<std::string_view>& pieces) {
  wire::ChunkedFrames frames(1 << 20);
  std::vector<std::string> all;
  for (std::string_view piece : pieces) {
    std::vector<char> exact(piece.begin(), piece.end());
    std::string_view input(exact.data(), exact.size()), frame;
    for (;;) {
      auto next = frames.Next(&input, &frame);
      if (!next.ok()) all.emplace_back("!");
      if (!next.ok()) return all;
      if (!*next) break;
      all.emplace_back(frame);
    }
  }
  if (!frames.Finish().ok()) all.emplace_back("!");
  return all;
}

void ReadSeries(std::string_view frame) {
  wire::ChunkedSeriesReader reader, again;
  reader.Reset(frame);
  for (;;) {
    auto next = reader.Next();
    if (!next.ok() || !*next) return;
    std::string written;
    wire::AppendChunkedSeries(written, reader.labels(), reader.chunks());
    again.Reset(written);
    auto read = again.Next();
    GN_CHECK(read.ok() && *read && again.labels() == reader.labels());
    GN_CHECK(again.chunks().size() == reader.chunks().size());
    for (size_t i = 0; i < again.chunks().size(); ++i) GN_CHECK(again.chunks()[i] == reader.chunks()[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  size_t first = data[0] % (bytes.size() + 1), second = first + data[1] % (bytes.size() - first + 1);
  std::vector<std::string> whole = Frames({bytes});
  GN_CHECK(whole == Frames({bytes.substr(0, first), bytes.substr(first, second - first), bytes.substr(second)}));
  for (const std::string& frame : whole) ReadSeries(frame);
  ReadSeries(bytes);
  return 0;
}
