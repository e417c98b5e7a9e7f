#include "rpc/observed_channel.h"

#include <chrono>
#include <optional>
#include <utility>

#include "rpc/context.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;

// Counts the call's end once: at Finish(), or when it is dropped, by what it said last.
class ObservedClientCall : public net::GrpcClientCall {
 public:
  ObservedClientCall(std::unique_ptr<net::GrpcClientCall> call, const ClientInstruments& instruments,
                     const CallMetrics::Method* method, telemetry::Span span)
      : call_(std::move(call)),
        instruments_(instruments),
        method_(method),
        span_(std::move(span)),
        start_(instruments.clock->Now()) {}

  ~ObservedClientCall() override {
    if (ended_) return;
    if (end_of_stream_) {
      End(call_->Finish());
    } else {
      End(error_ ? *error_ : GrpcStatus(GrpcCode::kCancelled, "dropped by the caller"));
    }
  }

  Status Write(std::string_view message) override {
    Status written = call_->Write(message);
    if (written.ok() && method_ != nullptr) method_->sent.Add();
    return written;
  }
  Status WritesDone() override { return call_->WritesDone(); }
  Result<bool> Read(std::string* message, std::optional<std::chrono::milliseconds> timeout) override {
    Result<bool> read = call_->Read(message, timeout);
    if (!read.ok()) {
      error_ = read.status();
    } else if (*read) {
      error_.reset();  // the error before was of a timeout
      if (method_ != nullptr) method_->received.Add();
    } else {
      end_of_stream_ = true;
    }
    return read;
  }
  bool Ready() const override { return call_->Ready(); }
  GrpcStatus Finish() override {
    GrpcStatus status = call_->Finish();
    End(status);
    return status;
  }
  void Stop() override { call_->Stop(); }

 private:
  void End(const GrpcStatus& status) {
    if (std::exchange(ended_, true)) return;
    if (!status.ok()) span_.SetError(status.message);
    span_ = telemetry::Span();
    if (method_ == nullptr) return;
    double seconds = std::chrono::duration<double>(instruments_.clock->Now() - start_).count();
    instruments_.metrics->Handled(*method_, status.code, seconds);
  }

  const std::unique_ptr<net::GrpcClientCall> call_;
  const ClientInstruments instruments_;
  const CallMetrics::Method* const method_;
  telemetry::Span span_;
  const std::chrono::steady_clock::time_point start_;
  std::optional<GrpcStatus> error_;
  bool end_of_stream_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<net::GrpcClientCall> ObservedChannel::Start(std::string_view method, const net::GrpcMetadata& metadata,
                                                            const Cancel& cancel, bool wait_for_ready) {
  const CallMetrics::Method* counted = nullptr;
  if (instruments_.metrics != nullptr) {
    counted = &instruments_.metrics->Of(method);
    counted->started.Add();
  }
  net::GrpcMetadata sent = metadata;
  telemetry::Span span;
  if (instruments_.tracer != nullptr) {
    telemetry::SpanContext parent;
    auto found = sent.find(std::string(kTraceparentMetadata));
    if (found != sent.end()) parent = telemetry::SpanContext::FromTraceparent(found->second).value_or(parent);
    span = instruments_.tracer->Start(method, parent, telemetry::SpanRecord::Kind::kClient);
    span.SetAttribute("rpc.system", "grpc");
    if (span.context().valid()) {
      sent.erase(std::string(kTraceparentMetadata));
      sent.emplace(kTraceparentMetadata, span.context().ToTraceparent());
    }
  }
  auto call = channel_->Start(method, sent, cancel, wait_for_ready);
  return std::make_unique<ObservedClientCall>(std::move(call), instruments_, counted, std::move(span));
}

}  // namespace gauntlet::rpc
