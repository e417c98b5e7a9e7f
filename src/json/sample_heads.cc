#include "json/sample_heads.h"

#include <bit>
#include <cstring>
#include <string>

#include "base/float_format.h"

namespace gauntlet::json {

void SampleHeads::Add(int64_t ms) {
  std::string text = "[";
  Writer(&text).ApiTime(ms);
  text += ",\"";
  Head& head = heads_.emplace_back();
  head.bytes = static_cast<uint8_t>(text.size());
  std::memcpy(head.text, text.data(), text.size());
}

void SampleHeads::WriteSamples(Writer& writer, std::span<const uint64_t> present, const double* values) const {
  constexpr size_t kSampleMax = sizeof(Head) + kFloatTextMax + 3;
  char buffer[8192];
  char* p = buffer;
  auto flush = [&] {
    // Without the comma in front: the writer sets its own.
    if (p != buffer) writer.Raw({buffer + 1, static_cast<size_t>(p - buffer - 1)});
    p = buffer;
  };
  writer.BeginArray();
  for (size_t w = 0; w < present.size(); ++w) {
    for (uint64_t bits = present[w]; bits != 0; bits &= bits - 1) {
      const size_t i = w * 64 + static_cast<size_t>(std::countr_zero(bits));
      *p++ = ',';
      std::memcpy(p, heads_[i].text, sizeof(heads_[i].text));
      p = WriteFloatApi(values[i], p + heads_[i].bytes);
      std::memcpy(p, "\"]", 2);
      p += 2;
      if (p > buffer + sizeof(buffer) - kSampleMax) flush();
    }
  }
  flush();
  writer.EndArray();
}

}  // namespace gauntlet::json
