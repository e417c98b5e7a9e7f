// ProfileBuilder: stacks and their values as a profile that `go tool pprof` reads.
//
// Format:  github.com/google/pprof/proto/profile.proto, not compressed
// Threads: one thread at a time.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "profile/symbols.h"

namespace gauntlet::profile {

struct ValueType {
  std::string type, unit;  // "cpu", "nanoseconds"
};

class ProfileBuilder {
 public:
  explicit ProfileBuilder(std::vector<ValueType> sample_types);

  void SetPeriod(const ValueType& type, int64_t period);
  void SetTime(int64_t start_unix_ns, int64_t duration_ns);
  void SetDefaultType(std::string_view type);
  void AddComment(std::string_view text);
  // `stack` holds addresses inside the calls, innermost first; `values` one for each sample type.
  void AddSample(std::span<const uintptr_t> stack, std::span<const int64_t> values,
                 const std::map<std::string, std::string>& labels = {});

  // Names all addresses. Call once.
  std::string Encode(const Symbols& symbols);

 private:
  uint64_t String(std::string_view text);
  uint64_t Location(uintptr_t address);
  void AppendValueType(std::string& out, int field, const ValueType& type);
  void AppendLocations(const Symbols& symbols);

  std::string samples_, tables_;
  ValueType period_type_;
  int64_t period_ = 0, start_ns_ = 0, duration_ns_ = 0;
  uint64_t default_type_ = 0;
  std::vector<uint64_t> comments_;
  std::vector<ValueType> sample_types_;
  std::vector<uintptr_t> locations_;  // id - 1 -> address
  std::unordered_map<uintptr_t, uint64_t> location_ids_;
  std::vector<std::string> strings_;
  std::unordered_map<std::string, uint64_t> string_ids_;
};

}  // namespace gauntlet::profile
