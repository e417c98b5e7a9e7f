#include "objstore/hedged_bucket.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace gauntlet::objstore {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::microseconds;

constexpr microseconds kDelayMin{1000};
constexpr std::chrono::seconds kWaitMax{60};

// Adds, when it is first stopped, how long that took.
class Measured {
 public:
  explicit Measured(LatencyQuantile& latency) : latency_(latency) {}
  void Stop() {
    if (!std::exchange(stopped_, true))
      latency_.Add(std::chrono::duration_cast<microseconds>(SteadyClock::now() - begun_));
  }

 private:
  LatencyQuantile& latency_;
  const SteadyClock::time_point begun_ = SteadyClock::now();
  bool stopped_ = false;
};

// The bucket has answered, whatever it said.
bool Answered(const Status& status) {
  return status.code() != Code::kUnavailable && status.code() != Code::kDeadline && status.code() != Code::kCancelled;
}

}  // namespace

void LatencyQuantile::Add(microseconds latency) {
  MutexLock lock(mutex_);
  if (latest_.size() < kKept) {
    latest_.push_back(latency.count());
  } else {
    latest_[next_++ % kKept] = latency.count();
  }
  if (latest_.size() < kEnough || ++since_ < kBetween) return;
  since_ = 0;
  std::vector<int64_t> sorted = latest_;
  auto at = sorted.begin() + static_cast<std::ptrdiff_t>(quantile_ * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), at, sorted.end());
  value_ = std::max<int64_t>(*at, 1);
}

microseconds LatencyQuantile::value() const {
  MutexLock lock(mutex_);
  return microseconds(value_);
}

// The requests for one read. They share it, so that those that lose may end when they like.
struct HedgedBucket::Race {
  Race(Request asked, LatencyQuantile& of, const Cancel& parent)
      : request(std::move(asked)), latency(of), call(parent) {}
  const Request request;
  LatencyQuantile& latency;
  CancelSource call;
  Mutex mutex;
  CondVar changed;
  size_t started GN_GUARDED_BY(mutex) = 0, ended GN_GUARDED_BY(mutex) = 0, winner GN_GUARDED_BY(mutex) = 0;
  bool decided GN_GUARDED_BY(mutex) = false, claimed GN_GUARDED_BY(mutex) = false;
  Answer answer GN_GUARDED_BY(mutex);

  bool Claimed(size_t number) {
    MutexLock lock(mutex);
    if (claimed || decided) return claimed && winner == number;
    claimed = true;
    winner = number;
    changed.NotifyAll();
    return true;
  }
  void Ended(size_t number, Answer given) {
    const bool answered = Answered(given.status);
    MutexLock lock(mutex);
    ++ended;
    if (claimed ? winner == number : !decided && (answered || ended == started)) {
      answer = std::move(given);
      winner = number;
      decided = answered || claimed;
    }
    changed.NotifyAll();
  }
};

HedgedBucket::HedgedBucket(HedgingOptions options, std::unique_ptr<Bucket> inner, Executor& executor,
                           telemetry::Registry* registry)
    : options_(options),
      inner_(std::move(inner)),
      executor_(executor),
      range_latency_(options.quantile),
      small_latency_(options.quantile),
      first_bytes_latency_(options.quantile) {
  if (registry == nullptr) return;
  hedged_ = &registry->MakeCounter("gauntlet_objstore_hedged_requests_total",
                                   "Requests to the bucket that were sent again because an answer took long.");
  won_ = &registry->MakeCounter("gauntlet_objstore_hedged_requests_won_total",
                                "Requests sent again that answered before the first.");
}

HedgedBucket::~HedgedBucket() {
  MutexLock lock(mutex_);
  while (under_way_ > 0) changed_.Wait(mutex_);
}

void HedgedBucket::Start(const std::shared_ptr<Race>& race) {
  size_t number = 0;
  {
    MutexLock lock(race->mutex);
    number = race->started++;
  }
  {
    MutexLock lock(mutex_);
    ++under_way_;
  }
  executor_.Run([this, race, number] {
    Measured measured(race->latency);
    Answer answer = race->request(race->call.cancel(), [&] {
      measured.Stop();
      return race->Claimed(number);
    });
    if (Answered(answer.status)) measured.Stop();
    race->Ended(number, std::move(answer));
    MutexLock lock(mutex_);
    --under_way_;
    changed_.NotifyAll();
  });
}

HedgedBucket::Answer HedgedBucket::Hedge(const Request& request, LatencyQuantile& latency, const Cancel& cancel) {
  microseconds delay = latency.value();
  if (delay.count() == 0 || options_.up_to < 2) {  // nothing is known yet
    Measured measured(latency);
    Answer answer = request(cancel, [&] {
      measured.Stop();
      return true;
    });
    if (Answered(answer.status)) measured.Stop();
    return answer;
  }
  delay = std::max(delay, kDelayMin);
  auto race = std::make_shared<Race>(request, latency, cancel);
  Start(race);
  auto again = SteadyClock::now() + delay;
  while (true) {
    bool start = false;
    {
      MutexLock lock(race->mutex);
      while (!race->decided && race->ended < race->started) {
        bool may = race->started < static_cast<size_t>(options_.up_to) && !race->claimed && !cancel.stopped();
        if (may && SteadyClock::now() >= again) break;
        race->changed.WaitUntil(race->mutex, may ? again : SteadyClock::now() + kWaitMax);
      }
      if (race->decided || race->ended == race->started) {
        race->call.Stop();
        if (race->decided && race->winner > 0 && won_ != nullptr) won_->Add();
        return std::move(race->answer);
      }
      start = true;
    }
    if (!start) continue;
    if (hedged_ != nullptr) hedged_->Add();
    Start(race);
    again = SteadyClock::now() + delay;
  }
}

Status HedgedBucket::GetRange(const std::string& name, uint64_t offset, uint64_t length, const Cancel& cancel,
                              const OnBytes& on_bytes) {
  Bucket* inner = inner_.get();
  Answer answer = Hedge(
      [inner, name, offset, length](const Cancel& each, const Claim&) {
        Answer one;
        one.status = inner->GetRange(name, offset, length, each, [&one](std::string_view bytes) {
          one.bytes += bytes;
          return Status();
        });
        return one;
      },
      range_latency_, cancel);
  GN_TRY(answer.status);
  return answer.bytes.empty() ? Status() : on_bytes(answer.bytes);
}

Status HedgedBucket::Get(const std::string& name, const Cancel& cancel, const OnBytes& on_bytes) {
  Bucket* inner = inner_.get();
  const OnBytes* give = &on_bytes;  // only the request that claimed touches it, and that one is waited for
  return Hedge(
             [inner, name, give](const Cancel& each, const Claim& claim) {
               Answer one;
               one.status = inner->Get(name, each, [&](std::string_view bytes) {
                 if (!claim()) return Status(Code::kCancelled, "another request was faster");
                 return (*give)(bytes);
               });
               return one;
             },
             first_bytes_latency_, cancel)
      .status;
}

Result<bool> HedgedBucket::Exists(const std::string& name, const Cancel& cancel) {
  Result<ObjectAttributes> attributes = Attributes(name, cancel);
  if (attributes.ok()) return true;
  if (attributes.status().code() == Code::kNotFound) return false;
  return attributes.status();
}

Result<ObjectAttributes> HedgedBucket::Attributes(const std::string& name, const Cancel& cancel) {
  Bucket* inner = inner_.get();
  Answer answer = Hedge(
      [inner, name](const Cancel& each, const Claim&) {
        Answer one;
        Result<ObjectAttributes> attributes = inner->Attributes(name, each);
        one.status = attributes.status();
        if (attributes.ok()) one.attributes = *attributes;
        return one;
      },
      small_latency_, cancel);
  GN_TRY(answer.status);
  return answer.attributes;
}

}  // namespace gauntlet::objstore
