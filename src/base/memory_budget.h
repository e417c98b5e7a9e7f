// MemoryBudget: a limit on bytes, nested (query in process), charged before the bytes are allocated.
//
// A query that does not fit ends with an error that names where it grew; the process never dies of it.
// Threads: MemoryBudget is thread-safe; a MemoryCharge is for one thread at a time.

#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace gauntlet {

class MemoryBudget {
 public:
  // `limit_bytes` 0 = none. `name` opens the error: "query". The parent must outlive this.
  MemoryBudget(std::string name, size_t limit_bytes, MemoryBudget* parent = nullptr);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // kExhausted "NAME used N of M bytes in WHERE" when this or a parent would go over; then nothing is charged.
  Status Charge(size_t bytes, std::string_view where);
  void Release(size_t bytes);

  size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }
  size_t peak_bytes() const { return peak_.load(std::memory_order_relaxed); }
  size_t limit_bytes() const { return limit_; }

 private:
  const std::string name_;
  const size_t limit_;
  MemoryBudget* const parent_;
  std::atomic<size_t> used_{0};
  std::atomic<size_t> peak_{0};
};

// Bytes that one owner has charged; gives them back when it goes.
class MemoryCharge {
 public:
  // `where` is kept by reference: a literal, or a string that outlives this.
  MemoryCharge(MemoryBudget* budget, std::string_view where) : budget_(budget), where_(where) {}
  MemoryCharge(MemoryCharge&& other) noexcept
      : budget_(other.budget_), where_(other.where_), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryCharge& operator=(MemoryCharge&&) = delete;
  ~MemoryCharge() { Clear(); }

  // Charges `bytes` more.
  Status Grow(size_t bytes);
  // Charges or releases the difference to what is held.
  Status Set(size_t bytes);
  void Clear();
  size_t bytes() const { return bytes_; }

 private:
  MemoryBudget* budget_;  // null = uncounted
  std::string_view where_;
  size_t bytes_ = 0;
};

}  // namespace gauntlet
