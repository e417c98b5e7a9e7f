// Postings: sorted lists of series ids, one per label pair, and their set operations.
//
// A list stays as it stands in the file (big-endian 32-bit numbers) and is searched there; cursors combine lists
// without copying them. Whoever keeps lists in another form (a cache that compresses them) writes another cursor.
//
// Format:   docs/format/index.md#postings      Upstream: prometheus tsdb/index/postings.go
// Threads:  a cursor is for one thread at a time.           Owns: ListCursor borrows its list.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace gauntlet::tsdb {

// One list as it is stored. Borrows the bytes. Immutable.
class PostingsList {
 public:
  PostingsList() = default;
  // `section`: from the list's length on, at least up to its checksum, which is verified.
  static Result<PostingsList> Parse(std::string_view section);

  size_t size() const { return size_; }
  uint32_t operator[](size_t i) const {
    uint32_t id;
    std::memcpy(&id, ids_ + i * 4, 4);
    return __builtin_bswap32(id);
  }
  // The ids, four bytes each.
  std::string_view bytes() const { return {ids_, size_ * 4}; }

 private:
  const char* ids_ = nullptr;
  size_t size_ = 0;
};

// Walks ids in ascending order; stands before the first one to begin with.
class PostingsCursor {
 public:
  virtual ~PostingsCursor() = default;
  // To the next id; false when there is none.
  virtual bool Next() = 0;
  // To the first id at or after `target`, and not back; false when there is none. After false nothing may be asked.
  virtual bool Seek(uint32_t target) = 0;
  // At least as many as there are left; for choosing which cursor leads.
  virtual size_t size_max() const = 0;
  // REQUIRES: the last call gave true.
  uint32_t id() const { return id_; }

 protected:
  uint32_t id_ = 0;
};
using PostingsCursorPtr = std::unique_ptr<PostingsCursor>;

PostingsCursorPtr EmptyPostings();
PostingsCursorPtr ListPostings(PostingsList list);
PostingsCursorPtr OwnedPostings(std::vector<uint32_t> ids);

// In all of them. REQUIRES: not empty.
PostingsCursorPtr IntersectPostings(std::vector<PostingsCursorPtr> inputs);
// In any of them. Many inputs are read out at once, so that the union costs one pass.
PostingsCursorPtr MergePostings(std::vector<PostingsCursorPtr> inputs);
// In `from` and not in `minus`.
PostingsCursorPtr WithoutPostings(PostingsCursorPtr from, PostingsCursorPtr minus);

std::vector<uint32_t> DrainPostings(PostingsCursor& cursor);
// Whether the cursor meets any of the sorted ids.
bool AnyInPostings(PostingsCursor& cursor, std::span<const uint32_t> ids);

}  // namespace gauntlet::tsdb
