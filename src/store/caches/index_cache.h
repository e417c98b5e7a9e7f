// IndexCache: parts of blocks' indexes that were read before: postings lists and series entries, as they are stored,
// and which series matchers selected.
//
// Upstream: thanos pkg/store/cache (IndexCache)
// Threads:  thread-safe.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/ulid.h"
#include "cache/cache.h"
#include "model/matcher.h"

namespace gauntlet::store {

using cache::CachedBytes;

struct PostingsCacheKey {
  std::string_view name, value;
};

class IndexCache {
 public:
  virtual ~IndexCache() = default;
  // One entry per key, null where there is none: from the list's length to its checksum. A cache that does not answer
  // in time has none.
  virtual std::vector<CachedBytes> Postings(const Ulid& block, std::span<const PostingsCacheKey> keys,
                                            const Cancel& cancel) = 0;
  virtual void PutPostings(const Ulid& block, PostingsCacheKey key, std::string_view list) = 0;
  // The ids that the matchers select in the block.
  virtual std::optional<std::vector<uint32_t>> Expanded(const Ulid& block, std::span<const Matcher> matchers,
                                                        const Cancel& cancel) = 0;
  virtual void PutExpanded(const Ulid& block, std::span<const Matcher> matchers, std::span<const uint32_t> ids) = 0;
  // Of series entries, whole, by their offsets in the index.
  virtual std::vector<CachedBytes> Series(const Ulid& block, std::span<const uint64_t> offsets,
                                          const Cancel& cancel) = 0;
  virtual void PutSeries(const Ulid& block, uint64_t offset, std::string_view entry) = 0;
  // Whether series entries are worth asking for: on files of this machine they are not.
  virtual bool keeps_series() const = 0;
};

// What of an index is kept: all, unless a configuration says which.
struct IndexCacheItems {
  bool postings = true, expanded = true, series = true;
};

// The matchers as one text, the same for the same ones in any order; as Thanos writes it in its keys.
std::string MatchersKey(std::span<const Matcher> matchers);

}  // namespace gauntlet::store
