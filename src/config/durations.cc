#include "config/durations.h"

#include <string>

#include "model/time.h"

namespace gauntlet::config {

bool PromDurationField(Decoder& decoder, std::string_view name, std::chrono::milliseconds* out) {
  std::string text;
  if (!decoder.Field(name, &text)) return false;
  if (decoder.IsNull(name)) {
    *out = {};
    return true;
  }
  Result<int64_t> ms = ParsePromDuration(text);
  if (!ms.ok()) {
    decoder.Fail(name, ms.status().message());
    return false;
  }
  *out = std::chrono::milliseconds(*ms);
  return true;
}

bool GoDurationField(Decoder& decoder, std::string_view name, std::chrono::nanoseconds* out) {
  std::string text;
  if (!decoder.Field(name, &text)) return false;
  int64_t ns = 0;
  if (!decoder.IsNull(name) && !ToInt(*decoder.node().Find(name), &ns)) {
    Result<int64_t> parsed = ParseGoDuration(text);
    if (!parsed.ok()) {
      decoder.Fail(name, parsed.status().message());
      return false;
    }
    ns = *parsed;
  }
  *out = std::chrono::nanoseconds(ns);
  return true;
}

}  // namespace gauntlet::config
