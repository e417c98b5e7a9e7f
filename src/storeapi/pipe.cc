#include "storeapi/pipe.h"

#include <utility>

namespace gauntlet::storeapi {

Status Pipe::Push(SeriesBatchPtr batch) {
  MutexLock lock(mutex_);
  while (bytes_ >= bytes_max_ && !abandoned_) changed_.Wait(mutex_);
  if (abandoned_) return Status(Code::kCancelled, "the reader of the series went away");
  bytes_ += batch->memory_bytes();
  queue_.push_back(std::move(batch));
  changed_.NotifyAll();
  return Status();
}

void Pipe::Close(Status end) {
  MutexLock lock(mutex_);
  closed_ = true;
  end_ = std::move(end);
  changed_.NotifyAll();
}

Result<SeriesBatchPtr> Pipe::Next() {
  MutexLock lock(mutex_);
  while (queue_.empty() && !closed_) changed_.Wait(mutex_);
  if (queue_.empty()) {
    if (!end_.ok()) return end_;
    return SeriesBatchPtr();
  }
  SeriesBatchPtr batch = std::move(queue_.front());
  queue_.pop_front();
  bytes_ -= batch->memory_bytes();
  changed_.NotifyAll();
  return batch;
}

void Pipe::Abandon() {
  MutexLock lock(mutex_);
  abandoned_ = true;
  changed_.NotifyAll();
}

void Pipe::WaitClosed() {
  MutexLock lock(mutex_);
  while (!closed_) changed_.Wait(mutex_);
}

}  // namespace gauntlet::storeapi
