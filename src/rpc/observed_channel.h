// ObservedChannel: a channel whose calls are counted and traced.
//
// Threads: thread-safe, like the channel inside.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/grpc/grpc.h"
#include "rpc/call_metrics.h"
#include "telemetry/trace.h"

namespace gauntlet::rpc {

// Shared by all channels of a component.
struct ClientInstruments {
  CallMetrics* metrics = nullptr;       // null: not counted
  telemetry::Tracer* tracer = nullptr;  // null: not traced
  Clock* clock = &SystemClock();
};

class ObservedChannel : public net::GrpcChannel {
 public:
  // What the instruments point to must outlive the channel and its calls.
  ObservedChannel(std::unique_ptr<net::GrpcChannel> channel, ClientInstruments instruments)
      : channel_(std::move(channel)), instruments_(instruments) {}
  void SetAddresses(std::vector<std::string> addresses) override { channel_->SetAddresses(std::move(addresses)); }
  std::unique_ptr<net::GrpcClientCall> Start(std::string_view method, const net::GrpcMetadata& metadata,
                                             const Cancel& cancel, bool wait_for_ready = false) override;

 private:
  const std::unique_ptr<net::GrpcChannel> channel_;
  const ClientInstruments instruments_;
};

}  // namespace gauntlet::rpc
