// SampleHeads: how samples at certain times begin, `[1435781451.781,"`, made once for an answer in which many series
// have the same times.
//
// Threads: immutable once all times are added.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "json/writer.h"

namespace gauntlet::json {

class SampleHeads {
 public:
  void Reserve(size_t times) { heads_.reserve(times); }
  void Add(int64_t ms);
  // An array of the samples whose bit in `present` is set: the i-th time with values[i], as Writer::ApiSample does.
  void WriteSamples(Writer& writer, std::span<const uint64_t> present, const double* values) const;

 private:
  struct Head {
    char text[31];
    uint8_t bytes;
  };
  template <typename PutValue>
  static char* PutSamples(const Head* heads, uint64_t bits, PutValue put_value, char* p);
  static char* PutWholes(const Head* heads, uint64_t bits, const double* values, char* p);
  static char* PutFloats(const Head* heads, uint64_t bits, const double* values, size_t count, char* p);

  std::vector<Head> heads_;
};

}  // namespace gauntlet::json
