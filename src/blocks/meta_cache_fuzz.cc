// Any bytes as a cache of metas, with its checksums made right: what is read makes the same bytes again.

#include <string>

#include "base/check.h"
#include "blocks/meta_cache.h"
#include "io/crc32c.h"

using gauntlet::blocks::AppendMetaRecord;
using gauntlet::blocks::kMetaCacheMagic;
using gauntlet::blocks::MetaRecordReader;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kFrontBytes = 32;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  for (size_t at = kMetaCacheMagic.size(); at + kFrontBytes <= size;) {
    size_t length = 0;
    for (size_t i = 4; i < 8; ++i) length = length << 8 | static_cast<unsigned char>(bytes[at + i]);
    if (length > size - at - kFrontBytes) break;
    const size_t record = kFrontBytes + length;
    const uint32_t crc = gauntlet::io::Crc32c(std::string_view(bytes).substr(at + 4, record - 4));
    // One record in eight keeps a checksum that is wrong.
    if (static_cast<unsigned char>(bytes[at + kFrontBytes - 1]) % 8 != 7) {
      for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(crc >> (24 - 8 * i));
    }
    at += record;
  }
  MetaRecordReader reader(bytes);
  std::string again(kMetaCacheMagic);
  while (reader.Next()) {
    AppendMetaRecord(reader.record(), &again);
    GN_CHECK(again.size() == reader.good_bytes());
  }
  GN_CHECK(again.size() <= kMetaCacheMagic.size() || bytes.starts_with(again));
  return 0;
}
