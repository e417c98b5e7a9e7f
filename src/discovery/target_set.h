// TargetSet: the addresses that some discovery knows at the moment, and who wants to hear of changes.
//
// Threads: thread-safe.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace gauntlet::discovery {

class TargetSet {
 public:
  using Addresses = std::vector<std::string>;
  // Called one at a time, on the thread of the Set that changed something. Must not Set or drop its own subscription.
  using Callback = std::function<void(const Addresses&)>;

  // Ends the calls on destruction; afterwards the callback is not running and will not run. May outlive the set.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept = default;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { Reset(); }
    void Reset();

   private:
    friend class TargetSet;
    struct Callbacks;
    std::shared_ptr<Callbacks> callbacks_;
    uint64_t id_ = 0;
  };

  TargetSet();

  // Without duplicates, in the order of the last Set.
  Addresses Get() const;
  // Replaces all; true, and callbacks are called, when that changes which addresses there are.
  bool Set(Addresses addresses);
  // Calls `callback` at once with what is there, then at each change.
  [[nodiscard]] Subscription OnChange(Callback callback);

 private:
  const std::shared_ptr<Subscription::Callbacks> callbacks_;
  mutable Mutex mutex_;
  Addresses addresses_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::discovery
