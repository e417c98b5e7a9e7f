// IndexCache: parts of blocks' indexes that were read before: postings lists and series entries, as they are stored.
//
// Upstream: thanos pkg/store/cache (IndexCache)
// Threads:  thread-safe.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/ulid.h"

namespace gauntlet::store {

using CachedBytes = std::shared_ptr<const std::string>;

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
  // Of series entries, by id.
  virtual std::vector<CachedBytes> Series(const Ulid& block, std::span<const uint32_t> ids, const Cancel& cancel) = 0;
  virtual void PutSeries(const Ulid& block, uint32_t id, std::string_view entry) = 0;
  // Whether series entries are worth asking for: on files of this machine they are not.
  virtual bool keeps_series() const = 0;
};

}  // namespace gauntlet::store
