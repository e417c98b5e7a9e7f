// SampleHeads: how samples at certain times begin, `[1435781451.781,"`, made once for an answer in which many series
// have the same times.
//
// Threads: immutable once all times are added.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "json/writer.h"

namespace gauntlet::json {

class SampleHeads {
 public:
  void Add(int64_t ms);
  // An array of the samples whose bit in `present` is set: the i-th time with values[i], as Writer::ApiSample does.
  void WriteSamples(Writer& writer, std::span<const uint64_t> present, const double* values) const;

 private:
  struct Head {
    char text[31];
    uint8_t bytes;
  };
  std::vector<Head> heads_;
  std::string text_;  // of the head that is added, to be allocated once
};

}  // namespace gauntlet::json
