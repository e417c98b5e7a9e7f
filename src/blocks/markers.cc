#include "blocks/markers.h"

#include "json/reader.h"
#include "json/writer.h"

namespace gauntlet::blocks {
namespace {

constexpr size_t kMarkerBytesMax = 1 << 20;

std::string_view TimeKey(MarkerKind kind) {
  switch (kind) {
    case MarkerKind::kDeletion:
      return "deletion_time";
    case MarkerKind::kNoCompact:
      return "no_compact_time";
    case MarkerKind::kNoDownsample:
      return "no_downsample_time";
  }
  return "";
}

std::string NameOf(MarkerKind kind, const Ulid& id) { return id.ToString() + "/" + std::string(MarkerFile(kind)); }

}  // namespace

std::string_view MarkerFile(MarkerKind kind) {
  switch (kind) {
    case MarkerKind::kDeletion:
      return kDeletionMarkFile;
    case MarkerKind::kNoCompact:
      return kNoCompactMarkFile;
    case MarkerKind::kNoDownsample:
      return kNoDownsampleMarkFile;
  }
  return "";
}

std::optional<MarkerKind> MarkerOfFile(std::string_view file) {
  for (MarkerKind kind : {MarkerKind::kDeletion, MarkerKind::kNoCompact, MarkerKind::kNoDownsample}) {
    if (file == MarkerFile(kind)) return kind;
  }
  return std::nullopt;
}

std::string FormatMarker(MarkerKind kind, const Marker& marker) {
  std::string out;
  json::Writer writer(&out);
  writer.BeginObject().StringMember("id", marker.id.ToString()).IntMember("version", 1);
  if (!marker.details.empty()) writer.StringMember("details", marker.details);
  writer.IntMember(TimeKey(kind), marker.time_s);
  if (kind != MarkerKind::kDeletion) writer.StringMember("reason", marker.reason);
  writer.EndObject();
  return out;
}

Result<Marker> ParseMarker(MarkerKind kind, std::string_view text) {
  GN_ASSIGN(json::Document document, json::Document::Parse(text));
  json::Value root = document.root();
  auto id = Ulid::Parse(root.Get("id").String().value_or(""));
  auto version = root.Get("version").Int();
  if (!root.is_object() || !id.has_value() || !version.has_value()) {
    return Status(Code::kCorrupt, "no marker: id or version is wrong");
  }
  if (*version != 1) {
    return Status(Code::kUnsupported,
                  "unexpected version " + std::to_string(*version) + " of " + std::string(MarkerFile(kind)));
  }
  Marker marker;
  marker.id = *id;
  marker.details = root.Get("details").String().value_or("");
  marker.time_s = root.Get(TimeKey(kind)).Int().value_or(0);
  if (kind != MarkerKind::kDeletion) marker.reason = root.Get("reason").String().value_or("");
  return marker;
}

Result<Marker> ReadMarker(objstore::Bucket& bucket, MarkerKind kind, const Ulid& id, const Cancel& cancel) {
  GN_ASSIGN(std::string text, objstore::ReadObject(bucket, NameOf(kind, id), cancel, kMarkerBytesMax));
  Result<Marker> marker = ParseMarker(kind, text);
  if (!marker.ok()) return marker.status().Wrap("read " + NameOf(kind, id));
  return marker;
}

Result<bool> SetMarker(objstore::Bucket& bucket, MarkerKind kind, const Marker& marker, const Cancel& cancel) {
  GN_ASSIGN(bool exists, bucket.Exists(NameOf(kind, marker.id), cancel));
  if (exists) return false;
  GN_TRY(objstore::WriteObject(bucket, NameOf(kind, marker.id), FormatMarker(kind, marker), cancel));
  return true;
}

Status RemoveMarker(objstore::Bucket& bucket, MarkerKind kind, const Ulid& id, const Cancel& cancel) {
  return bucket.Delete(NameOf(kind, id), cancel);
}

}  // namespace gauntlet::blocks
