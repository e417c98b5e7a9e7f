// Matching: which series of two vectors belong together, and what their result is called.
//
// Upstream: prometheus promql/engine.go (rangeEval's signatures, resultMetric), model/labels (MatchLabels)
// Threads:  MatchNames is immutable; ResultLabels is for one thread.

#pragma once

#include <string>
#include <vector>

#include "promql/exec/rows/label_ops.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// The labels of on or ignoring, sorted. A match group is a Grouping by them: `ignoring` also leaves out __name__.
std::vector<std::string> SortedMatchNames(const VectorMatching& matching);

// The labels of a match group: those named by `on`, or all but __name__ and those of `ignoring`.
Labels MatchGroupLabels(LabelsView labels, const std::vector<std::string>& names, bool on);

// Names the result of a pair.
class ResultLabels {
 public:
  // `names`: SortedMatchNames, borrowed.
  ResultLabels(const VectorMatching& matching, const std::vector<std::string>& names, bool drop_metadata)
      : matching_(matching), names_(names), drop_metadata_(drop_metadata) {}
  // `many` is the side whose labels are kept (the left one, when one to one), `one` gives the included labels.
  Labels Make(LabelsView many, LabelsView one);

 private:
  const VectorMatching& matching_;
  const std::vector<std::string>& names_;
  const bool drop_metadata_;
  LabelsBuilder builder_;
};

}  // namespace gauntlet::promql
