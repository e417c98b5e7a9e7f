// Pipe: batches pushed by one thread and pulled by another, with a bound between them.
//
// Threads: Push and Close on the producer's thread, Next on the consumer's; Abandon on any.

#pragma once

#include <deque>
#include <memory>

#include "base/mutex.h"
#include "base/status.h"
#include "storeapi/store.h"

namespace gauntlet::storeapi {

class Pipe {
 public:
  explicit Pipe(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Blocks while the pipe is full. kCancelled once the consumer has gone.
  Status Push(SeriesBatchPtr batch);
  // No more comes: the end, or an error after what was pushed.
  void Close(Status end);

  Result<SeriesBatchPtr> Next();
  // The consumer goes: producers are woken and refused.
  void Abandon();
  // Waits for Close.
  void WaitClosed();

 private:
  const size_t bytes_max_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<SeriesBatchPtr> queue_ GN_GUARDED_BY(mutex_);
  size_t bytes_ GN_GUARDED_BY(mutex_) = 0;
  bool closed_ GN_GUARDED_BY(mutex_) = false;
  bool abandoned_ GN_GUARDED_BY(mutex_) = false;
  Status end_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::storeapi
