// IndexHeader: the parts of an index that every query needs, symbols and postings table, in a file of their own beside
// a bucket; lists and series are then read from the index in the bucket by ranges.
//
// Format:   docs/format/index-header.md      Upstream: thanos pkg/block/indexheader/binary_reader.go
// Threads:  immutable.           Owns: its mapping; all views die with it.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "io/file_system.h"
#include "tsdb/index/postings_table.h"
#include "tsdb/index/symbols.h"

namespace gauntlet::blocks {

// `n` bytes of an index from `offset` on; an error when there are fewer.
using ReadRange = std::function<Result<std::string>(uint64_t offset, uint64_t n)>;

// Makes the header of an index of `index_bytes` at `path`: there afterwards as a whole, or not at all. Reads only the
// parts that it copies, some megabytes at a time.
Status WriteIndexHeader(uint64_t index_bytes, const ReadRange& read, io::FileSystem& files, const std::string& path);

// The same in memory.
Result<std::string> MakeIndexHeader(uint64_t index_bytes, const ReadRange& read);

class IndexHeader {
 public:
  // kCorrupt when it should be made again.
  static Result<std::unique_ptr<IndexHeader>> Open(io::FileSystem& files, const std::string& path);
  static Result<std::unique_ptr<IndexHeader>> FromFile(std::unique_ptr<io::MappedFile> file);

  int index_version() const { return index_version_; }
  const tsdb::SymbolTable& symbols() const { return symbols_; }
  // Ranges in the index.
  const tsdb::PostingsTable& table() const { return table_; }
  size_t file_bytes() const { return file_->bytes().size(); }
  size_t memory_bytes() const { return sizeof(*this) + symbols_.memory_bytes() + table_.memory_bytes(); }

 private:
  IndexHeader() = default;

  std::unique_ptr<io::MappedFile> file_;
  int index_version_ = 0;
  tsdb::SymbolTable symbols_;
  tsdb::PostingsTable table_;
};

}  // namespace gauntlet::blocks
