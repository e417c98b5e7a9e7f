#include "promql/exec/binary/matching.h"

#include <algorithm>

namespace gauntlet::promql {

std::vector<std::string> SortedMatchNames(const VectorMatching& matching) {
  std::vector<std::string> names = matching.labels;
  std::sort(names.begin(), names.end());
  return names;
}

Labels MatchGroupLabels(LabelsView labels, const std::vector<std::string>& names, bool on) {
  std::string packed;
  on ? KeepLabels(labels, names, &packed) : RemoveLabels(labels, names, &packed);
  return Labels::FromPacked(std::move(packed));
}

Labels ResultLabels::Make(LabelsView many, LabelsView one) {
  const bool one_to_one = matching_.card == MatchCardinality::kOneToOne;
  std::string packed;
  packed.reserve(many.packed().size());
  auto name = names_.begin();
  for (const Label& label : many) {
    if (drop_metadata_ && IsMetadataLabel(label.name)) continue;
    if (one_to_one) {
      while (name != names_.end() && *name < label.name) ++name;
      bool named = name != names_.end() && *name == label.name;
      if (named != matching_.on) continue;
    }
    PackLabel(packed, label.name, label.value);
  }
  if (matching_.include.empty()) return Labels::FromPacked(std::move(packed));
  builder_.Reset(LabelsView(packed));
  for (const std::string& included : matching_.include) builder_.Set(included, one.Get(included));
  return builder_.Build();
}

}  // namespace gauntlet::promql
