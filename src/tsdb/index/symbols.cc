#include "tsdb/index/symbols.h"

#include <fmt/format.h>

#include <algorithm>

namespace gauntlet::tsdb {

Result<SymbolTable> SymbolTable::Parse(std::string_view content, int index_version, uint64_t content_offset) {
  SymbolTable table;
  table.content_ = content;
  table.content_offset_ = content_offset;
  table.by_offset_ = index_version == 1;
  ByteReader in(content);
  uint32_t count = 0;
  if (!in.Be32(&count) || count > in.left()) return Status(Code::kCorrupt, "symbol table: its count does not parse");
  if (!table.by_offset_) table.places_.reserve(count / kEvery + 1);
  std::string_view symbol;
  for (uint32_t i = 0; i < count; ++i) {
    if (i % kEvery == 0 && !table.by_offset_) {
      table.places_.push_back(static_cast<uint32_t>(in.position() - content.data()));
    }
    if (!in.Prefixed(&symbol)) {
      return Status(Code::kCorrupt, fmt::format("symbol table: symbol {} of {} does not parse", i, count));
    }
  }
  table.count_ = count;
  return table;
}

bool SymbolTable::Lookup(uint32_t ref, std::string_view* symbol) const {
  size_t place = 0;
  uint32_t skip = 0;
  if (by_offset_) {
    if (ref < content_offset_ + 4 || ref - content_offset_ >= content_.size()) return false;
    place = ref - content_offset_;
  } else {
    if (ref >= count_) return false;
    place = places_[ref / kEvery];
    skip = ref % kEvery;
  }
  ByteReader in(content_.substr(place));
  for (; skip > 0; --skip) in.Prefixed(symbol);
  return in.Prefixed(symbol);
}

}  // namespace gauntlet::tsdb
