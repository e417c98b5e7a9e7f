// The crc32 instruction takes three cycles but can start one each cycle, so three adjacent stripes are summed side by
// side and put together: the sum of a stripe is moved over the bytes after it. That is a multiplication by a power of
// x, which one carry-less multiplication does, and a crc32 of its product. Long stripes are all of one length, and
// their moves are tables: four of 256 entries for the four bytes of a state.

#include "io/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

namespace gauntlet::io {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

using Table = std::array<uint32_t, 256>;

// kTables[k][b]: the state after byte b and k zero bytes.
constexpr std::array<Table, 8> MakeTables() {
  std::array<Table, 8> tables{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t state = b;
    for (int bit = 0; bit < 8; ++bit) state = (state >> 1) ^ ((state & 1) ? kPolynomial : 0);
    tables[0][b] = state;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t b = 0; b < 256; ++b) {
      uint32_t before = tables[k - 1][b];
      tables[k][b] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr std::array<Table, 8> kTables = MakeTables();

uint64_t Load64(const char* p) {
  uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

// The functions below work on the inner state, which is the complement of the checksum.
uint32_t TableState(uint32_t state, const char* p, size_t n) {
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t v = Load64(p) ^ state;
    state = 0;
    for (size_t k = 0; k < 8; ++k) state ^= kTables[7 - k][(v >> (8 * k)) & 0xff];
  }
  for (; n > 0; ++p, --n) state = (state >> 8) ^ kTables[0][(state ^ static_cast<uint8_t>(*p)) & 0xff];
  return state;
}

#if defined(__SSE4_2__)

uint32_t Step64(uint32_t state, const char* p) { return static_cast<uint32_t>(_mm_crc32_u64(state, Load64(p))); }

// Moves a state over `bytes` zero bytes.
class Shift {
 public:
  explicit Shift(size_t bytes) {
    uint32_t basis[32];
    const char zeros[8] = {};
    for (int bit = 0; bit < 32; ++bit) {
      uint32_t state = uint32_t{1} << bit;
      for (size_t i = 0; i < bytes; i += 8) state = Step64(state, zeros);
      basis[bit] = state;
    }
    for (size_t k = 0; k < 4; ++k) {
      for (size_t b = 0; b < 256; ++b) {
        uint32_t sum = 0;
        for (size_t bit = 0; bit < 8; ++bit) sum ^= ((b >> bit) & 1) ? basis[8 * k + bit] : 0;
        tables_[k][b] = sum;
      }
    }
  }
  uint32_t operator()(uint32_t state) const {
    return tables_[0][state & 0xff] ^ tables_[1][(state >> 8) & 0xff] ^ tables_[2][(state >> 16) & 0xff] ^
           tables_[3][state >> 24];
  }

 private:
  std::array<Table, 4> tables_;
};

template <size_t stripe>
uint32_t ThreeStripes(uint32_t state, const char** p, size_t* n) {
  static const Shift shift(stripe);
  while (*n >= 3 * stripe) {
    uint32_t second = 0, third = 0;
    for (const char* end = *p + stripe; *p != end; *p += 8) {
      state = Step64(state, *p);
      second = Step64(second, *p + stripe);
      third = Step64(third, *p + 2 * stripe);
    }
    state = shift(shift(state) ^ second) ^ third;
    *p += 2 * stripe;
    *n -= 3 * stripe;
  }
  return state;
}

// kPowers[j]: x to the 64 j - 33, in the order of bits of a state. The product of a state with it, of 63 bits, ends one
// bit short of its place, and the crc32 of it multiplies by x^32: in all the state is moved over 8 j bytes.
constexpr size_t kShortWordsMax = 32;
constexpr std::array<uint32_t, 2 * kShortWordsMax + 1> MakePowers() {
  std::array<uint32_t, 2 * kShortWordsMax + 1> powers{};
  uint32_t power = 0x80000000;  // x^0
  for (size_t exponent = 1; exponent <= 64 * (powers.size() - 1) - 33; ++exponent) {
    power = (power >> 1) ^ ((power & 1) ? kPolynomial : 0);
    if ((exponent + 33) % 64 == 0) powers[(exponent + 33) / 64] = power;
  }
  return powers;
}
constexpr auto kPowers = MakePowers();

// Of n < 800 bytes: three stripes of as many words as there are.
__attribute__((target("sse4.2,pclmul"))) uint32_t ShortState(uint32_t state, const char* p, size_t n) {
  if (size_t words = n / 24; words > 1) {
    const size_t stripe = words * 8;
    uint64_t first = state, second = 0, third = 0;
    for (const char* end = p + stripe; p != end; p += 8) {
      first = _mm_crc32_u64(first, Load64(p));
      second = _mm_crc32_u64(second, Load64(p + stripe));
      third = _mm_crc32_u64(third, Load64(p + 2 * stripe));
    }
    auto moved = [](uint64_t from, size_t over) __attribute__((target("pclmul"))) {
      return _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(from)),
                                  _mm_cvtsi32_si128(static_cast<int>(kPowers[over])), 0);
    };
    __m128i both = _mm_xor_si128(moved(first, 2 * words), moved(second, words));
    state = static_cast<uint32_t>(_mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(both))) ^ third);
    p += 2 * stripe;
    n -= 3 * stripe;
  }
  for (; n >= 8; p += 8, n -= 8) state = Step64(state, p);
  if (n & 4) {
    uint32_t v;
    std::memcpy(&v, p, 4);
    state = _mm_crc32_u32(state, v);
    p += 4;
  }
  if (n & 2) {
    uint16_t v;
    std::memcpy(&v, p, 2);
    state = _mm_crc32_u16(state, v);
    p += 2;
  }
  if (n & 1) state = _mm_crc32_u8(state, static_cast<uint8_t>(*p));
  return state;
}

uint32_t State(uint32_t state, const char* p, size_t n) {
  static const bool multiplies = __builtin_cpu_supports("pclmul") != 0;
  if (n >= 3 * 4096) state = ThreeStripes<4096>(state, &p, &n);
  if (n >= 3 * 256) state = ThreeStripes<256>(state, &p, &n);
  if (multiplies) return ShortState(state, p, n);
  for (; n >= 8; p += 8, n -= 8) state = Step64(state, p);
  for (; n > 0; ++p, --n) state = _mm_crc32_u8(state, static_cast<uint8_t>(*p));
  return state;
}

#else

uint32_t State(uint32_t state, const char* p, size_t n) { return TableState(state, p, n); }

#endif

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes) { return ~State(~crc, bytes.data(), bytes.size()); }

uint32_t ExtendCrc32cByTable(uint32_t crc, std::string_view bytes) {
  return ~TableState(~crc, bytes.data(), bytes.size());
}

}  // namespace gauntlet::io
