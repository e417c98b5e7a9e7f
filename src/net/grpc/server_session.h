// GrpcServerSession: the gRPC server's view of one connection: turns HTTP/2 streams into calls, and what the handlers
// write into frames.
//
// Threads: the session belongs to the event loop; a call is made there and used by its handler's thread.

#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/cancel.h"
#include "net/grpc/grpc.h"
#include "net/grpc/http2_connection.h"
#include "net/grpc/http2_session.h"
#include "net/grpc/pipe.h"

namespace gauntlet::net {

// One call, shared by its handler's thread and the session.
class GrpcServerCallState : public GrpcServerCall {
 public:
  struct Head {
    std::string method, peer_address;
    GrpcMetadata metadata;
    std::optional<std::chrono::nanoseconds> timeout;
    GrpcCompression request_compression = GrpcCompression::kIdentity;
    GrpcCompression response_compression = GrpcCompression::kIdentity;
  };
  GrpcServerCallState(Head head, const Cancel& server, const GrpcPipe::Limits& limits, size_t message_bytes_max);

  const std::string& method() const override { return head_.method; }
  const GrpcMetadata& metadata() const override { return head_.metadata; }
  const std::string& peer_address() const override { return head_.peer_address; }
  const Cancel& cancel() const override { return source_.cancel(); }
  Result<bool> Read(std::string* message) override;
  Status Write(std::string_view message) override;

  // The handler's thread, last: nothing of the call is used there afterwards.
  void Finish(GrpcStatus status);

  // ---- The loop.
  void Stop(const Status& why);
  GrpcPipe& pipe() { return pipe_; }
  const Head& head() const { return head_; }
  // REQUIRES: the pipe's output is closed, which Finish does.
  const GrpcStatus& final_status() const { return final_status_; }

 private:
  const Head head_;
  const size_t message_bytes_max_;
  GrpcPipe pipe_;
  CancelSource source_;
  GrpcStatus final_status_;  // written before the pipe's output is closed, read after
  Cancel::Registration on_stop_;
};

class GrpcServerSession : public Http2Session {
 public:
  struct Services {
    const std::map<std::string, GrpcHandler>* methods = nullptr;
    // Runs the handler elsewhere; must call Finish in the end, also for a call that has been stopped.
    std::function<void(std::shared_ptr<GrpcServerCallState>, const GrpcHandler&)> run;
    Cancel cancel;
    size_t message_bytes_max = 1u << 30, window_bytes = 1 << 20;
    size_t calls_max = 1000;  // of this connection that have a handler, running or queued
    std::chrono::milliseconds keepalive_min_time{10'000};
  };
  GrpcServerSession(const Http2Options& options, const Services& services, std::string peer_address,
                    std::shared_ptr<Http2Mailbox> mailbox);

  // Asks the client to go elsewhere; calls in progress end in peace, and then the connection.
  void Drain();
  size_t open_streams() const override { return calls_.size(); }
  void OnNotified(int32_t stream) override;
  void OnConnectionLost(const Status& why) override;

 protected:
  void OnHeaders(int32_t stream, Http2Headers headers, bool end_stream) override;
  void OnData(int32_t stream, std::string_view bytes) override;
  void OnRemoteEnd(int32_t stream) override;
  void OnLocalEnd(int32_t stream) override;
  void OnStreamClosed(int32_t stream, uint32_t error) override;
  void OnPing() override;
  void OnPong() override;
  Output AskOutput(int32_t stream, size_t bytes_max) override;
  void TakeOutput(int32_t stream, size_t bytes) override;
  void OnOutputEnd(int32_t stream) override;

 private:
  struct Call {
    std::shared_ptr<GrpcServerCallState> state;
    bool answered = false;  // the response's headers are submitted
  };
  // Answers without a handler.
  void Refuse(int32_t stream, const std::string& http_status, const GrpcStatus& status);
  void Answer(int32_t stream, Call& call);

  const Services services_;
  const std::string peer_address_;
  const std::shared_ptr<Http2Mailbox> mailbox_;
  const std::shared_ptr<std::atomic<size_t>> handlers_;  // queued and running; outlives the session
  std::unordered_map<int32_t, Call> calls_;
  std::chrono::steady_clock::time_point last_ping_;
  int ping_strikes_ = 0;
  bool draining_ = false;
};

}  // namespace gauntlet::net
