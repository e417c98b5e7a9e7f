// StoreInfoService: what the gateway says of itself: the label sets and times of the blocks it serves.
//
// Threads: thread-safe.

#pragma once

#include "rpc/info.h"
#include "store/bucket_store.h"

namespace gauntlet::store {

class StoreInfoService : public rpc::InfoService {
 public:
  // Borrowed.
  explicit StoreInfoService(const BucketStore& store) : store_(store) {}
  net::GrpcStatus GetInfo(rpc::Info* info, const rpc::CallContext& context) override;

 private:
  const BucketStore& store_;
};

}  // namespace gauntlet::store
