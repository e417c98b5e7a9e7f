// SymbolTable: every string of an index once, in order; series name their labels by references into it.
//
// Keeps the place of every 8th string in memory: 4 bits a symbol.
//
// Format:   docs/format/index.md#symbols      Upstream: prometheus tsdb/index/index.go (Symbols)
// Threads:  immutable.           Owns: the places; borrows the bytes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/varint.h"

namespace gauntlet::tsdb {

class SymbolTable {
 public:
  // `content` is that of the section. In version 1 references are offsets in the index file; there the content begins
  // at `content_offset`.
  static Result<SymbolTable> Parse(std::string_view content, int index_version, uint64_t content_offset);

  // False when there is no such symbol.
  bool Lookup(uint32_t ref, std::string_view* symbol) const;
  uint32_t size() const { return count_; }
  size_t memory_bytes() const { return places_.capacity() * sizeof(places_[0]); }

  // All of them in order. One thread at a time.
  class Cursor {
   public:
    explicit Cursor(const SymbolTable& table) : in_(table.content_.substr(4)), left_(table.count_) {}
    bool Next(std::string_view* symbol) {
      if (left_ == 0) return false;
      --left_;
      return in_.Prefixed(symbol);
    }

   private:
    ByteReader in_;
    uint32_t left_;
  };

 private:
  static constexpr uint32_t kEvery = 8;

  std::string_view content_;
  uint64_t content_offset_ = 0;
  bool by_offset_ = false;
  uint32_t count_ = 0;
  std::vector<uint32_t> places_;
};

}  // namespace gauntlet::tsdb
