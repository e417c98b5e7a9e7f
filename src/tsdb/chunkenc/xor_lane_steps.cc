#include "tsdb/chunkenc/xor_lane_steps.h"

#if defined(__x86_64__)

#include <immintrin.h>

// On every function here, as no other may be compiled for a processor that need not be there.
#define GN_AVX2 [[gnu::target("avx2")]]
#define GN_AVX2_INLINE [[gnu::target("avx2"), gnu::always_inline]] inline

namespace gauntlet::tsdb {
namespace {

// Four lanes.
struct Group {
  __m256i pos, value, trailing, unused;
};
struct Times {
  __m256i t, delta, deltas;
};

GN_AVX2_INLINE __m256i All(int64_t x) { return _mm256_set1_epi64x(x); }
GN_AVX2_INLINE __m256i Load(const uint64_t* column) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(column));
}
GN_AVX2_INLINE void Store(__m256i x, uint64_t* column) { _mm256_store_si256(reinterpret_cast<__m256i*>(column), x); }
// Whether the first bit of any lane is set.
GN_AVX2_INLINE bool AnyFirstBit(__m256i x) { return _mm256_movemask_pd(_mm256_castsi256_pd(x)) != 0; }
// All ones where the first bit is set.
GN_AVX2_INLINE __m256i FirstBitMask(__m256i x) { return _mm256_cmpgt_epi64(_mm256_setzero_si256(), x); }
// `b` where the first bit of `which` is set, else `a`.
GN_AVX2_INLINE __m256i Choose(__m256i a, __m256i b, __m256i which) {
  return _mm256_castpd_si256(
      _mm256_blendv_pd(_mm256_castsi256_pd(a), _mm256_castsi256_pd(b), _mm256_castsi256_pd(which)));
}

inline const double* Word(const uint8_t* bytes, int64_t at) { return reinterpret_cast<const double*>(bytes + at); }

// Of each lane the eight bytes from bit `pos` on, left-aligned: at least the first 57 bits are valid. Four loads, not a
// gather, which is the slower one on many processors.
GN_AVX2_INLINE __m256i LoadWords(const uint8_t* bytes, __m256i pos) {
  const __m256i at = _mm256_srli_epi64(pos, 3);
  const __m128i low = _mm256_castsi256_si128(at), high = _mm256_extracti128_si256(at, 1);
  const __m128d a =
      _mm_loadh_pd(_mm_load_sd(Word(bytes, _mm_cvtsi128_si64(low))), Word(bytes, _mm_extract_epi64(low, 1)));
  const __m128d b =
      _mm_loadh_pd(_mm_load_sd(Word(bytes, _mm_cvtsi128_si64(high))), Word(bytes, _mm_extract_epi64(high, 1)));
  const __m256i words = _mm256_castpd_si256(_mm256_insertf128_pd(_mm256_castpd128_pd256(a), b, 1));
  const __m256i swap = _mm256_broadcastsi128_si256(_mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8));
  return _mm256_sllv_epi64(_mm256_shuffle_epi8(words, swap), _mm256_and_si256(pos, All(7)));
}

// Takes a value whose code begins at the second bit of `word`, which is the word from bit g.pos on; `valid` of its bits
// are. What tells a window of more than 64 bits is or-ed into the first bits of `malformed`.
GN_AVX2_INLINE void TakeValue(const uint8_t* bytes, __m256i word, __m256i valid, Group& g, __m256i& malformed) {
  const __m256i code = _mm256_add_epi64(word, word);  // 0 same | 10 last window | 11 leading:5 length:6
  const __m256i changed = FirstBitMask(code);
  const __m256i fresh = _mm256_and_si256(code, _mm256_slli_epi64(word, 2));
  // Bits before the value's own, with the first one of `word`, by the three bits there.
  const __m256i heads = _mm256_broadcastsi128_si256(_mm_setr_epi8(2, 2, 3, 14, 2, 2, 3, 14, 0, 0, 0, 0, 0, 0, 0, 0));
  const __m256i others = All(static_cast<int64_t>(0x8080808080808000));
  const __m256i head = _mm256_shuffle_epi8(heads, _mm256_or_si256(_mm256_srli_epi64(word, 61), others));
  const __m256i unused =
      _mm256_and_si256(_mm256_sub_epi64(_mm256_setzero_si256(), _mm256_srli_epi64(word, 50)), All(63));
  const __m256i trailing = _mm256_sub_epi64(unused, _mm256_and_si256(_mm256_srli_epi64(word, 56), All(31)));
  malformed = _mm256_or_si256(malformed, _mm256_and_si256(fresh, trailing));
  g.unused = Choose(g.unused, unused, fresh);
  g.trailing = Choose(g.trailing, trailing, fresh);
  const __m256i used = _mm256_and_si256(_mm256_sub_epi64(All(64), g.unused), changed);
  const __m256i whole = _mm256_add_epi64(head, used);
  __m256i bits;
  if (!AnyFirstBit(_mm256_sub_epi64(valid, whole))) {
    bits = _mm256_sllv_epi64(word, head);
  } else {
    const __m256i begin = _mm256_add_epi64(g.pos, head);
    bits = LoadWords(bytes, begin);
    if (AnyFirstBit(_mm256_sub_epi64(All(57), used))) {
      const __m256i behind = LoadWords(bytes, _mm256_add_epi64(begin, All(32)));
      bits = _mm256_blend_epi32(_mm256_srli_epi64(behind, 32), bits, 0xaa);
    }
  }
  bits = _mm256_sllv_epi64(_mm256_srlv_epi64(bits, g.unused), g.trailing);
  g.value = _mm256_xor_si256(g.value, _mm256_and_si256(bits, changed));
  g.pos = _mm256_add_epi64(g.pos, whole);
}

// One step of four lanes, or two: lane k's go to columns[k][i ..].
template <typename T>
GN_AVX2_INLINE void PutOne(__m256i x, T* const* columns, size_t i) {
  const __m128d low = _mm256_castpd256_pd128(_mm256_castsi256_pd(x));
  const __m128d high = _mm256_extractf128_pd(_mm256_castsi256_pd(x), 1);
  _mm_storel_pd(reinterpret_cast<double*>(columns[0] + i), low);
  _mm_storeh_pd(reinterpret_cast<double*>(columns[1] + i), low);
  _mm_storel_pd(reinterpret_cast<double*>(columns[2] + i), high);
  _mm_storeh_pd(reinterpret_cast<double*>(columns[3] + i), high);
}
template <typename T>
GN_AVX2_INLINE void PutTwo(__m256i first, __m256i second, T* const* columns, size_t i) {
  const __m256i even = _mm256_unpacklo_epi64(first, second), odd = _mm256_unpackhi_epi64(first, second);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(columns[0] + i), _mm256_castsi256_si128(even));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(columns[1] + i), _mm256_castsi256_si128(odd));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(columns[2] + i), _mm256_extracti128_si256(even, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(columns[3] + i), _mm256_extracti128_si256(odd, 1));
}

// The lanes' times i .. with intervals that stay.
void FillTimes(XorLanes& lanes, size_t width, size_t steps) {
  for (size_t k = 0; k < width; ++k) {
    const uint64_t t = lanes.t[k], delta = lanes.delta[k];
    int64_t* times = lanes.times[k];
    for (size_t i = 0; i < steps; ++i) times[i] = static_cast<int64_t>(t + delta * (i + 1));
    lanes.t[k] = t + delta * steps;
  }
}

// What the steps share: groups of lanes in registers.
template <int groups>
struct Registers {
  Group group[groups];
  __m256i malformed;

  GN_AVX2_INLINE explicit Registers(const XorLanes& lanes) : malformed(_mm256_setzero_si256()) {
    for (int g = 0; g < groups; ++g) {
      group[g] = {Load(lanes.pos + 4 * g), Load(lanes.value + 4 * g), Load(lanes.trailing + 4 * g),
                  Load(lanes.unused + 4 * g)};
    }
  }
  GN_AVX2_INLINE void Save(XorLanes& lanes) const {
    for (int g = 0; g < groups; ++g) {
      Store(group[g].pos, lanes.pos + 4 * g);
      Store(group[g].value, lanes.value + 4 * g);
      Store(group[g].trailing, lanes.trailing + 4 * g);
      Store(group[g].unused, lanes.unused + 4 * g);
    }
    lanes.malformed |= AnyFirstBit(malformed);
  }
  // False, and nothing is taken, when an interval changes.
  GN_AVX2_INLINE bool Step(const uint8_t* bytes) {
    __m256i words[groups], any = _mm256_setzero_si256();
    for (int g = 0; g < groups; ++g) {
      words[g] = LoadWords(bytes, group[g].pos);
      any = _mm256_or_si256(any, words[g]);
    }
    if (AnyFirstBit(any)) [[unlikely]]
      return false;
    for (int g = 0; g < groups; ++g) TakeValue(bytes, words[g], All(57), group[g], malformed);
    return true;
  }
};

template <int groups>
GN_AVX2 size_t Steady(XorLanes& lanes, size_t steps) {
  Registers<groups> r(lanes);
  size_t i = 0;
  while (i < steps && r.Step(lanes.bytes)) {
    __m256i first[groups];
    for (int g = 0; g < groups; ++g) first[g] = r.group[g].value;
    if (i + 1 < steps && r.Step(lanes.bytes)) {
      for (int g = 0; g < groups; ++g) PutTwo(first[g], r.group[g].value, lanes.values + 4 * g, i);
      i += 2;
    } else {
      for (int g = 0; g < groups; ++g) PutOne(first[g], lanes.values + 4 * g, i);
      i += 1;
      break;
    }
  }
  r.Save(lanes);
  FillTimes(lanes, size_t{4} * groups, i);
  return i;
}

template <int groups>
GN_AVX2 size_t Unsteady(XorLanes& lanes, size_t steps) {
  Registers<groups> r(lanes);
  Times times[groups];
  __m256i any = _mm256_setzero_si256();
  for (int g = 0; g < groups; ++g) {
    times[g] = {Load(lanes.t + 4 * g), Load(lanes.delta + 4 * g), Load(lanes.deltas + 4 * g)};
  }
  size_t i = 0;
  for (; i < steps; ++i) {
    __m256i words[groups], wide = _mm256_setzero_si256();
    for (int g = 0; g < groups; ++g) {
      words[g] = LoadWords(lanes.bytes, r.group[g].pos);
      any = _mm256_or_si256(any, words[g]);
      wide = _mm256_or_si256(wide, _mm256_and_si256(words[g], _mm256_add_epi64(words[g], words[g])));
    }
    if (AnyFirstBit(wide)) [[unlikely]]
      break;
    for (int g = 0; g < groups; ++g) {
      // 0 same interval | 10 change:14, where 2^13 is the greatest one.
      const __m256i changes = FirstBitMask(words[g]);
      const __m256i bits = _mm256_srli_epi64(_mm256_slli_epi64(words[g], 2), 50);
      const __m256i borrow = _mm256_and_si256(_mm256_cmpgt_epi64(bits, All(1 << 13)), All(1 << 14));
      Times& at = times[g];
      at.delta = _mm256_add_epi64(at.delta, _mm256_and_si256(_mm256_sub_epi64(bits, borrow), changes));
      at.deltas = _mm256_or_si256(at.deltas, at.delta);
      at.t = _mm256_add_epi64(at.t, at.delta);
      const __m256i more = _mm256_and_si256(changes, All(15));
      r.group[g].pos = _mm256_add_epi64(r.group[g].pos, more);
      TakeValue(lanes.bytes, _mm256_sllv_epi64(words[g], more), _mm256_sub_epi64(All(57), more), r.group[g],
                r.malformed);
      PutOne(at.t, lanes.times + 4 * g, i);
      PutOne(r.group[g].value, lanes.values + 4 * g, i);
    }
  }
  r.Save(lanes);
  for (int g = 0; g < groups; ++g) {
    Store(times[g].t, lanes.t + 4 * g);
    Store(times[g].delta, lanes.delta + 4 * g);
    Store(times[g].deltas, lanes.deltas + 4 * g);
  }
  lanes.calm = !AnyFirstBit(any);
  return i;
}

}  // namespace

bool LanesRunHere() { return __builtin_cpu_supports("avx2") != 0; }

size_t StepSteady(XorLanes& lanes, size_t width, size_t steps) {
  return width > 8 ? Steady<3>(lanes, steps) : width > 4 ? Steady<2>(lanes, steps) : Steady<1>(lanes, steps);
}

size_t StepUnsteady(XorLanes& lanes, size_t width, size_t steps) {
  return width > 8 ? Unsteady<3>(lanes, steps) : width > 4 ? Unsteady<2>(lanes, steps) : Unsteady<1>(lanes, steps);
}

}  // namespace gauntlet::tsdb

#else

#include "base/check.h"

namespace gauntlet::tsdb {

bool LanesRunHere() { return false; }
size_t StepSteady(XorLanes&, size_t, size_t) { GN_CHECK(false); }
size_t StepUnsteady(XorLanes&, size_t, size_t) { GN_CHECK(false); }

}  // namespace gauntlet::tsdb

#endif
