// A block in a bucket: the length of its index as a little-endian u32, the index with the checksums of its table of
// contents and of its first entries made right, and a segment. Reading ends, whatever the bytes, and what is read can
// be merged or is refused.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "blockstream/bucket_source.h"
#include "io/crc32c.h"
#include "objstore/memory_bucket.h"
#include "tsdb/index/toc.h"

namespace {

using namespace gauntlet;

void RepairToc(std::string* index) {
  if (index->size() < tsdb::kIndexTocBytes) return;
  size_t begin = index->size() - tsdb::kIndexTocBytes;
  uint32_t checksum = io::Crc32c(std::string_view(*index).substr(begin, tsdb::kIndexTocBytes - 4));
  for (size_t i = 0; i < 4; ++i) (*index)[index->size() - 4 + i] = static_cast<char>(checksum >> (24 - 8 * i));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.size() < 4) return 0;
  uint32_t length = 0;
  std::memcpy(&length, bytes.data(), 4);
  size_t index_bytes = std::min<size_t>(length, bytes.size() - 4);
  std::string index = bytes.substr(4, index_bytes), segment = bytes.substr(4 + index_bytes);
  RepairToc(&index);
  objstore::MemoryBucket bucket;
  tsdb::BlockMeta meta;
  const std::string dir = meta.ulid.ToString();
  GN_CHECK(objstore::WriteObject(bucket, dir + "/index", index, Cancel()).ok());
  GN_CHECK(objstore::WriteObject(bucket, dir + "/chunks/000001", segment, Cancel()).ok());
  blockstream::BucketSourceOptions options;
  options.chunk_window_bytes = options.index_window_bytes = 64;
  auto source = blockstream::BucketBlockSource::Open(bucket, meta, options, Cancel(), nullptr);
  if (!source.ok()) return 0;
  std::string_view symbol;
  for (auto more = (*source)->NextSymbol(Cancel(), &symbol);; more = (*source)->NextSymbol(Cancel(), &symbol)) {
    if (!more.ok()) return 0;
    if (!*more) break;
  }
  tsdb::SourceSeries series;
  for (auto more = (*source)->Next(Cancel(), &series); more.ok() && *more; more = (*source)->Next(Cancel(), &series)) {
    for (const tsdb::SourceChunk& chunk : series.chunks) (void)chunk.Read().ok();
  }
  return 0;
}
