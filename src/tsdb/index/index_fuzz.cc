// First byte: what the rest is. 0: an index file. 1: the same, with every checksum made right, so that the parsers
// behind them see odd bytes, too. 2: a series entry. 3: a postings list.
#include <string>

#include "base/check.h"
#include "io/crc32c.h"
#include "tsdb/index/index_reader.h"
#include "tsdb/index/series.h"

namespace {

using namespace gauntlet::tsdb;  // NOLINT(google-build-using-namespace): a fuzz target

void PutBe32(std::string& bytes, uint64_t at, uint32_t v) {
  for (uint64_t i = 0; i < 4 && at + i < bytes.size(); ++i) bytes[at + i] = static_cast<char>(v >> (24 - 8 * i));
}
uint32_t GetBe32(const std::string& bytes, uint64_t at) {
  uint32_t v = 0;
  for (uint64_t i = 0; i < 4; ++i) v = v << 8 | static_cast<uint8_t>(bytes[at + i]);
  return v;
}

void RepairSection(std::string& bytes, uint64_t at) {
  if (at > bytes.size() || bytes.size() - at < 8) return;
  uint64_t length = GetBe32(bytes, at);
  if (at + 4 + length + 4 > bytes.size()) return;
  PutBe32(bytes, at + 4 + length, gauntlet::io::Crc32c(std::string_view(bytes).substr(at + 4, length)));
}

void Repair(std::string& bytes) {
  if (bytes.size() < kIndexTocBytes) return;
  uint64_t toc_at = bytes.size() - kIndexTocBytes;
  PutBe32(bytes, bytes.size() - 4, gauntlet::io::Crc32c(std::string_view(bytes).substr(toc_at, kIndexTocBytes - 4)));
  auto toc = ReadIndexToc(bytes, bytes.size());
  if (!toc.ok()) return;
  RepairSection(bytes, toc->symbols);
  RepairSection(bytes, toc->postings_table);
  for (uint64_t at = (toc->postings + 3) / 4 * 4; at + 8 < toc->postings_table;) {
    RepairSection(bytes, at);
    at += 8 + uint64_t{GetBe32(bytes, at)};
  }
}

void ReadIndex(std::string bytes) {
  auto reader = IndexReader::FromFile(std::make_unique<gauntlet::io::MappedFile>(std::move(bytes)));
  if (!reader.ok()) return;
  SeriesDecoder decoder((*reader)->symbols());
  SeriesEntry entry;
  auto ids = (*reader)->AllPostings();
  for (size_t i = 0; ids.ok() && i < ids->size(); ++i) {
    (void)decoder.Decode((*reader)->SeriesBytes((*ids)[i]), &entry).ok();
  }
  for (const auto& name : (*reader)->table().names()) {
    uint32_t count = 0;
    std::string last;
    for (auto values = (*reader)->table().ValuesOf(name.name); values.Next(); ++count) {
      GN_CHECK(count == 0 || values.value() > last);
      last = values.value();
      PostingsRange range;
      GN_CHECK((*reader)->table().Find(name.name, last, &range) && range.begin == values.range().begin);
      (void)(*reader)->Postings(range).ok();
    }
    GN_CHECK(count == name.values);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 0:
      ReadIndex(std::move(bytes));
      break;
    case 1:
      Repair(bytes);
      ReadIndex(std::move(bytes));
      break;
    case 2: {
      SymbolTable none;
      SeriesDecoder decoder(none);
      SeriesEntry entry;
      uint64_t n = SeriesEntryBytes(bytes);
      if (n >= 4 && n <= bytes.size()) {
        uint64_t begin = 0;
        while (static_cast<uint8_t>(bytes[begin]) >= 0x80) ++begin;
        std::string_view body = std::string_view(bytes).substr(begin + 1, n - 4 - begin - 1);
        PutBe32(bytes, n - 4, gauntlet::io::Crc32c(body));
      }
      (void)decoder.Decode(bytes, &entry).ok();
      (void)decoder.DecodeOverlapping(bytes, 0, 1000, &entry).ok();
      break;
    }
    default: {
      RepairSection(bytes, 0);
      auto list = PostingsList::Parse(bytes);
      if (!list.ok()) break;
      auto cursor = ListPostings(*list);
      while (cursor->Next()) (void)cursor->Seek(cursor->id() + 2);
    }
  }
  return 0;
}
