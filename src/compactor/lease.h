// Leases: who works on what, where several compactors look after one bucket. They save double work; nothing rests on
// them: ids of results are the same whoever makes them, and sources are marked only after a verified result.
//
// The lease of a name is the object with the highest number in compactor/leases/NAME/: who may write the next number
// first, has it. A holder renews its lease by writing it again, and gives it back by deleting it; one that was not
// renewed in time may be taken over. Where the bucket cannot write "if absent", two may hold a lease for a moment.
//
// Format:  docs/format/quarantine.md#leases
// Threads: Leases is thread-safe; a Lease belongs to one thread.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"

namespace gauntlet::compactor {

inline constexpr char kLeasePrefix[] = "compactor/leases/";

struct LeaseText {
  std::string holder;
  int64_t until_ms = 0;
};
std::string FormatLease(const LeaseText& lease);
Result<LeaseText> ParseLease(std::string_view text);

class Leases;

// Given back on destruction (as well as the bucket lets it).
class Lease {
 public:
  Lease(Leases* leases, std::string name, uint64_t number) : leases_(leases), name_(std::move(name)), number_(number) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();
  const std::string& name() const { return name_; }

 private:
  Leases* const leases_;
  const std::string name_;
  const uint64_t number_;
};

class Leases {
 public:
  // `holder`: the same for a process that starts again in the same place; it takes its own leases at once.
  Leases(objstore::Bucket& bucket, std::string holder, std::chrono::milliseconds time, Clock& clock,
         telemetry::Logger& logger);

  // Null when somebody else has it. An error only for trouble with the bucket.
  Result<std::unique_ptr<Lease>> Take(const std::string& name, const Cancel& cancel);
  // Writes again what is held. To be called a few times within the time of a lease.
  void RenewAll(const Cancel& cancel);
  // Removes leases of others that were not renewed for long: their holders died, and nobody came for their work.
  Status DropStale(const Cancel& cancel);
  std::chrono::milliseconds time() const { return time_; }
  const std::string& holder() const { return holder_; }

 private:
  friend class Lease;
  void GiveBack(const std::string& name, uint64_t number);
  Status Write(const std::string& name, uint64_t number, bool if_absent, const Cancel& cancel);
  // The highest number there is, 0 for none.
  Result<uint64_t> Newest(const std::string& name, const Cancel& cancel);

  objstore::Bucket& bucket_;
  const std::string holder_;
  const std::chrono::milliseconds time_;
  Clock& clock_;
  telemetry::Logger& logger_;
  Mutex writing_;  // held across a renewal and a giving back, so that neither undoes the other; before mutex_
  Mutex mutex_;
  std::set<std::pair<std::string, uint64_t>> held_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::compactor
