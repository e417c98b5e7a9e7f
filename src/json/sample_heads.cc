#include "json/sample_heads.h"

#include <bit>
#include <cstring>

#include "base/float_format.h"

namespace gauntlet::json {

void SampleHeads::Add(int64_t ms) {
  text_ = '[';
  Writer(&text_).ApiTime(ms);
  text_ += ",\"";
  Head& head = heads_.emplace_back();
  head.bytes = static_cast<uint8_t>(text_.size());
  std::memcpy(head.text, text_.data(), text_.size());
}

void SampleHeads::WriteSamples(Writer& writer, std::span<const uint64_t> present, const double* values) const {
  constexpr size_t kWordMax = 64 * (sizeof(Head) + sizeof(FloatText) + 3) + sizeof(FloatText);
  char buffer[8192];
  static_assert(kWordMax <= sizeof(buffer) && kFloatTextsMax == 64);
  FloatText texts[64];
  double packed[64];
  char* p = buffer;
  auto flush = [&] {
    // Without the comma in front: the writer sets its own.
    if (p != buffer) writer.Raw({buffer + 1, static_cast<size_t>(p - buffer - 1)});
    p = buffer;
  };
  writer.BeginArray();
  for (size_t w = 0; w < present.size(); ++w) {
    uint64_t bits = present[w];
    const double* word = values + w * 64;
    if (bits != ~uint64_t{0}) {
      size_t count = 0;
      for (uint64_t left = bits; left != 0; left &= left - 1) packed[count++] = word[std::countr_zero(left)];
      word = packed;
    }
    WriteFloatsApi(word, static_cast<size_t>(std::popcount(bits)), texts);
    if (p > buffer + sizeof(buffer) - kWordMax) flush();
    for (const FloatText* text = texts; bits != 0; bits &= bits - 1, ++text) {
      const Head& head = heads_[w * 64 + static_cast<size_t>(std::countr_zero(bits))];
      *p++ = ',';
      std::memcpy(p, head.text, sizeof(head.text));
      p += head.bytes;
      std::memcpy(p, text->text, sizeof(text->text));
      p += text->bytes;
      std::memcpy(p, "\"]", 2);
      p += 2;
    }
  }
  flush();
  writer.EndArray();
}

}  // namespace gauntlet::json
