#include "json/sample_heads.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/float_digits.h"
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
  constexpr size_t kSampleMax = sizeof(Head) + kDigitsTextMax + 4;  // ,[1435781451.781,"-1.5"]
  char buffer[8192];
  static_assert(64 * kSampleMax <= sizeof(buffer));
  FloatDigits digits[64];
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
    // One loop finds the digits and one lays them out, so that the processor has several numbers in hand in each.
    FindDigits(word, static_cast<size_t>(std::popcount(bits)), digits);
    if (p > buffer + sizeof(buffer) - 64 * kSampleMax) flush();
    for (const FloatDigits* found = digits; bits != 0; bits &= bits - 1, ++found, ++word) {
      const Head& head = heads_[w * 64 + static_cast<size_t>(std::countr_zero(bits))];
      *p++ = ',';
      std::memcpy(p, head.text, sizeof(head.text));
      p += head.bytes;
      if (found->digits != 0) [[likely]] {
        *p = '-';
        p = WriteDigits(*found, p + std::signbit(*word));
      } else {
        p = WriteFloatApi(*word, p);
      }
      std::memcpy(p, "\"]", 2);
      p += 2;
    }
  }
  flush();
  writer.EndArray();
}

}  // namespace gauntlet::json
