// Progress: how much is to be done, as metrics, and how far it is, as a line with the time that is left.
//
// Upstream: thanos pkg/compact/compact.go (CompactionProgressCalculator and its kin)
// Threads:  Progress is thread-safe; the others are values and free functions.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "compactor/group.h"
#include "compactor/planner.h"

namespace gauntlet::compactor {

struct Backlog {
  int64_t compactions = 0, compaction_blocks = 0;
  int64_t compaction_bytes = 0;  // of the blocks, each time that they are read
};
// What would be done if every merge succeeded. Sets no marks.
Backlog PlannedBacklog(const std::vector<int64_t>& ranges, std::vector<Group> groups, const std::set<Ulid>& excluded);

// Bytes of a block as its meta says; its samples when it does not.
int64_t SizeOf(const blocks::Meta& meta);

// What happens now, drawn again and again on a terminal.
class Progress {
 public:
  // Gets the line, without a line break.
  using Draw = std::function<void(const std::string& line)>;
  // `draw` null: nothing is drawn.
  Progress(Draw draw, Clock& clock) : draw_(std::move(draw)), clock_(clock) {}

  // A phase: "compacting", with so much work in bytes.
  void Begin(std::string what, int64_t bytes);
  // Done, or found to be unnecessary.
  void Add(int64_t bytes);
  // A part of the job at hand, which Add will count as a whole.
  void Within(int64_t bytes);
  void End();
  // "compacting 42 % (1.2 of 2.9 GB), 3m20s left"
  std::string Line() const;

 private:
  std::string LineLocked() const GN_REQUIRES(mutex_);
  void DrawIfDue(bool always) GN_EXCLUDES(mutex_);

  const Draw draw_;
  Clock& clock_;
  mutable Mutex mutex_;
  std::string what_ GN_GUARDED_BY(mutex_);
  int64_t total_ GN_GUARDED_BY(mutex_) = 0, done_ GN_GUARDED_BY(mutex_) = 0, within_ GN_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point begun_ GN_GUARDED_BY(mutex_), drawn_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::compactor
