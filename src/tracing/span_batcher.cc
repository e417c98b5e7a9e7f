#include "tracing/span_batcher.h"

#include <algorithm>
#include <deque>
#include <iterator>

#include "base/mutex.h"

namespace gauntlet::tracing {
namespace {

using std::chrono::steady_clock;

bool WorthRetrying(const Status& status) {
  return status.code() == Code::kUnavailable || status.code() == Code::kDeadline || status.code() == Code::kExhausted;
}

}  // namespace

class SpanBatcher::Rep {
 public:
  Rep(SpanBatcherOptions options, Send send, telemetry::Registry& registry, const telemetry::Logger& logger)
      : options_(std::move(options)),
        send_(std::move(send)),
        logger_(logger),
        exported_(registry.MakeCounter("gauntlet_tracing_spans_exported_total", "Spans that the collector took.")),
        dropped_(registry.MakeCounter("gauntlet_tracing_spans_dropped_total",
                                      "Spans dropped because the queue was full or sending failed.")) {}

  void Add(telemetry::SpanRecord span) {
    MutexLock lock(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_max) {
      dropped_.Add();
      return;
    }
    if (queue_.empty()) oldest_ = steady_clock::now();
    queue_.push_back(std::move(span));
    if (queue_.size() == 1 || queue_.size() >= options_.batch_max) changed_.NotifyAll();
  }

  // The task: until told to stop and nothing is left.
  void Work() {
    while (true) {
      std::vector<telemetry::SpanRecord> batch = NextBatch();
      if (batch.empty()) break;
      Status status = SendWithRetries(batch);
      auto size = static_cast<double>(batch.size());
      (status.ok() ? exported_ : dropped_).Add(size);
      if (!status.ok()) GN_LOG(logger_, kWarn, "spans were not exported", {"spans", batch.size()}, {"err", status});
      MutexLock lock(mutex_);
      sending_ = 0;
      changed_.NotifyAll();
    }
    MutexLock lock(mutex_);
    done_ = true;
    changed_.NotifyAll();
  }

  void Flush() {
    MutexLock lock(mutex_);
    ++flushing_;
    changed_.NotifyAll();
    while (!done_ && (!queue_.empty() || sending_ > 0)) changed_.Wait(mutex_);
    --flushing_;
  }

  void Stop() {
    auto until = steady_clock::now() + options_.shutdown_timeout;
    MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    while (!done_ && changed_.WaitUntil(mutex_, until)) {
    }
    if (!done_) {
      dropped_.Add(static_cast<double>(queue_.size()));
      queue_.clear();
      cancel_.Stop(Status(Code::kCancelled, "tracing is shutting down"));
      changed_.NotifyAll();
    }
    while (!done_) changed_.Wait(mutex_);
  }

 private:
  bool BatchIsDue() const GN_REQUIRES(mutex_) {
    if (queue_.empty()) return stopping_;
    return stopping_ || flushing_ > 0 || queue_.size() >= options_.batch_max ||
           steady_clock::now() >= oldest_ + options_.delay;
  }

  // Empty: the end.
  std::vector<telemetry::SpanRecord> NextBatch() {
    MutexLock lock(mutex_);
    while (!BatchIsDue()) {
      if (queue_.empty()) {
        changed_.Wait(mutex_);
      } else {
        changed_.WaitUntil(mutex_, oldest_ + options_.delay);
      }
    }
    size_t count = std::min(queue_.size(), options_.batch_max);
    std::vector<telemetry::SpanRecord> batch(std::make_move_iterator(queue_.begin()),
                                             std::make_move_iterator(queue_.begin() + static_cast<ptrdiff_t>(count)));
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(count));
    oldest_ = steady_clock::now();
    sending_ = count;
    return batch;
  }

  Status SendWithRetries(const std::vector<telemetry::SpanRecord>& batch) {
    auto give_up = steady_clock::now() + options_.retry.max_elapsed;
    auto pause = options_.retry.initial_interval;
    while (true) {
      CancelSource attempt(cancel_.cancel(), std::chrono::ceil<std::chrono::milliseconds>(options_.send_timeout));
      Status status = send_(batch, attempt.cancel());
      if (status.ok() || !options_.retry.enabled || !WorthRetrying(status)) return status;
      auto next = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(pause);
      if (next > give_up) return status;
      pause = std::min(pause * 3 / 2, options_.retry.max_interval);
      MutexLock lock(mutex_);
      // At the end there is one last attempt, without the pause.
      while (!stopping_ && changed_.WaitUntil(mutex_, next)) {
      }
      if (cancel_.cancel().stopped()) return status;
      if (stopping_) give_up = steady_clock::time_point::min();
    }
  }

  const SpanBatcherOptions options_;
  const Send send_;
  const telemetry::Logger logger_;
  telemetry::Counter& exported_;
  telemetry::Counter& dropped_;
  CancelSource cancel_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<telemetry::SpanRecord> queue_ GN_GUARDED_BY(mutex_);
  steady_clock::time_point oldest_ GN_GUARDED_BY(mutex_);
  size_t sending_ GN_GUARDED_BY(mutex_) = 0;
  int flushing_ GN_GUARDED_BY(mutex_) = 0;
  bool stopping_ GN_GUARDED_BY(mutex_) = false, done_ GN_GUARDED_BY(mutex_) = false;
};

SpanBatcher::SpanBatcher(SpanBatcherOptions options, Send send, telemetry::Registry& registry,
                         const telemetry::Logger& logger, Executor& executor)
    : rep_(std::make_shared<Rep>(std::move(options), std::move(send), registry, logger)) {
  executor.Run([rep = rep_] { rep->Work(); });
}

SpanBatcher::~SpanBatcher() { rep_->Stop(); }

telemetry::SpanExporter SpanBatcher::exporter() const {
  return [rep = rep_](telemetry::SpanRecord span) { rep->Add(std::move(span)); };
}

void SpanBatcher::Flush() { rep_->Flush(); }

}  // namespace gauntlet::tracing
