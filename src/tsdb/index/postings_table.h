// PostingsTable: where the postings list of each label pair is; thereby also all names and values of an index.
//
// Keeps the place of every 32nd value of a name in memory. All that matchers and label queries need before anything of
// the lists is read: an index header holds this table, too.
//
// Format:   docs/format/index.md#postings-table      Upstream: prometheus tsdb/index/index.go (Reader)
// Threads:  immutable; cursors are for one thread at a time.           Owns: the places; borrows the bytes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace gauntlet::tsdb {

// A list in the index file, with its length and its checksum. `end` may be more than that.
struct PostingsRange {
  uint64_t begin = 0, end = 0;
};

class PostingsTable {
 public:
  struct Name {
    std::string_view name;
    uint32_t values;
  };

  // `content` is that of the table's section. The lists lie before `lists_end`.
  static Result<PostingsTable> Parse(std::string_view content, int index_version, uint64_t lists_end);

  // Sorted.
  const std::vector<Name>& names() const { return names_; }
  // The list of all series.
  PostingsRange all() const { return all_; }
  // False when there is no such pair.
  bool Find(std::string_view name, std::string_view value, PostingsRange* range) const;
  // 0 when there is no such name.
  uint32_t value_count(std::string_view name) const;
  size_t memory_bytes() const;

  // The values of one name in order. Stands before the first one.
  class Values {
   public:
    bool Next();
    // To the first value at or after `target`, and not back.
    bool Seek(std::string_view target);
    // Borrowed from the table.
    std::string_view value() const { return value_; }
    PostingsRange range() const { return range_; }

   private:
    friend class PostingsTable;
    Values(const PostingsTable* table, size_t name);
    void GoTo(size_t index);

    const PostingsTable* table_;
    size_t name_;
    uint32_t next_ = 0, count_;  // values before and in all
    const char* p_ = nullptr;    // the entry of the next one
    bool at_value_ = false;
    std::string_view value_;
    PostingsRange range_;
  };
  Values ValuesOf(std::string_view name) const;

 private:
  static constexpr uint32_t kEvery = 32;
  struct Entry {
    std::string_view name, value;
    uint64_t offset = 0;
  };
  struct Place {
    uint32_t first_sample;  // of the name, in samples_
    uint32_t prefix_bytes;  // of each of its entries, before the value
  };

  static const char* ParseEntry(const char* p, const char* end, Entry* entry);
  Status Index();
  // The value at `p`, an entry of name `name`, and where its list begins; returns the entry behind it.
  const char* Value(size_t name, const char* p, std::string_view* value, uint64_t* offset) const;
  uint64_t ListEnd(const char* next_entry, uint64_t begin) const;
  size_t FindName(std::string_view name) const;
  // Sorts the entries of a version 1 table into a table of our own.
  Status TakeUnsorted();
  const char* begin() const { return content_.data() + 4; }
  const char* end() const { return content_.data() + content_.size(); }

  std::string_view content_;
  std::shared_ptr<const std::string> owned_;  // what content_ views, of version 1
  std::vector<uint64_t> offsets_;             // of version 1: of all lists, sorted
  uint64_t lists_end_ = 0;
  uint32_t entries_ = 0;
  PostingsRange all_;
  std::vector<Name> names_;
  std::vector<Place> places_;      // by name
  std::vector<uint32_t> samples_;  // offsets of entries in content_
};

}  // namespace gauntlet::tsdb
