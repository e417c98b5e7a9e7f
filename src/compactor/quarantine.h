// Quarantine: what compaction cannot process is set aside, with a mark that says what is wrong, where, and how to
// repair it; everything else goes on.
//
// A mark is an object compactor/quarantine/SUBJECT.json: a block that is left out of every merge, or a group of which
// nothing is merged. Thanos does not see these objects. A mark of a block goes when the block is gone, or when somebody
// removes it after a repair; a mark of a group is lifted when its cause is.
//
// Format:  docs/format/quarantine.md
// Threads: thread-safe.

#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/ulid.h"
#include "blocks/meta_fetcher.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::compactor {

inline constexpr char kQuarantinePrefix[] = "compactor/quarantine/";

// Reasons.
inline constexpr char kOverlapReason[] = "overlapping-blocks";
inline constexpr char kBrokenIndexReason[] = "broken-index";
inline constexpr char kChunksReason[] = "unreadable-chunks";
inline constexpr char kChunkOrderReason[] = "out-of-order-chunks";
inline constexpr char kLabelOrderReason[] = "out-of-order-labels";
inline constexpr char kOutsideReason[] = "chunks-outside-block";
inline constexpr char kBadMetaReason[] = "bad-meta";
inline constexpr char kMergeReason[] = "merge-failed";
inline constexpr char kDownsampleReason[] = "downsampling-failed";

struct QuarantineMark {
  std::string subject;  // a block's id or a group's key
  std::string group;    // "0@{cluster=\"eu\"}"; "" when not known
  std::vector<Ulid> blocks;
  std::string reason, details;
  std::string series;  // its labels; "" when the whole block is meant
  std::string repair;  // what to do
  int64_t time_s = 0;
  bool operator==(const QuarantineMark&) const = default;

  bool of_group() const { return !Ulid::Parse(subject).has_value(); }
};

std::string FormatQuarantineMark(const QuarantineMark& mark);
Result<QuarantineMark> ParseQuarantineMark(std::string_view text);

class Quarantine {
 public:
  Quarantine(objstore::Bucket& bucket, telemetry::Registry& registry, telemetry::Logger& logger);

  // Reads all marks. A mark that does not parse still holds its subject back.
  Status Load(const Cancel& cancel);
  // Sets a mark, and says so as an error in the log; true when it is new. A mark that is there stays as it is, but for
  // one of a failed downsampling.
  Result<bool> Put(const QuarantineMark& mark, const Cancel& cancel);
  // Ok when there is none.
  Status Lift(const std::string& subject, const Cancel& cancel);
  // Lifts marks of blocks that the bucket does not have any more.
  Status Forget(const blocks::MetaMap& metas, const std::map<Ulid, Status>& partial, const Cancel& cancel);

  bool Holds(const std::string& subject) const;
  // Blocks with a mark of their own; and those of them that take no part in merges, which is all but blocks of which
  // only the downsampling failed.
  std::set<Ulid> Blocks() const;
  std::set<Ulid> NotMerged() const;
  std::map<std::string, QuarantineMark> marks() const;

 private:
  void Publish() GN_REQUIRES(mutex_);

  objstore::Bucket& bucket_;
  telemetry::Logger& logger_;
  telemetry::Family<telemetry::Gauge> held_;
  mutable Mutex mutex_;
  std::map<std::string, QuarantineMark> marks_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::compactor
