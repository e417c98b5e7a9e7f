// Requests of StoreAPI, and what travels beside them.
//
// Threads: values.

#pragma once

#include "rpc/context.h"
#include "wire/store_request.h"

namespace gauntlet::storeapi {

using wire::PartialResponse;
using wire::SeriesRequest;
using wire::ShardInfo;
// Of LabelNames (label empty) and of LabelValues.
using LabelsRequest = wire::LabelValuesRequest;

using rpc::CallContext;

}  // namespace gauntlet::storeapi
