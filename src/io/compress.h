// Compression of whole buffers: gzip, snappy (block and framed), zstd; and gzip as a stream.
//
// Every decompression takes the most bytes that may come out, so that a few bytes cannot fill the memory: above it the
// error is kExhausted, for bytes that do not decode kCorrupt.
//
// Upstream: golang/snappy (encode.go, decode.go), klauspost/compress
// Threads:  free functions are thread-safe (each thread keeps its compressors); a stream is for one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::io {

// For bytes_max: as good as no limit.
inline constexpr size_t kNoByteLimit = size_t{1} << 48;

// One gzip member. Level 1 (fast) to 12 (small); 6 is the default of all gzip tools.
std::string GzipCompress(std::string_view bytes, int level = 6);
// One or more members and nothing after them.
Result<std::string> GzipDecompress(std::string_view bytes, size_t bytes_max);

// Snappy's block format: remote write and read, WAL records, cached postings.
std::string SnappyCompress(std::string_view bytes);
// Replaces *out; keeps its capacity.
void SnappyCompress(std::string_view bytes, std::string* out);
Result<std::string> SnappyDecompress(std::string_view bytes, size_t bytes_max);
Status SnappyDecompress(std::string_view bytes, size_t bytes_max, std::string* out);

// Snappy's framing format (golang/snappy's Writer and Reader): checksummed chunks of at most 64 KiB.
std::string SnappyFramedCompress(std::string_view bytes);
Result<std::string> SnappyFramedDecompress(std::string_view bytes, size_t bytes_max);

// One zstd frame (compression), one or more (decompression).
std::string ZstdCompress(std::string_view bytes, int level = 3);
void ZstdCompress(std::string_view bytes, int level, std::string* out);
Result<std::string> ZstdDecompress(std::string_view bytes, size_t bytes_max);
Status ZstdDecompress(std::string_view bytes, size_t bytes_max, std::string* out);

// Compresses piece by piece. Everything goes to the end of *out.
class GzipWriter {
 public:
  explicit GzipWriter(int level = 6);
  ~GzipWriter();
  void Append(std::string_view bytes, std::string* out);
  // Also writes what is still held back, so that a reader sees all that was appended.
  void Flush(std::string* out);
  void Finish(std::string* out);

 private:
  class Rep;
  std::unique_ptr<Rep> rep_;
};

// Decompresses piece by piece: gzip (several members too) or zlib, by what the first bytes say.
class GzipReader {
 public:
  explicit GzipReader(size_t bytes_max);
  ~GzipReader();
  Status Append(std::string_view bytes, std::string* out);
  // After the last piece: kCorrupt when the stream is not at its end.
  Status Finish() const;

 private:
  class Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace gauntlet::io
