// GrpcClientSession: the gRPC client's view of one connection; GrpcClientCallState: one call, on whatever connection.
//
// Threads: the session belongs to the event loop; a call's state is shared by the loop and the call's threads.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/cancel.h"
#include "base/mutex.h"
#include "net/grpc/grpc.h"
#include "net/grpc/http2_connection.h"
#include "net/grpc/http2_session.h"
#include "net/grpc/pipe.h"

namespace gauntlet::net {

class GrpcClientCallState {
 public:
  GrpcClientCallState(std::string_view method, const GrpcMetadata& metadata, const Cancel& cancel, bool wait_for_ready,
                      GrpcCompression request_compression, const GrpcPipe::Limits& limits)
      : method_(method),
        metadata_(metadata),
        cancel_(cancel),
        wait_for_ready_(wait_for_ready),
        request_compression_(request_compression),
        pipe_(limits) {}

  const std::string& method() const { return method_; }
  const GrpcMetadata& metadata() const { return metadata_; }
  const Cancel& cancel() const { return cancel_; }
  bool wait_for_ready() const { return wait_for_ready_; }
  GrpcCompression request_compression() const { return request_compression_; }
  GrpcPipe& pipe() { return pipe_; }

  // What the call is about at the moment, for messages about its end: "127.0.0.1:10901", or why it cannot connect.
  void SetHint(const std::string& hint);
  std::string hint() const;

  // ---- The loop. The first end counts.
  // The server's word, or why there will be none (`by_server` false: then Read fails with it).
  void End(const GrpcStatus& status, bool by_server);
  void SetResponseCompression(GrpcCompression compression) { response_compression_ = compression; }
  int refusals = 0, unsent = 0;  // times it was put back by a server, and by a connection that broke too early

  // ---- Threads of the call.
  // REQUIRES: a message has been read.
  GrpcCompression response_compression() const { return response_compression_; }
  // REQUIRES: the pipe has ended.
  GrpcStatus final_status() const;

 private:
  const std::string method_;
  const GrpcMetadata metadata_;
  const Cancel cancel_;
  const bool wait_for_ready_;
  const GrpcCompression request_compression_;
  GrpcPipe pipe_;
  GrpcCompression response_compression_ = GrpcCompression::kIdentity;  // written before the first message is queued
  mutable Mutex mutex_;
  std::string hint_ GN_GUARDED_BY(mutex_);
  std::optional<GrpcStatus> final_ GN_GUARDED_BY(mutex_);
};

class GrpcClientSession : public Http2Session {
 public:
  struct Services {
    std::string address;    // opens error texts
    std::string authority;  // what :authority says
    std::string scheme;     // "http", "https"
    std::string user_agent;
    size_t message_bytes_max = 1u << 30;
    // A call that the server has certainly not seen wants another connection.
    std::function<void(std::shared_ptr<GrpcClientCallState>)> again;
    // The server takes no more calls here.
    std::function<void(const GrpcClientSession& session, bool too_many_pings)> on_goaway;
  };
  GrpcClientSession(const Http2Options& options, Services services, std::shared_ptr<Http2Mailbox> mailbox);

  // False when the connection takes no more calls.
  bool StartCall(const std::shared_ptr<GrpcClientCallState>& call);
  Status Receive(std::string_view bytes) override;
  size_t open_streams() const override { return calls_.size(); }
  void OnNotified(int32_t stream) override;
  void OnConnectionLost(const Status& why) override;

 protected:
  void OnHeaders(int32_t stream, Http2Headers headers, bool end_stream) override;
  void OnData(int32_t stream, std::string_view bytes) override;
  void OnRemoteEnd(int32_t stream) override;
  void OnStreamClosed(int32_t stream, uint32_t error) override;
  void OnRequestSent(int32_t stream) override;
  void OnRequestNotSent(int32_t stream) override;
  void OnGoAway(uint32_t error, std::string_view text) override;
  Output AskOutput(int32_t stream, size_t bytes_max) override;
  void TakeOutput(int32_t stream, size_t bytes) override;

 private:
  struct Call {
    std::shared_ptr<GrpcClientCallState> state;
    bool sent = false;       // the request's headers are on their way
    bool answered = false;   // the answer's headers are here
    bool over = false;       // the call has ended; its stream is about to
    std::string http_error;  // not empty: the answer is not gRPC; its body is collected here
    GrpcCode http_code = GrpcCode::kUnknown;
  };
  Http2Headers RequestHeaders(const GrpcClientCallState& call) const;
  void OnAnswer(int32_t stream, Call& call, const Http2Headers& headers, bool end_stream);
  void OnTrailers(int32_t stream, Call& call, const Http2Headers& headers, bool end_stream);
  // The call of a stream, unless it is over.
  Call* Find(int32_t stream);
  // Ends the call and whatever of its stream is still open; `remote_ended`: the server's half is not.
  void EndCall(int32_t stream, const GrpcStatus& status, bool by_server, bool remote_ended);
  void PutBack(Call& call, const GrpcStatus& otherwise);
  GrpcStatus Fault(GrpcCode code, const std::string& what) const;

  const Services services_;
  const std::shared_ptr<Http2Mailbox> mailbox_;
  std::unordered_map<int32_t, Call> calls_;
  bool began_ = false;  // the first bytes of the server are here
};

}  // namespace gauntlet::net
