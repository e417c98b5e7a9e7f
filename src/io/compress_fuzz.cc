// The first byte chooses the format; the rest is decompressed, bounded. What decodes also decodes after packing again.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "io/compress.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet::io;
  if (size == 0) return 0;
  constexpr size_t kMax = 1 << 20;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0:
      if (auto out = GzipDecompress(bytes, kMax); out.ok() && *GzipDecompress(GzipCompress(*out), kMax) != *out)
        abort();
      break;
    case 1:
      if (auto out = SnappyDecompress(bytes, kMax); out.ok() && *SnappyDecompress(SnappyCompress(*out), kMax) != *out) {
        abort();
      }
      break;
    case 2:
      if (auto out = SnappyFramedDecompress(bytes, kMax);
          out.ok() && *SnappyFramedDecompress(SnappyFramedCompress(*out), kMax) != *out) {
        abort();
      }
      break;
    case 3:
      if (auto out = ZstdDecompress(bytes, kMax); out.ok() && *ZstdDecompress(ZstdCompress(*out), kMax) != *out)
        abort();
      break;
    case 4: {
      // In two pieces the stream reader gives what the whole-buffer one gives, which takes two codes more (286 and
      // 287).
      std::string out;
      GzipReader reader(kMax);
      bool ok = reader.Append(bytes.substr(0, bytes.size() / 2), &out).ok() &&
                reader.Append(bytes.substr(bytes.size() / 2), &out).ok() && reader.Finish().ok();
      auto whole = GzipDecompress(bytes, kMax);
      bool gzip = bytes.starts_with("\x1f\x8b");  // the stream reader also takes zlib
      if (ok && gzip && (!whole.ok() || out != *whole)) abort();
    }
  }
  return 0;
}
