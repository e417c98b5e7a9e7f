#include "tsdb/index/index_reader.h"

#include <fmt/format.h>

#include <utility>

namespace gauntlet::tsdb {

Result<std::unique_ptr<IndexReader>> IndexReader::Open(io::FileSystem& files, const std::string& path) {
  GN_ASSIGN(std::unique_ptr<io::MappedFile> file, files.Map(path));
  auto reader = FromFile(std::move(file));
  if (!reader.ok()) return reader.status().Wrap(path);
  return reader;
}

Result<std::unique_ptr<IndexReader>> IndexReader::FromFile(std::unique_ptr<io::MappedFile> file) {
  std::unique_ptr<IndexReader> reader(new IndexReader());
  std::string_view bytes = file->bytes();
  GN_ASSIGN(reader->version_, ReadIndexHeader(bytes));
  GN_ASSIGN(reader->toc_, ReadIndexToc(bytes, bytes.size()));
  const IndexToc& toc = reader->toc_;
  Result<std::string_view> symbols = ReadSection(bytes.substr(toc.symbols));
  if (!symbols.ok()) return symbols.status().Wrap("read symbols");
  Result<std::string_view> table = ReadSection(bytes.substr(toc.postings_table));
  if (!table.ok()) return table.status().Wrap("read postings table");
  GN_ASSIGN(reader->symbols_, SymbolTable::Parse(*symbols, reader->version_, toc.symbols + 4));
  GN_ASSIGN(reader->table_, PostingsTable::Parse(*table, reader->version_, toc.postings_table));
  reader->file_ = std::move(file);
  return reader;
}

Result<PostingsList> IndexReader::Postings(PostingsRange range) const {
  std::string_view file = bytes();
  if (range.begin > file.size()) {
    return Status(Code::kCorrupt, fmt::format("postings list at {} of an index of {} bytes", range.begin, file.size()));
  }
  // The list says itself where it ends.
  Result<PostingsList> list = PostingsList::Parse(file.substr(range.begin));
  if (!list.ok()) return list.status().Wrap(fmt::format("postings list at {}", range.begin));
  return list;
}

Result<PostingsList> IndexReader::Postings(std::string_view name, std::string_view value) const {
  PostingsRange range;
  if (name.empty() && value.empty()) return AllPostings();
  if (!table_.Find(name, value, &range)) return PostingsList();
  return Postings(range);
}

std::string_view IndexReader::SeriesBytes(uint32_t id) const {
  uint64_t offset = SeriesOffset(version_, id);
  std::string_view file = bytes();
  return offset < file.size() ? file.substr(offset) : std::string_view();
}

Status IndexReader::Fetch(std::span<const PostingsKey> keys, std::vector<PostingsCursorPtr>* out) {
  for (const PostingsKey& key : keys) {
    GN_ASSIGN(PostingsList list, Postings(key.range));
    out->push_back(ListPostings(list));
  }
  return Status();
}

}  // namespace gauntlet::tsdb
