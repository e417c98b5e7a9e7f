// MetaCache: the meta.json files that were read from a bucket, in one file of the data directory, so that a start with
// many blocks reads one file and asks the bucket for none of them.
//
// Nothing of it is needed: what is lost, cut or damaged is fetched again.
// Format:  docs/format/meta-cache.md
// Threads: thread-safe, but for Load and Finish, which have it to themselves.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/ulid.h"
#include "io/file_system.h"
#include "telemetry/log.h"

namespace gauntlet::blocks {

inline constexpr std::string_view kMetaCacheMagic = "GNM1";

// One meta.json as it was read. Without a text: the block is gone.
struct MetaRecord {
  Ulid id;
  int64_t modified_ms = 0;  // as the bucket says; 0 = not known
  std::string_view text;
};

void AppendMetaRecord(const MetaRecord& record, std::string* out);

// Reads records from the bytes of a file, in order; ends before the first that is cut or damaged. One thread at a time;
// the bytes are borrowed.
class MetaRecordReader {
 public:
  explicit MetaRecordReader(std::string_view bytes);
  bool Next();
  const MetaRecord& record() const { return record_; }
  uint64_t record_bytes() const { return record_bytes_; }
  // Of what was read so far; all of them when the file is whole.
  uint64_t good_bytes() const { return at_; }

 private:
  const std::string_view bytes_;
  uint64_t at_ = 0, record_bytes_ = 0;
  MetaRecord record_;
};

class MetaCache {
 public:
  // `path` "" = nothing is kept.
  MetaCache(io::FileSystem& files, std::string path, telemetry::Logger& logger);

  void Load();
  // What stands there for the block, when it was modified at that time (0 = whenever). Until Finish.
  std::optional<std::string_view> Find(const Ulid& id, int64_t modified_ms) const;
  void Put(const MetaRecord& record);
  // Of what is there, ascending.
  std::vector<Ulid> Ids() const;
  // After a sync: texts are let go, records of blocks that are not alive too. The file is written anew when most of it
  // is superseded.
  void Finish(const std::function<bool(const Ulid&)>& alive);

 private:
  void Note(const Ulid& id, uint64_t record_bytes) GN_REQUIRES(mutex_);
  void Flush() GN_REQUIRES(mutex_);
  Status Write() GN_REQUIRES(mutex_);
  Status WriteAnew() GN_REQUIRES(mutex_);

  io::FileSystem& files_;
  const std::string path_;
  telemetry::Logger& logger_;
  mutable Mutex mutex_;
  std::string contents_ GN_GUARDED_BY(mutex_);  // from Load to Finish, and what stands in it
  std::map<Ulid, MetaRecord> found_ GN_GUARDED_BY(mutex_);
  std::string buffer_ GN_GUARDED_BY(mutex_);                     // records not written yet
  std::map<Ulid, uint64_t> record_bytes_ GN_GUARDED_BY(mutex_);  // of the last record of each block that is not gone
  uint64_t file_bytes_ GN_GUARDED_BY(mutex_) = 0, live_bytes_ GN_GUARDED_BY(mutex_) = 0;
  bool damaged_ GN_GUARDED_BY(mutex_) = false;  // nothing can be appended: it is written anew first
};

}  // namespace gauntlet::blocks
