#include "cache/async_puts.h"

#include <utility>

namespace gauntlet::cache {
namespace {

size_t BytesOf(const PutItem& item) { return sizeof(item) + item.key.size() + item.value.size(); }

}  // namespace

AsyncPuts::~AsyncPuts() {
  MutexLock lock(mutex_);
  queue_.clear();
  bytes_ = 0;
  while (workers_ > 0) changed_.Wait(mutex_);
}

bool AsyncPuts::Add(PutItem item) {
  size_t bytes = BytesOf(item);
  bool start = false;
  {
    MutexLock lock(mutex_);
    if (queue_.size() >= options_.items_max || bytes_ + bytes > options_.bytes_max) return false;
    bytes_ += bytes;
    queue_.push_back(std::move(item));
    start = workers_ < options_.concurrency && queue_.size() > workers_ * options_.batch_items_max;
    if (start) ++workers_;
  }
  if (start) executor_.Run([this] { Work(); });
  return true;
}

void AsyncPuts::Drain() {
  MutexLock lock(mutex_);
  while (workers_ > 0) changed_.Wait(mutex_);
}

void AsyncPuts::Work() {
  while (true) {
    std::vector<PutItem> batch;
    {
      MutexLock lock(mutex_);
      size_t bytes = 0;
      while (!queue_.empty() && batch.size() < options_.batch_items_max && bytes < options_.batch_bytes_max) {
        bytes += BytesOf(queue_.front());
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      bytes_ -= bytes;
      if (batch.empty()) {
        --workers_;
        changed_.NotifyAll();
        return;
      }
    }
    write_(std::move(batch));
  }
}

}  // namespace gauntlet::cache
