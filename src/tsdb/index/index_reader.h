// IndexReader: a whole local index file, mapped.
//
// The same tables and decoders as over a bucket, where an index header holds symbols and postings table, and lists and
// series come by ranged reads: what differs is only where the bytes come from (PostingsFetcher, matching.h).
//
// Format:   docs/format/index.md      Upstream: prometheus tsdb/index/index.go (Reader)
// Threads:  immutable.           Owns: the mapping; all views die with it.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "io/file_system.h"
#include "tsdb/index/matching.h"
#include "tsdb/index/postings.h"
#include "tsdb/index/postings_table.h"
#include "tsdb/index/symbols.h"
#include "tsdb/index/toc.h"

namespace gauntlet::tsdb {

class IndexReader : public PostingsFetcher {
 public:
  static Result<std::unique_ptr<IndexReader>> Open(io::FileSystem& files, const std::string& path);
  static Result<std::unique_ptr<IndexReader>> FromFile(std::unique_ptr<io::MappedFile> file);

  int version() const { return version_; }
  const IndexToc& toc() const { return toc_; }
  const SymbolTable& symbols() const { return symbols_; }
  const PostingsTable& table() const { return table_; }
  std::string_view bytes() const { return file_->bytes(); }

  Result<PostingsList> Postings(PostingsRange range) const;
  // Of the label pair; an empty list when there is none.
  Result<PostingsList> Postings(std::string_view name, std::string_view value) const;
  Result<PostingsList> AllPostings() const { return Postings(table_.all()); }
  // From the entry of the series on, for a SeriesDecoder; empty when it lies outside.
  std::string_view SeriesBytes(uint32_t id) const;

  Status Fetch(std::span<const PostingsKey> keys, std::vector<PostingsCursorPtr>* out) override;

 private:
  IndexReader() = default;

  std::unique_ptr<io::MappedFile> file_;
  int version_ = 0;
  IndexToc toc_;
  SymbolTable symbols_;
  PostingsTable table_;
};

}  // namespace gauntlet::tsdb
