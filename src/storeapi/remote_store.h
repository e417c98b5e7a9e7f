// RemoteStore: the Store behind a gRPC channel.
//
// Threads: thread-safe.                     Owns: a share of its channel

#pragma once

#include <chrono>
#include <memory>

#include "net/grpc/grpc.h"
#include "rpc/store.h"
#include "storeapi/store.h"

namespace gauntlet::storeapi {

class RemoteStore : public Store {
 public:
  // `response_timeout`: how long to wait for each frame of an answer, and for that of a label call; 0 = as long as the
  // call may take.
  RemoteStore(std::shared_ptr<net::GrpcChannel> channel, std::chrono::milliseconds response_timeout);

  std::unique_ptr<SeriesStream> Series(const SeriesRequest& request, const CallContext& context) override;
  Result<LabelsAnswer> LabelNames(const LabelsRequest& request, const CallContext& context) override;
  Result<LabelsAnswer> LabelValues(const LabelsRequest& request, const CallContext& context) override;

 private:
  const std::shared_ptr<net::GrpcChannel> channel_;
  rpc::StoreClient client_;
  const std::chrono::milliseconds response_timeout_;
};

// How grpc-go words a failed call: "rpc error: code = Unavailable desc = ...".
Status RpcError(const net::GrpcStatus& status);

}  // namespace gauntlet::storeapi
