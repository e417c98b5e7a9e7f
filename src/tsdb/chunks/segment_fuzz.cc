// A segment from its first chunk on: whatever is read lies within it, and is what its checksum says.
#include "base/check.h"
#include "tsdb/chunks/segment.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet::tsdb;  // NOLINT(google-build-using-namespace): a fuzz target
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  (void)CheckSegmentHeader(rest).ok();
  while (!rest.empty()) {
    auto chunk = ReadStoredChunk(rest);
    uint64_t bytes = StoredChunkBytes(rest);
    if (!chunk.ok()) {
      rest.remove_prefix(1);
      continue;
    }
    GN_CHECK(bytes <= rest.size() && chunk->bytes.size() < bytes);
    std::string again;
    AppendStoredChunk(*chunk, &again);
    GN_CHECK(again.size() <= bytes);
    rest.remove_prefix(bytes);
  }
  return 0;
}
