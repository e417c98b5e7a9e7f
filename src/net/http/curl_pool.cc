#include "net/http/curl_pool.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "net/http/no_sigpipe.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookEvery{1'000};

void InitCurl() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  GN_CHECK(done);
}

}  // namespace

class CurlPool::Share {
 public:
  Share() : share_(curl_share_init()) {
    GN_CHECK(share_ != nullptr);
    curl_share_setopt(share_, CURLSHOPT_USERDATA, this);
    curl_share_setopt(share_, CURLSHOPT_LOCKFUNC, Lock);
    curl_share_setopt(share_, CURLSHOPT_UNLOCKFUNC, Unlock);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  }
  ~Share() { curl_share_cleanup(share_); }
  CURLSH* handle() const { return share_; }

 private:
  static void Lock(CURL*, curl_lock_data data, curl_lock_access, void* self) GN_NO_THREAD_SAFETY_ANALYSIS {
    static_cast<Share*>(self)->mutexes_[data].Lock();
  }
  static void Unlock(CURL*, curl_lock_data data, void* self) GN_NO_THREAD_SAFETY_ANALYSIS {
    static_cast<Share*>(self)->mutexes_[data].Unlock();
  }

  std::array<Mutex, CURL_LOCK_DATA_LAST> mutexes_;
  CURLSH* share_;
};

CurlPool::CurlPool(size_t idle_max, milliseconds idle_timeout) : idle_max_(idle_max), idle_timeout_(idle_timeout) {
  InitCurl();
  share_ = std::make_unique<Share>();
}

CurlPool::~CurlPool() {
  NoSigpipe no_sigpipe;
  MutexLock lock(mutex_);
  for (auto& [origin, list] : resting_) {
    for (const Resting& resting : list) curl_multi_cleanup(resting.multi);
  }
}

void* CurlPool::shared() const { return share_->handle(); }

void* CurlPool::Take(const std::string& origin) {
  void* multi = nullptr;
  std::vector<void*> expired;
  {
    MutexLock lock(mutex_);
    Expire(&expired);
    if (auto found = resting_.find(origin); found != resting_.end()) {
      multi = found->second.back().multi;
      found->second.pop_back();
      --resting_count_;
      if (found->second.empty()) resting_.erase(found);
    }
  }
  for (void* old : expired) curl_multi_cleanup(old);
  if (multi != nullptr) return multi;
  multi = curl_multi_init();
  GN_CHECK(multi != nullptr);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L);  // a redirect or a proxy may need a second
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  return multi;
}

void CurlPool::Give(const std::string& origin, void* multi) {
  std::vector<void*> expired;
  {
    MutexLock lock(mutex_);
    resting_[origin].push_back({multi, steady_clock::now()});
    ++resting_count_;
    Expire(&expired);
  }
  for (void* old : expired) curl_multi_cleanup(old);
}

void CurlPool::Expire(std::vector<void*>* out) {
  auto now = steady_clock::now();
  if (now - looked_ >= kLookEvery) {
    looked_ = now;
    for (auto at = resting_.begin(); at != resting_.end();) {
      auto& list = at->second;
      auto fresh =
          std::find_if(list.begin(), list.end(), [&](const Resting& r) { return now - r.since < idle_timeout_; });
      for (auto old = list.begin(); old != fresh; ++old) out->push_back(old->multi);
      resting_count_ -= static_cast<size_t>(fresh - list.begin());
      list.erase(list.begin(), fresh);
      at = list.empty() ? resting_.erase(at) : std::next(at);
    }
  }
  while (resting_count_ > idle_max_) {
    auto oldest = std::min_element(resting_.begin(), resting_.end(), [](const auto& a, const auto& b) {
      return a.second.front().since < b.second.front().since;
    });
    out->push_back(oldest->second.front().multi);
    oldest->second.erase(oldest->second.begin());
    if (oldest->second.empty()) resting_.erase(oldest);
    --resting_count_;
  }
}

}  // namespace gauntlet::net
