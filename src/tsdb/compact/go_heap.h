// GoHeap: a binary heap that moves its items as Go's container/heap does. Upstream's choice among equals follows from
// those moves, and so does ours.
//
// Upstream: Go container/heap
// Threads:  one thread at a time.

#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace gauntlet::tsdb {

template <typename T, typename Less>
class GoHeap {
 public:
  explicit GoHeap(Less less) : less_(std::move(less)) {}

  bool empty() const { return items_.empty(); }
  size_t size() const { return items_.size(); }
  // REQUIRES: not empty.
  const T& top() const { return items_.front(); }
  void Clear() { items_.clear(); }

  void Push(T item) {
    items_.push_back(std::move(item));
    for (size_t i = items_.size() - 1; i > 0;) {
      size_t parent = (i - 1) / 2;
      if (!less_(items_[i], items_[parent])) break;
      std::swap(items_[i], items_[parent]);
      i = parent;
    }
  }
  // REQUIRES: not empty.
  T Pop() {
    size_t n = items_.size() - 1;
    std::swap(items_[0], items_[n]);
    for (size_t i = 0;;) {
      size_t child = 2 * i + 1;
      if (child >= n) break;
      if (child + 1 < n && less_(items_[child + 1], items_[child])) ++child;
      if (!less_(items_[child], items_[i])) break;
      std::swap(items_[i], items_[child]);
      i = child;
    }
    T item = std::move(items_.back());
    items_.pop_back();
    return item;
  }

 private:
  Less less_;
  std::vector<T> items_;
};

}  // namespace gauntlet::tsdb
