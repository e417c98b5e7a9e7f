// Meta: meta.json of a block in a bucket: Prometheus' part, and the "thanos" section that says whose block it is.
//
// Keys that are not known here survive, as they stand, in both parts.
// Format:  docs/format/meta.md      Upstream: thanos pkg/block/metadata/meta.go
// Threads: values.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "tsdb/block/block_meta.h"

namespace gauntlet::blocks {

// Where a block came from.
inline constexpr char kSidecarSource[] = "sidecar";
inline constexpr char kReceiveSource[] = "receive";
inline constexpr char kRulerSource[] = "ruler";
inline constexpr char kCompactorSource[] = "compactor";
inline constexpr char kCompactorRepairSource[] = "compactor.repair";
inline constexpr char kBucketRepairSource[] = "bucket.repair";
inline constexpr char kBucketRewriteSource[] = "bucket.rewrite";
inline constexpr char kBucketUploadSource[] = "bucket.upload";

inline constexpr char kIndexFile[] = "index";
inline constexpr char kChunksDirectory[] = "chunks";

struct BlockFile {
  std::string rel_path;
  int64_t bytes = 0;                  // 0 = not said
  std::string hash_function, hash;    // "SHA256" and hex; both or neither
  std::vector<tsdb::RawMember> more;  // of unknown keys
  bool operator==(const BlockFile&) const = default;
};

struct ThanosMeta {
  int64_t version = 1;
  std::map<std::string, std::string> labels;  // external labels
  int64_t resolution_ms = 0;                  // 0, 300,000 or 3,600,000
  std::string source;
  std::vector<std::string> segment_files;
  std::vector<BlockFile> files;
  std::string rewrites, extensions;  // JSON as it stands; "" = absent
  int64_t series_bytes_max = 0, chunk_bytes_max = 0;
  std::string upload_time = "0001-01-01T00:00:00Z";  // RFC 3339; this one says that there is none
  std::vector<tsdb::RawMember> more;
  bool operator==(const ThanosMeta&) const = default;

  Labels ExternalLabels() const;
  std::optional<int64_t> UploadTimeMs() const;
  // Of blocks that may be compacted with each other: "300000@<hash of the labels>".
  std::string GroupKey() const;
};

struct Meta {
  tsdb::BlockMeta block;
  ThanosMeta thanos;
  bool operator==(const Meta&) const = default;
};

// kCorrupt for bytes that do not parse, kUnsupported for other versions than 1. Without a thanos section: an empty one.
Result<Meta> ParseMeta(std::string_view text);
// As Thanos writes it, with a line break at the end.
std::string FormatMeta(const Meta& meta);

// The hash that Go's labels.Labels has in Thanos' build; of group keys.
uint64_t GoLabelsHash(const std::map<std::string, std::string>& labels);

}  // namespace gauntlet::blocks
