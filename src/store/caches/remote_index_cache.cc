#include "store/caches/remote_index_cache.h"

#include <algorithm>
#include <utility>

#include "base/varint.h"
#include "io/blake2b.h"
#include "io/crc32c.h"
#include "objstore/sign.h"
#include "store/caches/postings_codec.h"
#include "tsdb/index/postings.h"

namespace gauntlet::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string HashedKey(std::string_view kind, const Ulid& block, std::string_view what) {
  return std::string(kind) + ":" + block.ToString() + ":" + objstore::Base64Url(io::Blake2b256(what)) + ":dss";
}

std::string PostingsKeyOf(const Ulid& block, PostingsCacheKey key) {
  return HashedKey("P", block, std::string(key.name) + ":" + std::string(key.value));
}

std::string SeriesKeyOf(const Ulid& block, uint64_t offset) {
  return "S:" + block.ToString() + ":" + std::to_string(offset);
}

// An entry of an index from what it holds: with its length before and its checksum behind.
std::string EntryOf(std::string_view body) {
  std::string entry;
  entry.reserve(body.size() + 14);
  AppendUvarint(entry, body.size());
  entry += body;
  uint32_t checksum = io::Crc32c(body);
  for (int shift = 24; shift >= 0; shift -= 8) entry.push_back(static_cast<char>(checksum >> shift));
  return entry;
}

}  // namespace

std::string MatchersKey(std::span<const Matcher> matchers) {
  std::vector<const Matcher*> sorted;
  for (const Matcher& m : matchers) sorted.push_back(&m);
  std::sort(sorted.begin(), sorted.end(), [](const Matcher* a, const Matcher* b) {
    if (a->type() != b->type()) return a->type() < b->type();
    return a->name() != b->name() ? a->name() < b->name() : a->value() < b->value();
  });
  std::string text;
  for (const Matcher* m : sorted) {
    if (!text.empty()) text += ';';
    text += m->ToString();
  }
  return text;
}

std::vector<CachedBytes> RemoteIndexCache::Ask(IndexCacheMetrics::Kind& kind, const std::vector<std::string>& keys,
                                               const Cancel& cancel) {
  auto begun = SteadyClock::now();
  kind.requests.Add(static_cast<double>(keys.size()));
  std::vector<CachedBytes> found = cache_->Get(keys, cancel);
  kind.hits.Add(static_cast<double>(
      std::count_if(found.begin(), found.end(), [](const CachedBytes& one) { return one != nullptr; })));
  kind.fetch_seconds.Observe(std::chrono::duration<double>(SteadyClock::now() - begun).count());
  return found;
}

void RemoteIndexCache::Put(IndexCacheMetrics::Kind& kind, std::string key, std::string value) {
  kind.data_bytes.Observe(static_cast<double>(value.size()));
  cache_->Put(std::move(key), std::move(value), ttl_);
}

std::string RemoteIndexCache::Encode(std::span<const uint32_t> ids, size_t original_bytes) {
  auto begun = SteadyClock::now();
  std::string encoded = EncodePostings(ids);
  IndexCacheMetrics::Compression& told = metrics_.compression;
  told.encode.done.Add();
  told.encode.seconds.Add(std::chrono::duration<double>(SteadyClock::now() - begun).count());
  told.original_bytes.Add(static_cast<double>(original_bytes));
  told.compressed_bytes.Add(static_cast<double>(encoded.size()));
  return encoded;
}

Result<std::vector<uint32_t>> RemoteIndexCache::Decode(std::string_view bytes) {
  auto begun = SteadyClock::now();
  Result<std::vector<uint32_t>> ids = DecodePostings(bytes);
  metrics_.compression.decode.done.Add();
  if (!ids.ok()) metrics_.compression.decode.errors.Add();
  metrics_.compression.decode.seconds.Add(std::chrono::duration<double>(SteadyClock::now() - begun).count());
  return ids;
}

std::vector<CachedBytes> RemoteIndexCache::Postings(const Ulid& block, std::span<const PostingsCacheKey> keys,
                                                    const Cancel& cancel) {
  if (!items_.postings) return {};
  std::vector<std::string> names;
  for (const PostingsCacheKey& key : keys) names.push_back(PostingsKeyOf(block, key));
  std::vector<CachedBytes> found = Ask(metrics_.postings, names, cancel);
  for (CachedBytes& one : found) {
    if (one == nullptr) continue;
    Result<std::vector<uint32_t>> ids = Decode(*one);
    one = ids.ok() ? std::make_shared<const std::string>(IndexListOf(*ids)) : nullptr;
  }
  return found;
}

void RemoteIndexCache::PutPostings(const Ulid& block, PostingsCacheKey key, std::string_view list) {
  if (!items_.postings) return;
  Result<tsdb::PostingsList> parsed = tsdb::PostingsList::Parse(list);
  if (!parsed.ok()) return;
  std::vector<uint32_t> ids(parsed->size());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = (*parsed)[i];
  Put(metrics_.postings, PostingsKeyOf(block, key), Encode(ids, list.size()));
}

std::optional<std::vector<uint32_t>> RemoteIndexCache::Expanded(const Ulid& block, std::span<const Matcher> matchers,
                                                                const Cancel& cancel) {
  if (!items_.expanded) return std::nullopt;
  CachedBytes found = Ask(metrics_.expanded, {HashedKey("EP", block, MatchersKey(matchers))}, cancel)[0];
  if (found == nullptr) return std::nullopt;
  Result<std::vector<uint32_t>> ids = Decode(*found);
  if (!ids.ok()) return std::nullopt;
  return *std::move(ids);
}

void RemoteIndexCache::PutExpanded(const Ulid& block, std::span<const Matcher> matchers,
                                   std::span<const uint32_t> ids) {
  if (!items_.expanded) return;
  Put(metrics_.expanded, HashedKey("EP", block, MatchersKey(matchers)), Encode(ids, ids.size_bytes()));
}

std::vector<CachedBytes> RemoteIndexCache::Series(const Ulid& block, std::span<const uint64_t> offsets,
                                                  const Cancel& cancel) {
  if (!items_.series) return {};
  std::vector<std::string> names;
  for (uint64_t offset : offsets) names.push_back(SeriesKeyOf(block, offset));
  std::vector<CachedBytes> found = Ask(metrics_.series, names, cancel);
  for (CachedBytes& one : found) {
    if (one != nullptr) one = std::make_shared<const std::string>(EntryOf(*one));
  }
  return found;
}

void RemoteIndexCache::PutSeries(const Ulid& block, uint64_t offset, std::string_view entry) {
  if (!items_.series) return;
  ByteReader reader(entry);
  std::string_view body;
  if (reader.Prefixed(&body)) Put(metrics_.series, SeriesKeyOf(block, offset), std::string(body));
}

}  // namespace gauntlet::store
