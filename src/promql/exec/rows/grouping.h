// Grouping: series numbered by some of their labels: the groups of an aggregation, or what on and ignoring match.
//
// Upstream: prometheus promql/engine.go (generateGroupingKey, signatureFunc)
// Threads:  one thread at a time.      Borrows: the names.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/labels.h"

namespace gauntlet::promql {

// Which group a series belongs to, numbered as they are met.
class Grouping {
 public:
  // `names` sorted; borrowed.
  Grouping(const std::vector<std::string>& names, bool without) : names_(names), without_(without) {}
  uint32_t Find(LabelsView labels);
  uint32_t size() const { return static_cast<uint32_t>(labels_.size()); }
  // The labels of the group's result.
  Labels& labels(uint32_t group) { return labels_[group]; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view packed) const;
  };
  const std::vector<std::string>& names_;
  const bool without_;
  std::string key_;
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> groups_;
  std::vector<Labels> labels_;
};

}  // namespace gauntlet::promql
