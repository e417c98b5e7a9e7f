#include "model/md5.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

namespace gauntlet {
namespace {

// The sines of 1 to 64, as RFC 1321 asks for.
const std::array<uint32_t, 64>& Sines() {
  static const std::array<uint32_t, 64> kSines = [] {
    std::array<uint32_t, 64> sines;
    for (size_t i = 0; i < 64; ++i) {
      sines[i] = static_cast<uint32_t>(std::fabs(std::sin(static_cast<double>(i + 1))) * 4294967296.0);
    }
    return sines;
  }();
  return kSines;
}

using State = std::array<uint32_t, 4>;

void AddBlock(const char* block, State& state) {
  constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  uint32_t words[16];
  std::memcpy(words, block, sizeof(words));
  const std::array<uint32_t, 64>& sines = Sines();
  auto [a, b, c, d] = state;
  for (uint32_t i = 0; i < 64; ++i) {
    const uint32_t round = i / 16;
    uint32_t mix, word;
    if (round == 0) {
      mix = (b & c) | (~b & d);
      word = i;
    } else if (round == 1) {
      mix = (d & b) | (~d & c);
      word = (5 * i + 1) % 16;
    } else if (round == 2) {
      mix = b ^ c ^ d;
      word = (3 * i + 5) % 16;
    } else {
      mix = c ^ (b | ~d);
      word = (7 * i) % 16;
    }
    uint32_t next = b + std::rotl(a + mix + sines[i] + words[word], kShifts[round][i % 4]);
    a = d;
    d = c;
    c = b;
    b = next;
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

static_assert(std::endian::native == std::endian::little);

std::array<uint8_t, 16> Md5(std::string_view bytes) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const uint64_t bits = bytes.size() * 8;
  for (; bytes.size() >= 64; bytes.remove_prefix(64)) AddBlock(bytes.data(), state);
  // The rest, a 1 bit, zeros, and the length in the last eight bytes of a block.
  std::string tail(bytes);
  tail.push_back('\x80');
  tail.resize(tail.size() > 56 ? 128 : 64, '\0');
  std::memcpy(tail.data() + tail.size() - 8, &bits, 8);
  for (size_t at = 0; at < tail.size(); at += 64) AddBlock(tail.data() + at, state);
  std::array<uint8_t, 16> digest;
  std::memcpy(digest.data(), state.data(), digest.size());
  return digest;
}

}  // namespace gauntlet
