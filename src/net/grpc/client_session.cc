#include "net/grpc/client_session.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "net/grpc/wire.h"

namespace gauntlet::net {
namespace {

constexpr size_t kHttpBodyBytesMax = 512;  // of an answer that is not gRPC, for the error's text
constexpr int kUnsentMax = 3;

}  // namespace

// ---- GrpcClientCallState --------------------------------------------------------------------------------------------

void GrpcClientCallState::SetHint(const std::string& hint) {
  MutexLock lock(mutex_);
  hint_ = hint;
}

std::string GrpcClientCallState::hint() const {
  MutexLock lock(mutex_);
  return hint_;
}

void GrpcClientCallState::End(const GrpcStatus& status, bool by_server) {
  {
    MutexLock lock(mutex_);
    if (final_) return;
    final_ = status;
  }
  pipe_.End(by_server ? Status() : status.ToStatus());
}

GrpcStatus GrpcClientCallState::final_status() const {
  Status broken = pipe_.broken();
  if (!broken.ok()) return broken;
  MutexLock lock(mutex_);
  return final_ ? *final_ : GrpcStatus(GrpcCode::kInternal, "the call has not ended");
}

// ---- GrpcClientSession ----------------------------------------------------------------------------------------------

GrpcClientSession::GrpcClientSession(const Http2Options& options, Services services,
                                     std::shared_ptr<Http2Mailbox> mailbox)
    : Http2Session(options), services_(std::move(services)), mailbox_(std::move(mailbox)) {}

GrpcStatus GrpcClientSession::Fault(GrpcCode code, const std::string& what) const {
  return {code, services_.address + ": " + what};
}

// A server that speaks something else is named for what it is, not for the frame error that its bytes make.
Status GrpcClientSession::Receive(std::string_view bytes) {
  if (!std::exchange(began_, true)) {
    if (bytes.starts_with("HTTP/1")) {
      return Status(Code::kUnavailable,
                    "the server speaks HTTP/1: " +
                        std::string(bytes.substr(0, std::min(bytes.find_first_of("\r\n"), kHttpBodyBytesMax))));
    }
    if (bytes.starts_with("\x15\x03")) return Status(Code::kUnavailable, "the server expects TLS");
  }
  return Http2Session::Receive(bytes);
}

Http2Headers GrpcClientSession::RequestHeaders(const GrpcClientCallState& call) const {
  Http2Headers headers{{":method", "POST"},
                       {":scheme", services_.scheme},
                       {":path", call.method()},
                       {":authority", services_.authority},
                       {"content-type", "application/grpc"},
                       {"user-agent", services_.user_agent},
                       {"te", "trailers"}};
  if (call.request_compression() != GrpcCompression::kIdentity) {
    headers.emplace_back("grpc-encoding", GrpcCompressionName(call.request_compression()));
  }
  headers.emplace_back("grpc-accept-encoding", kGrpcAcceptEncoding);
  if (auto deadline = call.cancel().deadline()) {
    headers.emplace_back("grpc-timeout", FormatGrpcTimeout(*deadline - std::chrono::steady_clock::now()));
  }
  AppendGrpcMetadata(call.metadata(), &headers);
  return headers;
}

bool GrpcClientSession::StartCall(const std::shared_ptr<GrpcClientCallState>& call) {
  int32_t stream = SubmitRequest(RequestHeaders(*call));
  if (stream < 0) return false;
  call->SetHint(services_.address);
  calls_[stream].state = call;
  call->pipe().Attach(mailbox_, stream);
  OnNotified(stream);  // what happened while there was nobody to tell
  return true;
}

GrpcClientSession::Call* GrpcClientSession::Find(int32_t stream) {
  auto it = calls_.find(stream);
  return it == calls_.end() || it->second.over ? nullptr : &it->second;
}

void GrpcClientSession::OnHeaders(int32_t stream, Http2Headers headers, bool end_stream) {
  Call* call = Find(stream);
  if (call == nullptr) return;
  if (call->answered) return OnTrailers(stream, *call, headers, end_stream);
  if (HeaderOf(headers, ":status").starts_with('1')) return;  // more is to come
  OnAnswer(stream, *call, headers, end_stream);
}

void GrpcClientSession::OnAnswer(int32_t stream, Call& call, const Http2Headers& headers, bool end_stream) {
  call.answered = true;
  call.state->pipe().ForgetSent();
  std::string status(HeaderOf(headers, ":status")), type(HeaderOf(headers, "content-type"));
  bool is_grpc = IsGrpcContentType(type);
  if (is_grpc && !HeaderOf(headers, "grpc-status").empty()) return OnTrailers(stream, call, headers, end_stream);
  if (status != "200" || !is_grpc) {
    call.http_code = status == "200" ? GrpcCode::kUnknown : GrpcCodeFromHttpStatus(std::atoi(status.c_str()));
    call.http_error = "HTTP status " + status + ", content-type \"" + type + "\" instead of gRPC: ";
    return;
  }
  auto compression = GrpcCompression::kIdentity;
  if (auto name = HeaderOf(headers, "grpc-encoding"); !name.empty()) {
    auto known = ParseGrpcCompression(name);
    if (!known) {
      GrpcStatus fault = Fault(GrpcCode::kInternal, "unknown grpc-encoding \"" + std::string(name) + "\"");
      return EndCall(stream, fault, false, end_stream);
    }
    compression = *known;
  }
  call.state->SetResponseCompression(compression);
  call.state->pipe().SetReader(GrpcFrameReader(services_.message_bytes_max, compression));
}

void GrpcClientSession::OnTrailers(int32_t stream, Call& call, const Http2Headers& headers, bool end_stream) {
  auto code = HeaderOf(headers, "grpc-status");
  if (code.empty()) return;  // OnRemoteEnd says so
  GrpcStatus status(ParseGrpcCode(code), DecodeGrpcMessage(HeaderOf(headers, "grpc-message")));
  if (status.ok() && call.state->pipe().mid_message()) {
    return EndCall(stream, Fault(GrpcCode::kInternal, "the answer ended within a message"), false, end_stream);
  }
  EndCall(stream, status, true, end_stream);
}

void GrpcClientSession::OnData(int32_t stream, std::string_view bytes) {
  Call* call = Find(stream);
  if (call == nullptr) return Consume(stream, bytes.size());
  if (!call->http_error.empty()) {
    call->http_error += bytes.substr(0, kHttpBodyBytesMax - std::min(kHttpBodyBytesMax, call->http_error.size()));
    return Consume(stream, bytes.size());
  }
  auto credit = call->state->pipe().Receive(bytes);
  if (credit.ok()) return Consume(stream, *credit);
  Consume(stream, bytes.size());
  Status error = credit.status();
  EndCall(stream, Fault(ToGrpcCode(error.code()), std::string(error.message())), false, false);
}

void GrpcClientSession::OnRemoteEnd(int32_t stream) {
  Call* call = Find(stream);
  if (call == nullptr) return;
  if (call->http_error.empty()) {
    GrpcStatus fault = Fault(GrpcCode::kInternal, "the server closed the stream without a grpc-status");
    return EndCall(stream, fault, false, true);
  }
  std::string text = call->http_error;
  while (text.ends_with(' ') || text.ends_with(':') || text.ends_with('\n')) text.pop_back();
  EndCall(stream, Fault(call->http_code, text), false, true);
}

void GrpcClientSession::EndCall(int32_t stream, const GrpcStatus& status, bool by_server, bool remote_ended) {
  Call* call = Find(stream);
  if (call == nullptr) return;
  call->over = true;
  call->state->pipe().Detach();
  call->state->End(status, by_server);
  if (!remote_ended) {
    Reset(stream, kCancelStream);
  } else if (!LocalEnded(stream)) {
    Reset(stream, kNoError);
  }
}

void GrpcClientSession::OnStreamClosed(int32_t stream, uint32_t error) {
  auto node = calls_.extract(stream);
  if (node.empty() || node.mapped().over) return;
  Call& call = node.mapped();
  GrpcClientCallState& state = *call.state;
  state.pipe().Detach();
  if (error == kRefusedStream && !call.answered && state.refusals++ == 0 && state.pipe().Rewind()) {
    return services_.again(call.state);
  }
  auto deadline = state.cancel().deadline();
  if (error == kCancelStream && deadline && std::chrono::steady_clock::now() >= *deadline) {
    return state.End(Fault(GrpcCode::kDeadlineExceeded, "deadline exceeded"), false);
  }
  std::string what = "the server reset the stream with " + std::string(Http2ErrorName(error));
  state.End(Fault(GrpcCodeFromHttp2Error(error), what), false);
}

void GrpcClientSession::OnRequestSent(int32_t stream) {
  if (Call* call = Find(stream)) call->sent = true;
}

void GrpcClientSession::OnRequestNotSent(int32_t stream) {
  auto node = calls_.extract(stream);
  if (node.empty() || node.mapped().over) return;
  GrpcStatus fault = Fault(GrpcCode::kUnavailable, "the connection takes no more calls");
  PutBack(node.mapped(), fault);
}

// The server has not seen the call: another connection may take it.
void GrpcClientSession::PutBack(Call& call, const GrpcStatus& otherwise) {
  call.state->pipe().Detach();
  if (call.state->unsent++ < kUnsentMax && call.state->pipe().Rewind()) return services_.again(call.state);
  call.state->End(otherwise, false);
}

void GrpcClientSession::OnConnectionLost(const Status& why) {
  GrpcStatus fault(GrpcCode::kUnavailable, std::string(why.message()));
  for (auto& [stream, call] : std::exchange(calls_, {})) {
    if (call.over) continue;
    if (!call.sent) {
      PutBack(call, fault);
      continue;
    }
    call.state->pipe().Detach();
    call.state->End(fault, false);
  }
}

void GrpcClientSession::OnGoAway(uint32_t error, std::string_view text) {
  services_.on_goaway(*this, error == kEnhanceYourCalm && text == "too_many_pings");
}

void GrpcClientSession::OnNotified(int32_t stream) {
  Call* call = Find(stream);
  if (call == nullptr) return;
  GrpcPipe& pipe = call->state->pipe();
  GrpcPipe::News news = pipe.TakeNews();
  Consume(stream, news.consumed);
  if (news.broken) {
    pipe.Detach();
    call->over = true;
    return Reset(stream, kCancelStream);
  }
  if (news.output) ResumeOutput(stream);
}

Http2Session::Output GrpcClientSession::AskOutput(int32_t stream, size_t bytes_max) {
  Call* call = Find(stream);
  Output output;  // nothing, for ever, of a stream that is being reset
  if (call != nullptr) output.bytes = call->state->pipe().AskOutput(bytes_max, &output.end);
  return output;
}

void GrpcClientSession::TakeOutput(int32_t stream, size_t bytes) {
  auto it = calls_.find(stream);
  GN_CHECK(it != calls_.end());
  it->second.state->pipe().TakeOutput(bytes, [this](Http2Slice slice) { AppendOutput(std::move(slice)); });
}

}  // namespace gauntlet::net
