#include "promql/exec/rows/grouping.h"

#include "base/hash.h"
#include "promql/exec/rows/label_ops.h"

namespace gauntlet::promql {

size_t Grouping::Hash::operator()(std::string_view packed) const { return XxHash64(packed); }

uint32_t Grouping::Find(LabelsView labels) {
  if (!without_ && names_.empty()) {
    if (labels_.empty()) labels_.emplace_back();
    return 0;
  }
  without_ ? RemoveLabels(labels, names_, &key_) : KeepLabels(labels, names_, &key_);
  if (auto at = groups_.find(std::string_view(key_)); at != groups_.end()) return at->second;
  uint32_t group = size();
  groups_.emplace(key_, group);
  labels_.push_back(Labels::FromPacked(key_));
  return group;
}

}  // namespace gauntlet::promql
