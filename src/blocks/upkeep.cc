#include "blocks/upkeep.h"

#include <algorithm>

#include "base/mutex.h"
#include "blocks/block_objects.h"
#include "model/time.h"
#include "objstore/directories.h"

namespace gauntlet::blocks {
namespace {

constexpr size_t kDeletionsAtOnce = 32;

// Runs `body` for each id, several at a time; an error is kept and the rest goes on.
template <typename Body>
UpkeepResult ForEachBlock(const UpkeepContext& context, const std::vector<Ulid>& ids, const char* doing,
                          const Cancel& cancel, const Body& body) {
  UpkeepResult result;
  Mutex mutex;
  Status ended = objstore::ForEachConcurrently(
      context.executor, ids.size(), kDeletionsAtOnce, cancel, [&](size_t i, const Cancel& part) {
        Result<bool> done = body(ids[i], part);
        MutexLock lock(mutex);
        if (done.ok()) {
          if (*done) result.done.push_back(ids[i]);
          return Status();
        }
        GN_LOG(context.logger, kWarn, "upkeep of a block is put off", {"what", doing}, {"block", ids[i].ToString()},
               {"err", done.status()});
        ++result.failed;
        if (result.first_error.ok()) {
          result.first_error = done.status();
          result.first_error.Wrap(std::string(doing) + " " + ids[i].ToString());
        }
        return part.status();
      });
  if (result.first_error.ok()) result.first_error = ended;
  std::sort(result.done.begin(), result.done.end());
  return result;
}

// When the newest of its objects was written; the time of its id when the store does not tell.
Result<int64_t> NewestObjectMs(objstore::Bucket& bucket, const Ulid& id, const Cancel& cancel) {
  int64_t newest = 0;
  GN_TRY(bucket.Iter(id.ToString(), {.recursive = true, .attributes = true}, cancel,
                     [&](const objstore::ObjectEntry& entry) {
                       newest = std::max(newest, entry.modified_ms);
                       return Status();
                     }));
  return newest > 0 ? newest : id.unix_ms();
}

}  // namespace

std::map<Ulid, Marker> BrokenOffDeletions(const UpkeepContext& context, const std::map<Ulid, Status>& partial,
                                          const Cancel& cancel) {
  std::map<Ulid, Marker> begun;
  for (const auto& [id, why] : partial) {
    if (why.code() != Code::kNotFound) continue;
    Result<Marker> mark = ReadMarker(context.bucket, MarkerKind::kDeletion, id, cancel);
    if (mark.ok()) begun[id] = *std::move(mark);
  }
  return begun;
}

UpkeepResult DeleteMarkedBlocks(const UpkeepContext& context, const std::map<Ulid, Marker>& marks,
                                std::chrono::milliseconds delay, const Cancel& cancel) {
  const int64_t now_s = context.clock.NowMs() / 1000;
  std::vector<Ulid> due;
  for (const auto& [id, mark] : marks) {
    if ((now_s - mark.time_s) * 1000 > delay.count()) due.push_back(id);
  }
  return ForEachBlock(context, due, "delete block", cancel, [&](const Ulid& id, const Cancel& part) -> Result<bool> {
    GN_TRY(DeleteBlock(context.bucket, id, part));
    GN_LOG(context.logger, kInfo, "deleted block marked for deletion", {"block", id.ToString()});
    return true;
  });
}

UpkeepResult CleanPartialUploads(const UpkeepContext& context, const std::map<Ulid, Status>& partial,
                                 const std::map<Ulid, Marker>& marks, std::chrono::milliseconds age,
                                 const Cancel& cancel) {
  std::vector<Ulid> candidates;
  for (const auto& [id, why] : partial) {
    // Only what has no meta.json: a block with a bad one is for people to look at.
    if (why.code() == Code::kNotFound && !marks.contains(id)) candidates.push_back(id);
  }
  const int64_t now_ms = context.clock.NowMs();
  return ForEachBlock(context, candidates, "delete partial upload", cancel,
                      [&](const Ulid& id, const Cancel& part) -> Result<bool> {
                        GN_ASSIGN(int64_t newest, NewestObjectMs(context.bucket, id, part));
                        if (now_ms - newest <= age.count()) return false;
                        // Marked by somebody meanwhile: his to delete, with the mark last.
                        GN_ASSIGN(bool marked, context.bucket.Exists(id.ToString() + "/" + kDeletionMarkFile, part));
                        if (marked) return false;
                        GN_TRY(DeleteBlock(context.bucket, id, part));
                        GN_LOG(context.logger, kInfo, "deleted aborted partial upload", {"block", id.ToString()});
                        return true;
                      });
}

UpkeepResult ApplyRetention(const UpkeepContext& context, const MetaMap& metas,
                            const std::map<int64_t, std::chrono::milliseconds>& retention, const Cancel& cancel) {
  const int64_t now_ms = context.clock.NowMs();
  auto of = [&](const Ulid& id) {
    auto found = retention.find(metas.at(id)->thanos.resolution_ms);
    return found == retention.end() ? std::chrono::milliseconds(0) : found->second;
  };
  std::vector<Ulid> due;
  for (const auto& [id, meta] : metas) {
    if (of(id).count() > 0 && now_ms > meta->block.maxt_ms / 1000 * 1000 + of(id).count()) due.push_back(id);
  }
  return ForEachBlock(context, due, "mark for retention", cancel,
                      [&](const Ulid& id, const Cancel& part) -> Result<bool> {
                        Marker mark;
                        mark.id = id;
                        mark.time_s = now_ms / 1000;
                        mark.details = "block exceeding retention of " + FormatGoDuration(of(id).count() * 1'000'000);
                        GN_ASSIGN(bool set, SetMarker(context.bucket, MarkerKind::kDeletion, mark, part));
                        if (set) {
                          GN_LOG(context.logger, kInfo, "applying retention: marking block for deletion",
                                 {"id", id.ToString()}, {"maxTime", FormatRfc3339Ms(metas.at(id)->block.maxt_ms)});
                        }
                        return set;
                      });
}

}  // namespace gauntlet::blocks
