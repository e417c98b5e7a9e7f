// gRPC on raw frames: calls carry serialized messages, so that services and clients do not depend on the transport.
//
// Calls block their thread. Flow control reaches through: a Write blocks while the peer does not read, and a call that
// is not read stops its sender after `window_bytes`.
//
// Format:  https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
// Threads: server and channel are thread-safe; a call is for one reader and one writer thread.

#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "net/tls.h"

namespace gauntlet {
class Executor;
}

namespace gauntlet::net {

// The numbers of the gRPC protocol.
enum class GrpcCode : uint8_t {
  kOk,
  kCancelled,
  kUnknown,
  kInvalidArgument,
  kDeadlineExceeded,
  kNotFound,
  kAlreadyExists,
  kPermissionDenied,
  kResourceExhausted,
  kFailedPrecondition,
  kAborted,
  kOutOfRange,
  kUnimplemented,
  kInternal,
  kUnavailable,
  kDataLoss,
  kUnauthenticated,
};
std::string_view GrpcCodeText(GrpcCode code);  // "InvalidArgument", as metrics and logs of grpc-go say it

// How the two worlds map, once. kInvalid <-> InvalidArgument, kExhausted <-> ResourceExhausted, kDenied <->
// PermissionDenied, kUnsupported <-> Unimplemented, kCorrupt <-> DataLoss, kOutOfOrder -> OutOfRange, kExists <->
// AlreadyExists, ...
GrpcCode ToGrpcCode(Code code);
Code FromGrpcCode(GrpcCode code);

// The end of a call on the wire: for the few places where our codes are too coarse (Aborted for partial responses,
// Unknown).
struct GrpcStatus {
  GrpcCode code = GrpcCode::kOk;
  std::string message;
  GrpcStatus() = default;
  GrpcStatus(GrpcCode c, std::string m) : code(c), message(std::move(m)) {}
  GrpcStatus(const Status& status);  // NOLINT: handlers return either
  bool ok() const { return code == GrpcCode::kOk; }
  Status ToStatus() const;
};

using GrpcMetadata = std::multimap<std::string, std::string>;  // lower-case names; "-bin" values decoded

enum class GrpcCompression : uint8_t { kIdentity, kGzip, kSnappy };

// ---- Server ---------------------------------------------------------------------------------------------------------

class GrpcServerCall {
 public:
  virtual ~GrpcServerCall() = default;
  virtual const std::string& method() const = 0;  // "/thanos.Store/Series"
  virtual const GrpcMetadata& metadata() const = 0;
  virtual const std::string& peer_address() const = 0;
  // Ends when the client cancels or goes away, at its grpc-timeout, and when the server stops.
  virtual const Cancel& cancel() const = 0;
  // Next request message; false at the end of the client's stream.
  virtual Result<bool> Read(std::string* message) = 0;
  virtual Status Write(std::string_view message) = 0;
};

using GrpcHandler = std::function<GrpcStatus(GrpcServerCall&)>;

struct GrpcServerOptions {
  std::string address = "127.0.0.1:0";
  std::function<Result<std::optional<TlsServerOptions>>()>
      tls;                                                  // asked for each connection; null or nullopt = plain text
  std::chrono::milliseconds max_connection_age{3'600'000};  // then GOAWAY; 0 = never
  std::chrono::milliseconds max_connection_age_grace{0};    // for its calls to end after that; 0 = for ever
  std::chrono::milliseconds handshake_timeout{10'000};      // from accept to the client's first SETTINGS
  std::chrono::milliseconds keepalive_min_time{10'000};     // clients that ping more often get ENHANCE_YOUR_CALM
  size_t message_bytes_max = 1u << 30;
  size_t window_bytes = 1 << 20;
  size_t streams_max = 1000;  // calls at once of one connection
};

class GrpcServer {
 public:
  // Sees every call around its handler: for metrics, logs, traces, recovery of tenants.
  using Interceptor = std::function<GrpcStatus(GrpcServerCall&, const GrpcHandler& next)>;

  // Listens at once; unknown methods answer Unimplemented. `executor` runs the handlers, one thread for each call in
  // progress (so it must have threads of its own), and must outlive the server.
  static Result<std::unique_ptr<GrpcServer>> Start(GrpcServerOptions options,
                                                   std::map<std::string, GrpcHandler> methods, Interceptor interceptor,
                                                   Executor& executor);
  // Ends what Shutdown has not, at once; waits for the handlers, which their cancel tells to end.
  virtual ~GrpcServer() = default;
  virtual int port() const = 0;
  // GOAWAY, lets calls end for up to `grace`, then cancels them. Not to be called by a handler.
  virtual void Shutdown(std::chrono::milliseconds grace) = 0;
};

// ---- Client ---------------------------------------------------------------------------------------------------------

struct GrpcChannelOptions {
  // "host:port" each; more than one: calls go round-robin over those that connect (Thanos' endpoint groups).
  std::vector<std::string> addresses;
  std::optional<TlsClientOptions> tls;                       // nullopt = plain text
  GrpcCompression compression = GrpcCompression::kIdentity;  // of requests; answers in any of the three are understood
  std::chrono::milliseconds keepalive_time{10'000}, keepalive_timeout{5'000};
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds backoff_base{1'000}, backoff_max{30'000};  // between attempts to connect
  size_t message_bytes_max = 1u << 30;
  size_t window_bytes = 1 << 20;  // bytes received and not yet read, per call; the bound of a lazy reader's memory
  std::string user_agent = "gauntlet";
};

class GrpcClientCall {
 public:
  virtual ~GrpcClientCall() = default;  // cancels a call that has not ended
  virtual Status Write(std::string_view message) = 0;
  virtual Status WritesDone() = 0;
  // Next answer message; false at the end of the stream, whatever its status: ask Finish(). Waits until `cancel` of the
  // call, or at most `timeout` if given (kDeadline "no message for ..."; the call stays open).
  virtual Result<bool> Read(std::string* message, std::optional<std::chrono::milliseconds> timeout = std::nullopt) = 0;
  // True when Read would not block.
  virtual bool Ready() const = 0;
  // Waits for the end of the call. REQUIRES: Read returned false or an error.
  virtual GrpcStatus Finish() = 0;
  virtual void Stop() = 0;
};

class GrpcChannel {
 public:
  // Does not connect yet. Connections are made on the first call, and again, with backoff, after a loss.
  static Result<std::unique_ptr<GrpcChannel>> Make(GrpcChannelOptions options);
  virtual ~GrpcChannel() = default;
  // Replaces the addresses (of a DNS name resolved again); connections to those that stay are kept.
  virtual void SetAddresses(std::vector<std::string> addresses) = 0;
  // Starts a call; its deadline travels as grpc-timeout. A dead connection shows in Read and Finish as Unavailable.
  // `wait_for_ready` keeps trying to connect until the deadline instead of failing at the first refusal.
  virtual std::unique_ptr<GrpcClientCall> Start(std::string_view method, const GrpcMetadata& metadata,
                                                const Cancel& cancel, bool wait_for_ready = false) = 0;
  // One request, one answer.
  Result<std::string> Unary(std::string_view method, std::string_view request, const GrpcMetadata& metadata,
                            const Cancel& cancel, bool wait_for_ready = false);
};

}  // namespace gauntlet::net
