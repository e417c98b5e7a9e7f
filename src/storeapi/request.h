// Requests of StoreAPI, and what travels beside them.
//
// Threads: values.

#pragma once

#include <string>

#include "base/cancel.h"
#include "wire/store_request.h"

namespace gauntlet::storeapi {

using wire::PartialResponse;
using wire::SeriesRequest;
using wire::ShardInfo;
// Of LabelNames (label empty) and of LabelValues.
using LabelsRequest = wire::LabelValuesRequest;

// The right to go on, and whose request it is.
struct CallContext {
  Cancel cancel;
  std::string tenant;       // empty = none given
  std::string request_id;   // X-Request-ID
  std::string traceparent;  // W3C; empty = not traced
};

}  // namespace gauntlet::storeapi
