// External labels: what a server adds to all its series for others, and what that means for matchers, labels and order.
//
// Threads: ExternalLabels is immutable; LabelRewriter is for one thread at a time.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/labels.h"
#include "model/matcher.h"

namespace gauntlet::storeapi {

// The matchers without those on external labels; nullopt when an external label does not match (then no series does).
std::optional<Matchers> StripExternal(const Matchers& matchers, LabelsView external);

// True when some of the label sets can have series that match: a label that the set lacks may be a series' own.
// No label sets: true.
bool AnyLabelSetMatches(const Matchers& matchers, const std::vector<Labels>& label_sets);

// Makes a series' final labels: external labels win over its own, then the `without` labels go.
class LabelRewriter {
 public:
  LabelRewriter(LabelsView external, const std::vector<std::string>& without);
  // Writes the packed final labels into `packed`.
  void Rewrite(LabelsView series, std::string* packed) const;
  // True when labels never change.
  bool identity() const { return adds_.empty() && drops_.empty(); }
  // Own labels with one of these names break the order of a stream that was sorted before the rewrite, beyond what a
  // SortWindow mends: names that are dropped, and names that an external label overrides.
  std::vector<std::string> names_that_break_order() const;

 private:
  std::vector<std::pair<std::string, std::string>> adds_;  // by name; those of `without` are not in it
  std::vector<std::string> drops_;                         // sorted: own labels to leave out (overridden or without)
};

}  // namespace gauntlet::storeapi
