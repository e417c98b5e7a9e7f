#include "discovery/target_set.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace gauntlet::discovery {

// Its lock is held while callbacks run, and comes before the set's own.
struct TargetSet::Subscription::Callbacks {
  Mutex mutex;
  std::map<uint64_t, Callback> all GN_GUARDED_BY(mutex);
  uint64_t last_id GN_GUARDED_BY(mutex) = 0;
};

TargetSet::Subscription& TargetSet::Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  Reset();
  callbacks_ = std::move(other.callbacks_);
  id_ = other.id_;
  return *this;
}

void TargetSet::Subscription::Reset() {
  if (!callbacks_) return;
  {
    MutexLock lock(callbacks_->mutex);
    callbacks_->all.erase(id_);
  }
  callbacks_.reset();
}

TargetSet::TargetSet() : callbacks_(std::make_shared<Subscription::Callbacks>()) {}

TargetSet::Addresses TargetSet::Get() const {
  MutexLock lock(mutex_);
  return addresses_;
}

bool TargetSet::Set(Addresses addresses) {
  std::unordered_set<std::string> seen;
  std::erase_if(addresses, [&](const std::string& address) { return !seen.insert(address).second; });
  MutexLock notify(callbacks_->mutex);
  {
    MutexLock lock(mutex_);
    bool same = seen.size() == addresses_.size() &&
                std::all_of(addresses_.begin(), addresses_.end(), [&](const auto& a) { return seen.contains(a); });
    addresses_ = addresses;
    if (same) return false;
  }
  for (const auto& [id, callback] : callbacks_->all) callback(addresses);
  return true;
}

TargetSet::Subscription TargetSet::OnChange(Callback callback) {
  Subscription subscription;
  MutexLock notify(callbacks_->mutex);
  callback(Get());
  subscription.callbacks_ = callbacks_;
  subscription.id_ = ++callbacks_->last_id;
  callbacks_->all[subscription.id_] = std::move(callback);
  return subscription;
}

}  // namespace gauntlet::discovery
