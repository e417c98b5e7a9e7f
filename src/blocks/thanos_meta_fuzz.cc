#include "base/check.h"
#include "blocks/markers.h"
#include "blocks/thanos_meta.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet::blocks;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto meta = ParseMeta(text);
  if (meta.ok()) {
    // What was read is written so that it reads the same.
    auto again = ParseMeta(FormatMeta(*meta));
    GN_CHECK(again.ok() && FormatMeta(*again) == FormatMeta(*meta));
  }
  for (MarkerKind kind : {MarkerKind::kDeletion, MarkerKind::kNoCompact}) {
    auto marker = ParseMarker(kind, text);
    if (!marker.ok()) continue;
    // Once more: bytes that are no UTF-8 are replaced when they are written first.
    std::string written = FormatMarker(kind, *marker);
    GN_CHECK(FormatMarker(kind, *ParseMarker(kind, written)) == written);
  }
  return 0;
}
