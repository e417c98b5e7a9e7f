#include "store/caches/caching_bucket.h"

#include <algorithm>
#include <utility>

#include "json/reader.h"
#include "json/writer.h"
#include "model/time.h"
#include "objstore/directories.h"

namespace gauntlet::store {
namespace {

using cache::CachedBytes;
using objstore::ObjectAttributes;
using objstore::ObjectEntry;

constexpr char kChunks[] = "chunks", kMetas[] = "meta.jsons", kRoot[] = "blocks-iter";
constexpr char kFromCache[] = "cache", kFromBucket[] = "bucket";

// ".../chunks/000001"
bool IsChunkFile(std::string_view name) {
  size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == name.size()) return false;
  std::string_view file = name.substr(slash + 1);
  return name.substr(0, slash).ends_with("/chunks") &&
         std::all_of(file.begin(), file.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsMetaFile(std::string_view name) { return name.ends_with("/meta.json") || name.ends_with("/deletion-mark.json"); }

std::string EncodeAttributes(const ObjectAttributes& attributes) {
  std::string text;
  json::Writer(&text)
      .BeginObject()
      .IntMember("size", static_cast<int64_t>(attributes.bytes))
      .StringMember("last_modified", FormatRfc3339Ms(attributes.modified_ms))
      .EndObject();
  return text;
}

bool DecodeAttributes(const std::string& text, ObjectAttributes* out) {
  auto document = json::Document::Parse(text);
  if (!document.ok()) return false;
  auto bytes = document->root().Get("size").Uint();
  auto modified = ParseRfc3339(document->root().Get("last_modified").String().value_or(""));
  if (!bytes || !modified.ok()) return false;
  out->bytes = *bytes;
  out->modified_ms = *modified;
  return true;
}

bool DecodeNames(const std::string& text, std::vector<std::string>* names) {
  auto document = json::Document::Parse(text);
  if (!document.ok() || (!document->root().is_array() && !document->root().is_null())) return false;
  for (size_t i = 0; i < document->root().size(); ++i) {
    auto name = document->root()[i].String();
    if (!name) return false;
    names->emplace_back(*name);
  }
  return true;
}

std::string EncodeNames(const std::vector<std::string>& names) {
  std::string text;
  json::Writer writer(&text);
  writer.BeginArray();
  for (const std::string& name : names) writer.String(name);
  writer.EndArray();
  return text;
}

}  // namespace

struct CachingBucket::Instruments {
  explicit Instruments(telemetry::Registry& registry) {
    requested = registry.MakeCounters("thanos_store_bucket_cache_getrange_requested_bytes_total",
                                      "Total number of bytes requested via GetRange.", {"config"});
    fetched = registry.MakeCounters("thanos_store_bucket_cache_getrange_fetched_bytes_total",
                                    "Total number of bytes fetched because of GetRange operation. Data from bucket is "
                                    "then stored to cache.",
                                    {"origin", "config"});
    refetched = registry.MakeCounters("thanos_store_bucket_cache_getrange_refetched_bytes_total",
                                      "Total number of bytes re-fetched from storage because of GetRange operation, "
                                      "despite being in cache already.",
                                      {"origin", "config"});
    requests = registry.MakeCounters("thanos_store_bucket_cache_operation_requests_total",
                                     "Number of requested operations matching given config.", {"operation", "config"});
    hits = registry.MakeCounters("thanos_store_bucket_cache_operation_hits_total",
                                 "Number of operations served from cache for given config.", {"operation", "config"});
    for (auto* family : {&requests, &hits}) {
      family->With({"attributes", kChunks});
      family->With({"get_range", kChunks});
      family->With({"exists", kMetas});
      family->With({"get", kMetas});
      family->With({"iter", kRoot});
    }
    requested.With({kChunks});
    fetched.With({kFromCache, kChunks});
    fetched.With({kFromBucket, kChunks});
    refetched.With({kFromCache, kChunks});
  }
  void Asked(std::string_view operation, std::string_view config) { requests.With({operation, config}).Add(); }
  void Hit(std::string_view operation, std::string_view config, double share = 1) {
    hits.With({operation, config}).Add(share);
  }

  telemetry::Family<telemetry::Counter> requested, fetched, refetched, requests, hits;
};

// A part of a file, from the cache or from the bucket.
struct CachingBucket::Piece {
  uint64_t begin, end;
  std::string key;
  CachedBytes bytes;
};

CachingBucket::CachingBucket(CachingBucketOptions options, objstore::Bucket& inner, std::unique_ptr<cache::Cache> cache,
                             Executor& executor, telemetry::Registry& registry)
    : options_(std::move(options)),
      inner_(inner),
      cache_(std::move(cache)),
      executor_(executor),
      instruments_(std::make_unique<Instruments>(registry)) {}

CachingBucket::~CachingBucket() = default;

CachedBytes CachingBucket::Find(const std::string& key, const Cancel& cancel) {
  return cache_->Get(std::span(&key, 1), cancel)[0];
}

Status CachingBucket::Iter(const std::string& dir, const objstore::IterOptions& options, const Cancel& cancel,
                           const OnEntry& on_entry) {
  if (!dir.empty() || options.attributes || !options.after.empty() || !options.until.empty())
    return inner_.Iter(dir, options, cancel, on_entry);
  instruments_->Asked("iter", kRoot);
  std::string key = std::string(options.recursive ? "iter-recursive:" : "iter:") + dir + ":" + options_.config_hash;
  std::vector<std::string> names;
  if (CachedBytes found = Find(key, cancel); found != nullptr && DecodeNames(*found, &names)) {
    instruments_->Hit("iter", kRoot);
    for (const std::string& name : names) {
      ObjectEntry entry;
      entry.name = name;
      GN_TRY(on_entry(entry));
    }
    return Status();
  }
  // What was listed grows old from the beginning of the listing.
  auto begun = std::chrono::steady_clock::now();
  names.clear();
  GN_TRY(inner_.Iter(dir, options, cancel, [&](const ObjectEntry& entry) {
    names.emplace_back(entry.name);
    return on_entry(entry);
  }));
  auto left =
      options_.iter_ttl - std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  if (left.count() > 0) cache_->Put(key, EncodeNames(names), left);
  return Status();
}

void CachingBucket::PutExists(const std::string& name, bool exists) {
  cache_->Put("exists:" + name, exists ? "true" : "false", exists ? options_.exists_ttl : options_.absent_ttl);
}

Result<bool> CachingBucket::Exists(const std::string& name, const Cancel& cancel) {
  if (!IsMetaFile(name)) return inner_.Exists(name, cancel);
  instruments_->Asked("exists", kMetas);
  CachedBytes found = Find("exists:" + name, cancel);
  if (found != nullptr && (*found == "true" || *found == "false")) {
    instruments_->Hit("exists", kMetas);
    return *found == "true";
  }
  GN_ASSIGN(bool exists, inner_.Exists(name, cancel));
  PutExists(name, exists);
  return exists;
}

Status CachingBucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  if (!IsMetaFile(name)) return inner_.Get(name, cancel, on_bytes);
  instruments_->Asked("get", kMetas);
  std::vector<CachedBytes> found = cache_->Get(std::vector<std::string>{"content:" + name, "exists:" + name}, cancel);
  if (found[0] != nullptr) {
    instruments_->Hit("get", kMetas);
    return on_bytes(*found[0]);
  }
  if (found[1] != nullptr && *found[1] == "false") {
    instruments_->Hit("get", kMetas);
    return Status(Code::kNotFound, "get " + name + ": it is not there (says the cache)");
  }
  std::string content;
  bool fits = true;
  Status got = inner_.Get(name, cancel, [&](std::string_view bytes) {
    fits = fits && content.size() + bytes.size() <= options_.meta_bytes_max;
    if (fits) content += bytes;
    return on_bytes(bytes);
  });
  if (got.code() == Code::kNotFound) PutExists(name, false);
  if (!got.ok()) return got;
  PutExists(name, true);
  if (fits) cache_->Put("content:" + name, std::move(content), options_.content_ttl);
  return Status();
}

Result<ObjectAttributes> CachingBucket::Attributes(const std::string& name, const Cancel& cancel) {
  if (!IsChunkFile(name)) return inner_.Attributes(name, cancel);
  instruments_->Asked("attributes", kChunks);
  ObjectAttributes attributes;
  CachedBytes found = Find("attrs:" + name, cancel);
  if (found != nullptr && DecodeAttributes(*found, &attributes)) {
    instruments_->Hit("attributes", kChunks);
    return attributes;
  }
  GN_ASSIGN(attributes, inner_.Attributes(name, cancel));
  cache_->Put("attrs:" + name, EncodeAttributes(attributes), options_.attributes_ttl);
  return attributes;
}

Status CachingBucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                               const OnBytes& on_bytes) {
  if (length == 0 || !IsChunkFile(name)) return inner_.GetRange(name, offset, length, cancel, on_bytes);
  instruments_->Asked("get_range", kChunks);
  instruments_->requested.With({kChunks}).Add(static_cast<double>(length));
  GN_ASSIGN(ObjectAttributes attributes, Attributes(name, cancel));
  if (offset >= attributes.bytes) return Status();
  length = std::min(length, attributes.bytes - offset);
  std::vector<Piece> pieces;
  std::vector<std::string> keys;
  const uint64_t step = options_.subrange_bytes;
  for (uint64_t begin = offset / step * step; begin < offset + length; begin += step) {
    Piece piece{begin, std::min(begin + step, attributes.bytes), {}, nullptr};
    piece.key = "subrange:" + name + ":" + std::to_string(piece.begin) + ":" + std::to_string(piece.end);
    keys.push_back(piece.key);
    pieces.push_back(std::move(piece));
  }
  std::vector<CachedBytes> found = cache_->Get(keys, cancel);
  size_t hits = 0, hit_bytes = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (found[i] == nullptr || found[i]->size() != pieces[i].end - pieces[i].begin) continue;
    pieces[i].bytes = std::move(found[i]);
    ++hits;
    hit_bytes += pieces[i].bytes->size();
  }
  instruments_->Hit("get_range", kChunks, static_cast<double>(hits) / static_cast<double>(pieces.size()));
  instruments_->fetched.With({kFromCache, kChunks}).Add(static_cast<double>(hit_bytes));
  if (hits < pieces.size()) GN_TRY(GetPieces(name, &pieces, cancel));
  for (const Piece& piece : pieces) {
    uint64_t from = std::max(piece.begin, offset), to = std::min(piece.end, offset + length);
    GN_TRY(on_bytes(std::string_view(*piece.bytes).substr(from - piece.begin, to - from)));
  }
  return Status();
}

// Brings the pieces that are missing in few requests: neighbours together, and over what is there already where these
// would be too many.
Status CachingBucket::GetPieces(const std::string& name, std::vector<Piece>* pieces, const Cancel& cancel) {
  struct Run {
    size_t first, last;  // of pieces, both missing
  };
  std::vector<Run> runs;
  for (size_t i = 0; i < pieces->size(); ++i) {
    if ((*pieces)[i].bytes != nullptr) continue;
    if (!runs.empty() && runs.back().last + 1 == i) {
      runs.back().last = i;
    } else {
      runs.push_back({i, i});
    }
  }
  while (options_.get_range_requests_max > 0 && runs.size() > static_cast<size_t>(options_.get_range_requests_max)) {
    size_t closest = 1;
    for (size_t i = 2; i < runs.size(); ++i) {
      if (runs[i].first - runs[i - 1].last < runs[closest].first - runs[closest - 1].last) closest = i;
    }
    runs[closest - 1].last = runs[closest].last;
    runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(closest));
  }
  auto fetch = [&](size_t r, const Cancel& each) -> Status {
    uint64_t begin = (*pieces)[runs[r].first].begin, end = (*pieces)[runs[r].last].end;
    std::string bytes;
    bytes.reserve(end - begin);
    GN_TRY(inner_.GetRange(name, begin, end - begin, each, [&](std::string_view part) {
      bytes += part;
      return Status();
    }));
    if (bytes.size() != end - begin) return Status(Code::kUnavailable, name + " is shorter than its attributes said");
    instruments_->fetched.With({kFromBucket, kChunks}).Add(static_cast<double>(bytes.size()));
    for (size_t i = runs[r].first; i <= runs[r].last; ++i) {
      Piece& piece = (*pieces)[i];
      if (piece.bytes != nullptr) {
        instruments_->refetched.With({kFromCache, kChunks}).Add(static_cast<double>(piece.end - piece.begin));
        continue;
      }
      piece.bytes = std::make_shared<const std::string>(bytes.substr(piece.begin - begin, piece.end - piece.begin));
      cache_->Put(piece.key, *piece.bytes, options_.subrange_ttl);
    }
    return Status();
  };
  if (runs.size() == 1) return fetch(0, cancel);
  return objstore::ForEachConcurrently(executor_, runs.size(), runs.size(), cancel, fetch);
}

}  // namespace gauntlet::store
