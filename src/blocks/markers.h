// Markers: small files beside a block that ask for something: delete it, do not compact it, do not downsample it.
//
// Format:  docs/format/meta.md#markers      Upstream: thanos pkg/block/metadata/markers.go
// Threads: values and free functions.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/status.h"
#include "base/ulid.h"
#include "objstore/bucket.h"

namespace gauntlet::blocks {

enum class MarkerKind : uint8_t { kDeletion, kNoCompact, kNoDownsample };

inline constexpr char kDeletionMarkFile[] = "deletion-mark.json";
inline constexpr char kNoCompactMarkFile[] = "no-compact-mark.json";
inline constexpr char kNoDownsampleMarkFile[] = "no-downsample-mark.json";

// Reasons of a no-compact mark.
inline constexpr char kManualReason[] = "manual";
inline constexpr char kIndexSizeReason[] = "index-size-exceeding";
inline constexpr char kOutOfOrderChunksReason[] = "block-index-out-of-order-chunk";
inline constexpr char kDownsampleVerticalReason[] = "downsample-vertical-compaction";

std::string_view MarkerFile(MarkerKind kind);
std::optional<MarkerKind> MarkerOfFile(std::string_view file);

struct Marker {
  Ulid id;
  std::string details;
  int64_t time_s = 0;  // when it was set
  std::string reason;  // of the two others than deletion
  bool operator==(const Marker&) const = default;
};

// One line, as Thanos writes it.
std::string FormatMarker(MarkerKind kind, const Marker& marker);
// kCorrupt for other bytes, kUnsupported for another version than 1.
Result<Marker> ParseMarker(MarkerKind kind, std::string_view text);

// kNotFound when the block has no such marker.
Result<Marker> ReadMarker(objstore::Bucket& bucket, MarkerKind kind, const Ulid& id, const Cancel& cancel);
// True when it was set now, false when it was there already (it stays as it is).
Result<bool> SetMarker(objstore::Bucket& bucket, MarkerKind kind, const Marker& marker, const Cancel& cancel);
Status RemoveMarker(objstore::Bucket& bucket, MarkerKind kind, const Ulid& id, const Cancel& cancel);

}  // namespace gauntlet::blocks
