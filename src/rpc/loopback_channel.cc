#include "rpc/loopback_channel.h"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;

// What client and handler share. Each side holds it; the one that goes last frees it.
class Session {
 public:
  Session(std::string method_name, net::GrpcMetadata metadata_in, const Cancel& parent, size_t window)
      : method(std::move(method_name)), metadata(std::move(metadata_in)), source(parent), window_(window) {
    wake_ = source.cancel().OnStop([this] {
      MutexLock lock(mutex_);
      changed_.NotifyAll();
    });
  }

  Status Push(bool to_server, std::string_view message) {
    MutexLock lock(mutex_);
    std::deque<std::string>& queue = to_server ? requests_ : answers_;
    while (queue.size() >= window_ && !source.cancel().stopped() && !status_) Wait(std::nullopt);
    if (source.cancel().stopped()) return source.cancel().status();
    if (status_) return Status(Code::kUnavailable, "the call has ended");
    queue.emplace_back(message);
    changed_.NotifyAll();
    return {};
  }

  Result<bool> PopRequest(std::string* message) {
    MutexLock lock(mutex_);
    while (requests_.empty() && !requests_done_ && !source.cancel().stopped()) Wait(std::nullopt);
    if (requests_.empty() && !requests_done_) return source.cancel().status();
    return Pop(requests_, message);
  }

  Result<bool> PopAnswer(std::string* message, std::optional<std::chrono::milliseconds> timeout) {
    std::optional<Cancel::TimePoint> until;
    if (timeout) until = std::chrono::steady_clock::now() + *timeout;
    MutexLock lock(mutex_);
    while (answers_.empty() && !status_ && !source.cancel().stopped()) {
      if (until && std::chrono::steady_clock::now() >= *until)
        return Status(Code::kDeadline, fmt::format("no message for {} ms", timeout->count()));
      Wait(until);
    }
    if (answers_.empty() && !status_) return source.cancel().status();
    return Pop(answers_, message);
  }

  bool AnswerReady() {
    MutexLock lock(mutex_);
    return !answers_.empty() || status_ || source.cancel().stopped();
  }

  void RequestsDone() {
    MutexLock lock(mutex_);
    requests_done_ = true;
    changed_.NotifyAll();
  }

  void SetStatus(GrpcStatus status) {
    MutexLock lock(mutex_);
    if (!status_) status_ = std::move(status);
    changed_.NotifyAll();
  }

  GrpcStatus WaitForStatus() {
    MutexLock lock(mutex_);
    while (!status_ && !source.cancel().stopped()) Wait(std::nullopt);
    return status_ ? *status_ : GrpcStatus(source.cancel().status());
  }

  const std::string method;
  const net::GrpcMetadata metadata;
  CancelSource source;

 private:
  void Wait(std::optional<Cancel::TimePoint> until) GN_REQUIRES(mutex_) {
    std::optional<Cancel::TimePoint> deadline = source.cancel().deadline();
    if (deadline && (!until || *deadline < *until)) until = deadline;
    if (until) {
      changed_.WaitUntil(mutex_, *until);
    } else {
      changed_.Wait(mutex_);
    }
  }
  Result<bool> Pop(std::deque<std::string>& queue, std::string* message) GN_REQUIRES(mutex_) {
    if (queue.empty()) return false;
    *message = std::move(queue.front());
    queue.pop_front();
    changed_.NotifyAll();
    return true;
  }

  const size_t window_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::string> requests_ GN_GUARDED_BY(mutex_), answers_ GN_GUARDED_BY(mutex_);
  bool requests_done_ GN_GUARDED_BY(mutex_) = false;
  std::optional<GrpcStatus> status_ GN_GUARDED_BY(mutex_);
  Cancel::Registration wake_;  // last: goes first
};

class ServerCall : public net::GrpcServerCall {
 public:
  explicit ServerCall(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  const std::string& method() const override { return session_->method; }
  const net::GrpcMetadata& metadata() const override { return session_->metadata; }
  const std::string& peer_address() const override { return peer_; }
  const Cancel& cancel() const override { return session_->source.cancel(); }
  Result<bool> Read(std::string* message) override { return session_->PopRequest(message); }
  Status Write(std::string_view message) override { return session_->Push(false, message); }

 private:
  const std::shared_ptr<Session> session_;
  const std::string peer_ = "loopback";
};

class ClientCall : public net::GrpcClientCall {
 public:
  explicit ClientCall(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  ~ClientCall() override { session_->source.Stop(); }
  Status Write(std::string_view message) override { return session_->Push(true, message); }
  Status WritesDone() override {
    session_->RequestsDone();
    return {};
  }
  Result<bool> Read(std::string* message, std::optional<std::chrono::milliseconds> timeout) override {
    return session_->PopAnswer(message, timeout);
  }
  bool Ready() const override { return session_->AnswerReady(); }
  GrpcStatus Finish() override { return session_->WaitForStatus(); }
  void Stop() override { session_->source.Stop(); }

 private:
  const std::shared_ptr<Session> session_;
};

}  // namespace

LoopbackChannel::LoopbackChannel(MethodMap methods, Executor& executor, net::GrpcServer::Interceptor interceptor,
                                 size_t window)
    : methods_(std::move(methods)), executor_(executor), interceptor_(std::move(interceptor)), window_(window) {}

LoopbackChannel::~LoopbackChannel() = default;

std::unique_ptr<net::GrpcClientCall> LoopbackChannel::Start(std::string_view method, const net::GrpcMetadata& metadata,
                                                            const Cancel& cancel, bool /*wait_for_ready*/) {
  auto session = std::make_shared<Session>(std::string(method), metadata, cancel, window_);
  auto found = methods_.find(session->method);
  if (found == methods_.end()) {
    session->SetStatus({GrpcCode::kUnimplemented, fmt::format("unknown method {}", method)});
  } else {
    executor_.Run([session, handler = found->second, interceptor = interceptor_] {
      ServerCall call(session);
      session->SetStatus(interceptor ? interceptor(call, handler) : handler(call));
    });
  }
  return std::make_unique<ClientCall>(std::move(session));
}

}  // namespace gauntlet::rpc
