#include "net/grpc/server_session.h"

#include <utility>

#include "base/check.h"
#include "net/grpc/codec.h"
#include "net/grpc/wire.h"

namespace gauntlet::net {
namespace {

constexpr size_t kStatusMessageBytesMax = 16 << 10;  // peers limit the size of all headers
constexpr int kPingStrikesMax = 2;
constexpr std::chrono::hours kIdlePingTime{2};

void AppendStatus(const GrpcStatus& status, Http2Headers* headers) {
  headers->emplace_back("grpc-status", std::to_string(static_cast<int>(status.code)));
  if (status.message.empty()) return;
  std::string_view text = status.message;
  headers->emplace_back("grpc-message", EncodeGrpcMessage(text.substr(0, kStatusMessageBytesMax)));
}

GrpcStatus UnknownMethod(const std::string& path, const std::map<std::string, GrpcHandler>& methods) {
  size_t slash = path.rfind('/');
  if (path.empty() || path[0] != '/' || slash == 0) {
    return {GrpcCode::kUnimplemented, "malformed method name: \"" + path + "\""};
  }
  std::string service = path.substr(1, slash - 1);
  auto near = methods.lower_bound("/" + service + "/");
  if (near != methods.end() && near->first.starts_with("/" + service + "/")) {
    return {GrpcCode::kUnimplemented, "unknown method " + path.substr(slash + 1) + " for service " + service};
  }
  return {GrpcCode::kUnimplemented, "unknown service " + service};
}

// What the request's headers say; an error ends the call.
GrpcStatus ParseHead(const Http2Headers& headers, GrpcServerCallState::Head* head) {
  head->method = HeaderOf(headers, ":path");
  if (auto text = HeaderOf(headers, "grpc-timeout"); !text.empty()) {
    auto timeout = ParseGrpcTimeout(text);
    if (!timeout.ok()) return {GrpcCode::kInternal, std::string(timeout.status().message())};
    head->timeout = *timeout;
  }
  if (auto name = HeaderOf(headers, "grpc-encoding"); !name.empty()) {
    auto compression = ParseGrpcCompression(name);
    if (!compression) {
      return {GrpcCode::kUnimplemented,
              "grpc: Decompressor is not installed for grpc-encoding \"" + std::string(name) + "\""};
    }
    head->request_compression = *compression;
    // As grpc-go does: answers are compressed as the request was.
    auto accepted = HeaderOf(headers, "grpc-accept-encoding");
    if (accepted.empty() || AcceptsGrpcCompression(accepted, *compression)) head->response_compression = *compression;
  }
  for (const auto& [name, value] : headers) {
    if (name == ":authority") head->metadata.emplace(name, value);
    if (IsReservedGrpcHeader(name)) continue;
    Status added = AddGrpcMetadata(name, value, &head->metadata);
    if (!added.ok()) return {GrpcCode::kInternal, std::string(added.message())};
  }
  return {};
}

}  // namespace

// ---- GrpcServerCallState --------------------------------------------------------------------------------------------

GrpcServerCallState::GrpcServerCallState(Head head, const Cancel& server, const GrpcPipe::Limits& limits,
                                         size_t message_bytes_max)
    : head_(std::move(head)),
      message_bytes_max_(message_bytes_max),
      pipe_(limits),
      source_(server, head_.timeout ? std::optional(std::chrono::ceil<std::chrono::milliseconds>(*head_.timeout))
                                    : std::nullopt) {
  pipe_.SetReader(GrpcFrameReader(message_bytes_max, head_.request_compression));
  on_stop_ = source_.cancel().OnStop([this] { pipe_.Break(source_.cancel().status()); });
}

Result<bool> GrpcServerCallState::Read(std::string* message) {
  GrpcFrame frame;
  GN_ASSIGN(auto outcome, pipe_.Read(&frame, cancel().deadline()));
  if (outcome == GrpcPipe::ReadOutcome::kTimeout) return Status(Code::kDeadline, "deadline exceeded");
  if (outcome == GrpcPipe::ReadOutcome::kEnd) return false;
  GN_TRY(DecodeGrpcMessageFrame(head_.request_compression, message_bytes_max_, std::move(frame), message));
  return true;
}

Status GrpcServerCallState::Write(std::string_view message) {
  if (cancel().stopped()) return cancel().status();
  GN_ASSIGN(auto framed, EncodeGrpcMessageFrame(head_.response_compression, message));
  GN_ASSIGN(bool in_time, pipe_.Write(std::move(framed), cancel().deadline()));
  return in_time ? Status() : Status(Code::kDeadline, "deadline exceeded");
}

void GrpcServerCallState::Finish(GrpcStatus status) {
  final_status_ = std::move(status);
  pipe_.CloseOutput();
}

void GrpcServerCallState::Stop(const Status& why) { source_.Stop(why); }

// ---- GrpcServerSession ----------------------------------------------------------------------------------------------

GrpcServerSession::GrpcServerSession(const Http2Options& options, const Services& services, std::string peer_address,
                                     std::shared_ptr<Http2Mailbox> mailbox)
    : Http2Session(options),
      services_(services),
      peer_address_(std::move(peer_address)),
      mailbox_(std::move(mailbox)),
      handlers_(std::make_shared<std::atomic<size_t>>(0)) {}

void GrpcServerSession::OnHeaders(int32_t stream, Http2Headers headers, bool /*end_stream*/) {
  if (calls_.count(stream) != 0) return;  // trailers of a request mean nothing in gRPC
  if (HeaderOf(headers, ":method") != "POST") {
    return Refuse(stream, "405", {GrpcCode::kInternal, "gRPC is asked by POST"});
  }
  if (!IsGrpcContentType(HeaderOf(headers, "content-type"))) {
    return Refuse(stream, "415",
                  {GrpcCode::kInvalidArgument,
                   "invalid gRPC request content-type \"" + std::string(HeaderOf(headers, "content-type")) + "\""});
  }
  GrpcServerCallState::Head head;
  head.peer_address = peer_address_;
  GrpcStatus parsed = ParseHead(headers, &head);
  if (!parsed.ok()) return Refuse(stream, "200", parsed);
  auto method = services_.methods->find(head.method);
  if (method == services_.methods->end()) return Refuse(stream, "200", UnknownMethod(head.method, *services_.methods));
  if (handlers_->load() >= services_.calls_max) return Reset(stream, kRefusedStream);

  GrpcPipe::Limits limits;
  limits.window_bytes = services_.window_bytes;
  auto state =
      std::make_shared<GrpcServerCallState>(std::move(head), services_.cancel, limits, services_.message_bytes_max);
  state->pipe().Attach(mailbox_, stream);
  calls_[stream].state = state;
  handlers_->fetch_add(1);
  // The count goes down when the handler lets go of the call.
  std::shared_ptr<GrpcServerCallState> counted(state.get(),
                                               [state, handlers = handlers_](GrpcServerCallState*) mutable {
                                                 state.reset();
                                                 handlers->fetch_sub(1);
                                               });
  services_.run(std::move(counted), method->second);
}

void GrpcServerSession::Refuse(int32_t stream, const std::string& http_status, const GrpcStatus& status) {
  Http2Headers headers{{":status", http_status}, {"content-type", "application/grpc"}};
  if (http_status == "405") headers.emplace_back("allow", "POST");
  headers.emplace_back("grpc-accept-encoding", kGrpcAcceptEncoding);
  AppendStatus(status, &headers);
  SubmitResponse(stream, headers, false);
}

void GrpcServerSession::OnData(int32_t stream, std::string_view bytes) {
  auto it = calls_.find(stream);
  if (it == calls_.end()) return Consume(stream, bytes.size());
  GrpcPipe& pipe = it->second.state->pipe();
  auto credit = pipe.Receive(bytes);
  if (!credit.ok()) pipe.EndInput(credit.status());  // shows in the handler's Read
  Consume(stream, credit.ok() ? *credit : bytes.size());
}

void GrpcServerSession::OnRemoteEnd(int32_t stream) {
  auto it = calls_.find(stream);
  if (it == calls_.end()) return;
  GrpcPipe& pipe = it->second.state->pipe();
  pipe.EndInput(pipe.mid_message() ? Status(Code::kInternal, "the request ended within a message") : Status());
}

void GrpcServerSession::OnNotified(int32_t stream) {
  auto it = calls_.find(stream);
  if (it == calls_.end()) return;
  GrpcPipe::News news = it->second.state->pipe().TakeNews();
  Consume(stream, news.consumed);
  if (!news.output) return;
  if (it->second.answered) return ResumeOutput(stream);
  Answer(stream, it->second);
}

void GrpcServerSession::Answer(int32_t stream, Call& call) {
  call.answered = true;
  Http2Headers headers{{":status", "200"}, {"content-type", "application/grpc"}};
  auto compression = call.state->head().response_compression;
  bool end = false;
  bool has_body = call.state->pipe().AskOutput(1, &end) > 0;
  if (has_body && compression != GrpcCompression::kIdentity) {
    headers.emplace_back("grpc-encoding", GrpcCompressionName(compression));
  }
  headers.emplace_back("grpc-accept-encoding", kGrpcAcceptEncoding);
  if (!has_body) AppendStatus(call.state->final_status(), &headers);
  SubmitResponse(stream, headers, has_body);
}

Http2Session::Output GrpcServerSession::AskOutput(int32_t stream, size_t bytes_max) {
  auto it = calls_.find(stream);
  if (it == calls_.end()) return {0, true, false};
  Output output;
  output.bytes = it->second.state->pipe().AskOutput(bytes_max, &output.end);
  output.trailers = output.end;
  return output;
}

void GrpcServerSession::TakeOutput(int32_t stream, size_t bytes) {
  auto it = calls_.find(stream);
  GN_CHECK(it != calls_.end());
  it->second.state->pipe().TakeOutput(bytes, [this](Http2Slice slice) { AppendOutput(std::move(slice)); });
  ping_strikes_ = 0;  // a client that measures its path pings after data
}

void GrpcServerSession::OnOutputEnd(int32_t stream) {
  auto it = calls_.find(stream);
  if (it == calls_.end()) return;
  Http2Headers trailers;
  AppendStatus(it->second.state->final_status(), &trailers);
  SubmitTrailers(stream, trailers);
}

void GrpcServerSession::OnLocalEnd(int32_t stream) {
  ping_strikes_ = 0;
  // The answer is complete: what the client still sends is of no use.
  if (!RemoteEnded(stream)) Reset(stream, kNoError);
}

void GrpcServerSession::OnStreamClosed(int32_t stream, uint32_t error) {
  auto node = calls_.extract(stream);
  if (node.empty()) return;
  GrpcServerCallState& state = *node.mapped().state;
  state.pipe().Detach();
  if (error == kNoError) {
    // Both halves ended: the handler has returned, or the client has let go.
    state.Stop(Status(Code::kCancelled, "the call has ended"));
  } else {
    std::string how = error == kCancelStream ? "" : " (" + std::string(Http2ErrorName(error)) + ")";
    state.Stop(Status(Code::kCancelled, "the client cancelled the call" + how));
  }
}

void GrpcServerSession::OnConnectionLost(const Status& why) {
  auto calls = std::exchange(calls_, {});
  for (auto& [stream, call] : calls) {
    call.state->pipe().Detach();
    call.state->Stop(Status(Code::kCancelled, "the client went away: " + std::string(why.message())));
  }
}

void GrpcServerSession::Drain() {
  if (std::exchange(draining_, true)) return;
  AnnounceShutdown();
  Ping();
}

// All that the client sent before it heard of the shutdown has come: the last stream is known now.
void GrpcServerSession::OnPong() {
  if (draining_ && !goaway_sent()) GoAway(kNoError, "");
}

void GrpcServerSession::OnPing() {
  auto now = std::chrono::steady_clock::now();
  // A tenth less than promised: the clocks of clients are theirs.
  std::chrono::steady_clock::duration least = services_.keepalive_min_time * 9 / 10;
  if (calls_.empty()) least = kIdlePingTime;
  bool too_soon = last_ping_.time_since_epoch().count() != 0 && now - last_ping_ < least;
  last_ping_ = now;
  if (!too_soon || ++ping_strikes_ <= kPingStrikesMax) return;
  GoAway(kEnhanceYourCalm, "too_many_pings", true);
}

}  // namespace gauntlet::net
