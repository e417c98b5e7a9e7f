#include "base/memory_budget.h"

#include "base/check.h"

namespace gauntlet {

MemoryBudget::MemoryBudget(std::string name, size_t limit_bytes, MemoryBudget* parent)
    : name_(std::move(name)), limit_(limit_bytes), parent_(parent) {}

MemoryBudget::~MemoryBudget() { GN_DCHECK(used_.load() == 0); }

Status MemoryBudget::Charge(size_t bytes, std::string_view where) {
  size_t now = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (limit_ != 0 && now > limit_) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    return Status(Code::kExhausted, name_ + " used " + std::to_string(now) + " of " + std::to_string(limit_) +
                                        " bytes in " + std::string(where));
  }
  if (parent_ != nullptr) {
    if (Status st = parent_->Charge(bytes, where); !st.ok()) {
      used_.fetch_sub(bytes, std::memory_order_relaxed);
      return st;
    }
  }
  size_t peak = peak_.load(std::memory_order_relaxed);
  while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return Status();
}

void MemoryBudget::Release(size_t bytes) {
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  if (parent_ != nullptr) parent_->Release(bytes);
}

Status MemoryCharge::Grow(size_t bytes) {
  if (budget_ == nullptr || bytes == 0) return Status();
  GN_TRY(budget_->Charge(bytes, where_));
  bytes_ += bytes;
  return Status();
}

Status MemoryCharge::Set(size_t bytes) {
  if (bytes > bytes_) return Grow(bytes - bytes_);
  if (budget_ != nullptr) budget_->Release(bytes_ - bytes);
  if (budget_ != nullptr) bytes_ = bytes;
  return Status();
}

void MemoryCharge::Clear() {
  if (budget_ != nullptr && bytes_ > 0) budget_->Release(bytes_);
  bytes_ = 0;
}

}  // namespace gauntlet
