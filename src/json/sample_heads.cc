#include "json/sample_heads.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "base/float_digits.h"
#include "base/float_format.h"

namespace gauntlet::json {

void SampleHeads::Add(int64_t ms) {
  Head& head = heads_.emplace_back();
  head.text[0] = '[';
  char* end = WriteApiTime(ms, head.text + 1);
  std::memcpy(end, ",\"", 2);
  head.bytes = static_cast<uint8_t>(end + 2 - head.text);
}

// Of each bit in `bits` the sample with its head and the next of the values.
template <typename PutValue>
inline char* SampleHeads::PutSamples(const Head* heads, uint64_t bits, PutValue put_value, char* p) {
  for (; bits != 0; bits &= bits - 1) {
    const Head& head = heads[std::countr_zero(bits)];
    *p++ = ',';
    std::memcpy(p, head.text, sizeof(head.text));
    p = put_value(p + head.bytes);
    std::memcpy(p, "\"]", 2);
    p += 2;
  }
  return p;
}

char* SampleHeads::PutWholes(const Head* heads, uint64_t bits, const double* values, char* p) {
  return PutSamples(heads, bits, [&](char* out) { return WriteSmallWhole(*values++, out); }, p);
}

// One loop finds the digits and one lays them out, so that the processor has several numbers in hand in each.
char* SampleHeads::PutFloats(const Head* heads, uint64_t bits, const double* values, size_t count, char* p) {
  FloatDigits digits[64];
  FindDigits(values, count, digits);
  auto put = [&values, found = digits](char* out) mutable {
    const double v = *values++;
    const FloatDigits of_v = *found++;
    if (of_v.digits == 0) [[unlikely]]
      return WriteFloatApi(v, out);
    *out = '-';
    return WriteDigits(of_v, out + std::signbit(v));
  };
  return PutSamples(heads, bits, put, p);
}

void SampleHeads::WriteSamples(Writer& writer, std::span<const uint64_t> present, const double* values) const {
  constexpr size_t kSampleMax = sizeof(Head) + kDigitsTextMax + 4;  // ,[1435781451.781,"-1.5"]
  char buffer[8192];
  static_assert(64 * kSampleMax <= sizeof(buffer));
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
    if (p > buffer + sizeof(buffer) - 64 * kSampleMax) flush();
    const Head* heads = heads_.data() + w * 64;
    const auto count = static_cast<size_t>(std::popcount(bits));
    p = AreSmallWholes(word, count) ? PutWholes(heads, bits, word, p) : PutFloats(heads, bits, word, count, p);
  }
  flush();
  writer.EndArray();
}

}  // namespace gauntlet::json
