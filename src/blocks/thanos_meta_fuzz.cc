#include "base/check.h"
#include "blocks/markers.h"
#include "blocks/thanos_meta.h"

// What was read is written so that it reads the same, once more: bytes that are no UTF-8 are replaced at the first
// writing.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet::blocks;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto meta = ParseMeta(text); meta.ok()) {
    auto second = ParseMeta(FormatMeta(*meta));
    GN_CHECK(second.ok());
    auto third = ParseMeta(FormatMeta(*second));
    GN_CHECK(third.ok() && *third == *second);
  }
  for (MarkerKind kind : {MarkerKind::kDeletion, MarkerKind::kNoCompact}) {
    auto marker = ParseMarker(kind, text);
    if (!marker.ok()) continue;
    auto second = ParseMarker(kind, FormatMarker(kind, *marker));
    GN_CHECK(second.ok());
    GN_CHECK(*ParseMarker(kind, FormatMarker(kind, *second)) == *second);
  }
  return 0;
}
