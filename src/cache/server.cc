#include "cache/server.h"

#include <algorithm>
#include <utility>

namespace gauntlet::cache {

using SteadyClock = std::chrono::steady_clock;

Connection::Connection(std::unique_ptr<net::BlockingStream> stream)
    : stream_(std::move(stream)), replies_([this](char* to, size_t n) {
        Result<size_t> got = stream_->Read(to, n, cancel_);
        failed_ = failed_ || !got.ok();
        return got;
      }) {}

Status Connection::Write(std::string_view bytes) {
  Status written = stream_->Write(bytes, cancel_);
  failed_ = failed_ || !written.ok();
  return written;
}

Status Server::CheckRest() {
  MutexLock lock(mutex_);
  if (failures_ < options_.failures_max) return Status();
  auto now = SteadyClock::now();
  if (now < rests_until_)
    return Status(Code::kUnavailable, "cache server " + options_.address + " is left alone for a while");
  rests_until_ = now + options_.rest_max;  // this one tries it, others do not
  return Status();
}

Server::ConnectionPtr Server::TakeIdle() {
  while (true) {
    ConnectionPtr connection;
    {
      MutexLock lock(mutex_);
      if (idle_.empty()) return nullptr;
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
    if (!connection->stale()) return connection;
  }
}

Result<Server::ConnectionPtr> Server::Connect(const Cancel& cancel) {
  CancelSource dial(cancel, options_.dial_timeout);
  GN_ASSIGN(auto stream,
            net::BlockingStream::Connect(options_.address, options_.tls ? &*options_.tls : nullptr, dial.cancel()));
  auto connection = std::make_unique<Connection>(std::move(stream));
  connection->Use(dial.cancel());
  if (options_.greet) GN_TRY(options_.greet(*connection).Wrap("greet " + options_.address));
  return connection;
}

Status Server::Run(ConnectionPtr connection, const Exchange& exchange, const Cancel& cancel, bool* broke) {
  CancelSource question(cancel, options_.timeout);
  connection->Use(question.cancel());
  Status done = exchange(*connection);
  *broke = !connection->reusable() || done.code() == Code::kCorrupt;
  if (*broke) return std::move(done).Wrap("ask " + options_.address);
  connection->Use(Cancel());
  MutexLock lock(mutex_);
  if (idle_.size() < options_.idle_max) idle_.push_back(std::move(connection));
  return done;
}

void Server::Tell(bool failed) {
  MutexLock lock(mutex_);
  if (!failed) {
    failures_ = 0;
    return;
  }
  ++failures_;
  auto rest = options_.rest_min * (1 << std::clamp(failures_ - options_.failures_max, 0, 10));
  rests_until_ = SteadyClock::now() + std::min(rest, options_.rest_max);
}

Status Server::Ask(const Exchange& exchange, const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(CheckRest());
  bool broke = false;
  if (ConnectionPtr kept = TakeIdle(); kept != nullptr) {
    Status done = Run(std::move(kept), exchange, cancel, &broke);
    if (!broke || done.code() == Code::kCorrupt || done.code() == Code::kDeadline || cancel.stopped()) {
      if (!cancel.stopped()) Tell(broke);
      return done;
    }
  }
  Result<ConnectionPtr> fresh = Connect(cancel);
  if (!fresh.ok()) {
    if (!cancel.stopped()) Tell(true);
    return fresh.status();
  }
  Status done = Run(*std::move(fresh), exchange, cancel, &broke);
  if (!cancel.stopped()) Tell(broke);
  return done;
}

}  // namespace gauntlet::cache
