// LoopbackChannel: a channel to handlers in the same process, without a network: for tests of what stands on rpc.
//
// Like the real transport it blocks a writer whose reader is behind, carries metadata and deadlines, and ends a
// handler's Cancel when the client goes.
//
// Threads: the channel is thread-safe; each handler runs on the executor, which must outlive the channel's calls.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/grpc/grpc.h"
#include "rpc/method.h"

namespace gauntlet::rpc {

class LoopbackChannel : public net::GrpcChannel {
 public:
  // `window` messages may be on their way in each direction. `interceptor` may be null.
  LoopbackChannel(MethodMap methods, Executor& executor, net::GrpcServer::Interceptor interceptor = nullptr,
                  size_t window = 4);
  ~LoopbackChannel() override;
  void SetAddresses(std::vector<std::string>) override {}
  std::unique_ptr<net::GrpcClientCall> Start(std::string_view method, const net::GrpcMetadata& metadata,
                                             const Cancel& cancel, bool wait_for_ready = false) override;

 private:
  const MethodMap methods_;
  Executor& executor_;
  const net::GrpcServer::Interceptor interceptor_;
  const size_t window_;
};

}  // namespace gauntlet::rpc
