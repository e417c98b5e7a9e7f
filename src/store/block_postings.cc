#include "store/block_postings.h"

#include <algorithm>
#include <utility>

namespace gauntlet::store {

Status BlockPostings::Fetch(std::span<const tsdb::PostingsKey> keys, std::vector<tsdb::PostingsCursorPtr>* out) {
  std::vector<tsdb::PostingsList> lists(keys.size());
  std::vector<size_t> missing;
  IndexCache* cache = block_.environment().cache;
  std::vector<CachedBytes> found;
  if (cache != nullptr) {
    std::vector<PostingsCacheKey> names;
    for (const tsdb::PostingsKey& key : keys) names.push_back({key.name, key.value});
    found = cache->Postings(block_.facts().ulid, names, cancel_);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i < found.size() && found[i] != nullptr) {
      // What a cache holds may be damaged: then the bucket is asked.
      if (Result<tsdb::PostingsList> list = tsdb::PostingsList::Parse(*found[i]); list.ok()) {
        lists[i] = *list;
        cached_.push_back(std::move(found[i]));
        continue;
      }
    }
    missing.push_back(i);
  }
  if (!missing.empty()) GN_TRY(FetchMissing(keys, missing, &lists));
  request_.postings.touched.fetch_add(lists.size(), std::memory_order_relaxed);
  for (const tsdb::PostingsList& list : lists) {
    request_.postings.touched_bytes.fetch_add(list.bytes().size(), std::memory_order_relaxed);
    out->push_back(tsdb::ListPostings(list));
  }
  return Status();
}

Status BlockPostings::FetchMissing(std::span<const tsdb::PostingsKey> keys, const std::vector<size_t>& missing,
                                   std::vector<tsdb::PostingsList>* lists) {
  std::vector<ByteRange> ranges;
  for (size_t i : missing) ranges.push_back({keys[i].range.begin, keys[i].range.end});
  std::sort(ranges.begin(), ranges.end(), [](const ByteRange& a, const ByteRange& b) { return a.begin < b.begin; });
  const BlockEnvironment& environment = block_.environment();
  auto bytes = std::make_unique<RangedBytes>();
  RangedReader reader(*environment.bucket, *environment.executor, environment.habits, &request_.download);
  {
    FetchTimer timer(environment.metrics == nullptr ? nullptr : &environment.metrics->postings_seconds);
    GN_TRY(reader.Read(block_.index_object(), ranges, "postings", cancel_, bytes.get()));
  }
  if (environment.metrics != nullptr) {
    for (size_t i : missing)
      environment.metrics->postings_bytes.Observe(static_cast<double>(keys[i].range.end - keys[i].range.begin));
  }
  for (size_t i : missing) {
    const tsdb::PostingsKey& key = keys[i];
    std::string_view section = bytes->From(key.range.begin).substr(0, key.range.end - key.range.begin);
    Result<tsdb::PostingsList> list = tsdb::PostingsList::Parse(section);
    if (!list.ok()) {
      return list.status().Wrap("postings of " + std::string(key.name) + "=" + std::string(key.value) + " in " +
                                block_.index_object());
    }
    (*lists)[i] = *list;
    request_.postings.fetched.fetch_add(1, std::memory_order_relaxed);
    request_.postings.fetched_bytes.fetch_add(section.size(), std::memory_order_relaxed);
    if (environment.cache != nullptr) {
      environment.cache->PutPostings(block_.facts().ulid, {key.name, key.value}, section);
    }
  }
  fetched_.push_back(std::move(bytes));
  return Status();
}

}  // namespace gauntlet::store
