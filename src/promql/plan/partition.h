// Partition: which leaves a part of a query is about, and by which labels they can be told apart.
//
// Threads: functions.      Borrows: the leaves.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "promql/plan/leaves.h"
#include "promql/plan/node.h"

namespace gauntlet::promql {

// A way to tell leaves apart: by the values of these labels, which all of their series have.
using Partition = std::vector<std::string>;

// The values of these labels, empty where there is none.
std::vector<std::string> ValuesOf(const Labels& labels, const Partition& partition);

// The leaves that a part is about.
struct Targets {
  struct Target {
    uint32_t leaf;
    std::vector<const LeafData*> data;
  };
  bool can_be_asked = true;  // all of them
  std::vector<Target> leaves;

  // Whether every series has the labels, and no two leaves have the same values.
  bool TellsApart(const Partition& partition) const;
};

// The leaves that may have series for the selectors in `node`.
Targets TargetsOf(const PlanNode& node, const Leaves& leaves);

// The ways in which they can be told apart: by one label, or else by all. REQUIRES: there are some.
std::vector<Partition> Partitions(const Targets& targets, const Leaves& leaves);

}  // namespace gauntlet::promql
