// Shipper: finds finished blocks in the directory of a Prometheus (or of a ruler or receiver) and brings each to the
// bucket once, whole.
//
// A block goes from a directory of hard links, so that its owner may delete or compact it meanwhile. One bad block is
// skipped and reported; trouble with the bucket ends the pass, so that blocks arrive in order.
// Format:   thanos.shipper.json, which Prometheus' --storage.tsdb.delay-compact-file.path reads
// Upstream: thanos pkg/shipper/shipper.go
// Threads:  thread-safe, one pass at a time.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/ulid.h"
#include "blocks/thanos_meta.h"
#include "io/file_system.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::blocks {

inline constexpr char kShipperFile[] = "thanos.shipper.json";

struct ShipperOptions {
  std::string dir;
  std::string source = kSidecarSource;
  std::string meta_file_name = kShipperFile;  // below dir
  std::string hash_function;                  // "" or "SHA256"
  bool upload_compacted = false;              // also blocks of a level above 1
  // A block that does not go is told and passed over, whatever the trouble; it is tried again in the next pass.
  bool allow_out_of_order = false;
  size_t upload_concurrency = 0;  // segments at a time; 0 = 1
};

struct ShipResult {
  int uploaded = 0;  // blocks of this pass
  int failed = 0;    // not uploaded for trouble with them or the bucket
  int corrupt = 0;   // local blocks that do not read
  Status first_error;
};

class Shipper {
 public:
  using LabelSource = std::function<std::map<std::string, std::string>()>;
  // All that is borrowed outlives this. `labels`: external labels, asked at each block.
  Shipper(ShipperOptions options, objstore::Bucket& bucket, io::FileSystem& files, Executor& executor, Clock& clock,
          LabelSource labels, telemetry::Registry& registry, telemetry::Logger& logger);

  // One pass over the directory. `first_error` of the result says what kept blocks back, if anything.
  ShipResult Sync(const Cancel& cancel);
  // What the file says: blocks that are in the bucket (and still here).
  std::set<Ulid> UploadedBlocks() const;

 private:
  struct Candidate {
    Meta meta;
    std::string dir;
  };
  class OverlapChecker;

  std::string FilePath() const;
  std::vector<Candidate> FindBlocks(ShipResult* result) const;
  // Whether the block is in the bucket afterwards; false: left out, on purpose.
  Result<bool> Ship(const Candidate& block, OverlapChecker& overlaps, ShipResult* result, const Cancel& cancel);
  Status Upload(const Candidate& block, const Cancel& cancel);
  Status Stage(const Candidate& block, const std::string& staging) const;
  void Report(const Candidate& block, const Status& status, ShipResult* result);
  void WriteFile(const std::vector<Ulid>& uploaded);

  const ShipperOptions options_;
  objstore::Bucket& bucket_;
  io::FileSystem& files_;
  Executor& executor_;
  Clock& clock_;
  const LabelSource labels_;
  telemetry::Logger& logger_;
  telemetry::Counter& dir_syncs_;
  telemetry::Counter& dir_sync_failures_;
  telemetry::Counter& uploads_;
  telemetry::Counter& upload_failures_;
  telemetry::Counter& corrupted_blocks_;
  telemetry::Gauge& upload_compacted_done_;
  Mutex passing_;  // held across a pass
  bool cleaned_ GN_GUARDED_BY(passing_) = false;
};

// thanos.shipper.json, as Thanos writes it.
std::string FormatShipperFile(const std::vector<Ulid>& uploaded);
Result<std::vector<Ulid>> ParseShipperFile(std::string_view text);

}  // namespace gauntlet::blocks
