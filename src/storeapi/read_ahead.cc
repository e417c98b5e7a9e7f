// A task on the executor fills a bounded queue. When the queue is full the task ends instead of waiting, and the
// consumer starts it again once half is gone: a slow consumer costs no thread.

#include <deque>
#include <utility>

#include "base/executor.h"
#include "base/mutex.h"
#include "storeapi/stream_adapters.h"

namespace gauntlet::storeapi {
namespace {

class ReadAheadStream : public SeriesStream {
 public:
  ReadAheadStream(std::unique_ptr<SeriesStream> inner, std::shared_ptr<CancelSource> call, Executor& executor,
                  ReadAheadLimits limits)
      : inner_(std::move(inner)), call_(std::move(call)), executor_(executor), limits_(limits) {
    MutexLock lock(mutex_);
    Resume();
  }

  ~ReadAheadStream() override {
    call_->Stop();
    MutexLock lock(mutex_);
    abandoned_ = true;
    while (pulling_) changed_.Wait(mutex_);
  }

  Result<SeriesBatchPtr> Next() override {
    MutexLock lock(mutex_);
    while (queue_.empty() && !ended_) changed_.Wait(mutex_);
    if (queue_.empty()) {
      if (!end_.ok()) return end_;
      return SeriesBatchPtr();
    }
    SeriesBatchPtr batch = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= batch->memory_bytes();
    if (!pulling_ && !ended_ && queue_.size() <= limits_.batches_max / 2 && queued_bytes_ <= limits_.bytes_max / 2)
      Resume();
    return batch;
  }

  std::vector<std::string> TakeWarnings() override {
    MutexLock lock(mutex_);
    return std::exchange(warnings_, {});
  }

 private:
  void Resume() GN_REQUIRES(mutex_) {
    pulling_ = true;
    executor_.Run([this] { Pull(); });
  }

  void Pull() {
    while (true) {
      Result<SeriesBatchPtr> next = inner_->Next();
      std::vector<std::string> warnings = inner_->TakeWarnings();
      MutexLock lock(mutex_);
      for (auto& warning : warnings) warnings_.push_back(std::move(warning));
      if (!next.ok() || *next == nullptr) {
        ended_ = true;
        end_ = next.status();
      } else {
        queued_bytes_ += (*next)->memory_bytes();
        queue_.push_back(*std::move(next));
      }
      bool full = queue_.size() >= limits_.batches_max || queued_bytes_ >= limits_.bytes_max;
      if (ended_ || full || abandoned_) pulling_ = false;
      changed_.NotifyAll();
      if (!pulling_) return;
    }
  }

  const std::unique_ptr<SeriesStream> inner_;  // used by the one running Pull
  const std::shared_ptr<CancelSource> call_;
  Executor& executor_;
  const ReadAheadLimits limits_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<SeriesBatchPtr> queue_ GN_GUARDED_BY(mutex_);
  size_t queued_bytes_ GN_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> warnings_ GN_GUARDED_BY(mutex_);
  bool pulling_ GN_GUARDED_BY(mutex_) = false;
  bool ended_ GN_GUARDED_BY(mutex_) = false;
  bool abandoned_ GN_GUARDED_BY(mutex_) = false;
  Status end_ GN_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<SeriesStream> ReadAhead(std::unique_ptr<SeriesStream> inner, std::shared_ptr<CancelSource> call,
                                        Executor& executor, ReadAheadLimits limits) {
  return std::make_unique<ReadAheadStream>(std::move(inner), std::move(call), executor, limits);
}

}  // namespace gauntlet::storeapi
