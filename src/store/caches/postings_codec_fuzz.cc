// Any bytes as cached postings: refused, or ascending ids that come out again when they are encoded.

#include "base/check.h"
#include "io/compress.h"
#include "store/caches/postings_codec.h"
#include "tsdb/index/postings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // As they are, and as what is compressed.
  for (const std::string& text : {std::string(bytes), "dvs" + gauntlet::io::SnappyCompress(bytes)}) {
    auto ids = gauntlet::store::DecodePostings(text);
    if (!ids.ok()) continue;
    auto again = gauntlet::store::DecodePostings(gauntlet::store::EncodePostings(*ids));
    GN_CHECK(again.ok() && *again == *ids);
    std::string list = gauntlet::store::IndexListOf(*ids);
    auto parsed = gauntlet::tsdb::PostingsList::Parse(list);
    GN_CHECK(parsed.ok() && parsed->size() == ids->size());
  }
  return 0;
}
