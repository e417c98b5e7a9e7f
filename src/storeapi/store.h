// Store: whoever answers StoreAPI: an endpoint over the network, a Prometheus, later a database or a bucket; and the
// proxy that makes one of many.
//
// Answers are pulled: nothing is read, decoded or sent before someone asks for the next batch.
// Threads: Store is thread-safe; a SeriesStream is for one thread at a time.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "storeapi/request.h"
#include "storeapi/series_batch.h"

namespace gauntlet::storeapi {

// Series in the order of their final labels. A series may go on in the next batch.
class SeriesStream {
 public:
  virtual ~SeriesStream() = default;
  // The next series; null at the end. After an error or the end, do not call again.
  virtual Result<SeriesBatchPtr> Next() = 0;
  // Warnings that came since the last call; complete after the end.
  virtual std::vector<std::string> TakeWarnings() { return {}; }
};

struct LabelsAnswer {
  std::vector<std::string> values;  // sorted, unique
  std::vector<std::string> warnings;
  std::string hints;  // a google.protobuf.Any of what was done; "" = none
};

class Store {
 public:
  virtual ~Store() = default;
  // Never null; errors come from Next().
  virtual std::unique_ptr<SeriesStream> Series(const SeriesRequest& request, const CallContext& context) = 0;
  virtual Result<LabelsAnswer> LabelNames(const LabelsRequest& request, const CallContext& context) = 0;
  virtual Result<LabelsAnswer> LabelValues(const LabelsRequest& request, const CallContext& context) = 0;
};

// A stream that is known whole: an error, or these batches.
std::unique_ptr<SeriesStream> FailedStream(Status error);
std::unique_ptr<SeriesStream> BatchStream(std::vector<SeriesBatchPtr> batches);

}  // namespace gauntlet::storeapi
