// Requests of StoreAPI, and what travels beside them.
//
// Threads: values.

#pragma once

#include <algorithm>
#include <string_view>

#include "rpc/context.h"
#include "wire/store_request.h"

namespace gauntlet::storeapi {

using wire::PartialResponse;
using wire::SeriesRequest;
using wire::ShardInfo;
// Of LabelNames (label empty) and of LabelValues.
using LabelsRequest = wire::LabelValuesRequest;

using rpc::CallContext;

// Whether the caller wants series without this label: then it is none of the answer's.
inline bool DropsLabel(const LabelsRequest& request, std::string_view name) {
  const auto& dropped = request.without_replica_labels;
  return std::find(dropped.begin(), dropped.end(), name) != dropped.end();
}

}  // namespace gauntlet::storeapi
