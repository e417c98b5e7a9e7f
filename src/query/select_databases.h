// Which databases of an endpoint a relabel configuration selects, and the matchers that keep the others out.
//
// Upstream: thanos pkg/store/tsdb_selector.go
// Threads:  pure functions.

#pragma once

#include <optional>
#include <vector>

#include "model/matcher.h"
#include "model/relabel.h"
#include "storeapi/endpoint.h"

namespace gauntlet::query {

// nullopt: none is selected. Otherwise the matchers to add to a request so that only selected ones answer: none when
// all are, else one per label name: its values among the selected, as an alternation.
std::optional<Matchers> SelectDatabases(const storeapi::Endpoint& endpoint, const Relabeler& relabeler);

}  // namespace gauntlet::query
