// IndexWriter: writes an index of version 2, byte for byte as upstream does.
//
// Order of calls: all symbols, all series, Finish. In memory are the symbols (8 to 12 bytes beside each string), 16
// bytes per label pair, and the postings of some names at a time.
//
// Format:   docs/format/index.md      Upstream: prometheus tsdb/index/index.go (Writer)
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "io/file_system.h"
#include "model/labels.h"
#include "tsdb/index/series.h"
#include "tsdb/index/toc.h"

namespace gauntlet::tsdb {

// Strings in order, each with its number. One thread at a time.
class SymbolNumbers {
 public:
  SymbolNumbers();
  // kInvalid when it is not behind the last one.
  Status Add(std::string_view symbol);
  // False when it was not added.
  bool Find(std::string_view symbol, uint32_t* number) const;
  std::string_view operator[](uint32_t number) const;
  uint32_t size() const { return static_cast<uint32_t>(starts_.size()); }
  // The symbols as the section holds them, each behind its length.
  const std::string& bytes() const { return bytes_; }
  size_t memory_bytes() const { return bytes_.capacity() + 4 * (starts_.capacity() + slots_.capacity()); }

 private:
  void Rehash();

  std::string bytes_;
  std::vector<uint32_t> starts_;  // in bytes_, by number
  std::vector<uint32_t> slots_;   // hash table of number + 1, at most half full
};

class IndexWriter {
 public:
  static Result<std::unique_ptr<IndexWriter>> Create(io::FileSystem& files, std::string path);

  // In ascending order, each once.
  Status AddSymbol(std::string_view symbol);
  // In ascending order of labels; the chunks in order, without overlap.
  Status AddSeries(LabelsView labels, std::span<const ChunkMeta> chunks);
  // The same with the numbers of the names and values in turn.
  Status AddSeries(std::span<const uint32_t> labels, std::span<const ChunkMeta> chunks);
  // Writes the rest and syncs. Nothing may be added afterwards.
  Status Finish();

  // REQUIRES: it was added.
  std::string_view symbol(uint32_t number) const { return symbols_[number]; }
  uint64_t series() const { return series_; }
  uint64_t bytes() const { return offset_; }
  // What is held now, and what Finish() needs beside it; about.
  size_t memory_bytes() const;
  size_t finish_memory_bytes() const;

 private:
  struct ListPlace {  // of one label pair, by numbers of symbols
    uint32_t name, value;
    uint64_t offset;
  };
  struct Posting {
    uint32_t value, id;
  };

  IndexWriter(io::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  Status WriteSymbols();
  Status CheckOrder(std::span<const uint32_t> labels, std::span<const ChunkMeta> chunks);
  std::string LabelText(std::span<const uint32_t> labels) const;
  Status WritePostings();
  Status WriteLists(uint32_t name, std::vector<Posting>& postings);
  Status WriteList(ListPlace place, std::span<const Posting> postings);
  Status WriteTable();
  Status Pad(uint64_t alignment);
  // Counts what was appended to buffer_ since `from`, and writes it out when there is much.
  Status Appended(size_t from);
  Status Flush();

  io::FileSystem& files_;
  const std::string path_;
  std::unique_ptr<io::WritableFile> file_;
  std::string buffer_;  // not yet in the file
  uint64_t offset_ = 0;
  IndexToc toc_;
  SymbolNumbers symbols_;
  bool symbols_written_ = false;
  uint64_t series_ = 0;
  uint64_t last_chunk_ref_ = 0;
  std::vector<uint32_t> refs_, last_refs_;
  std::map<uint32_t, uint64_t> name_uses_;  // series with the name, by its number
  std::vector<ListPlace> lists_;
};

}  // namespace gauntlet::tsdb
