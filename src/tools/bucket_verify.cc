#include "tools/bucket_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "blocks/block_objects.h"
#include "blocks/index_health.h"
#include "blocks/markers.h"
#include "io/path.h"
#include "objstore/directories.h"
#include "tools/bucket_repair.h"
#include "tsdb/index/index_reader.h"

namespace gauntlet::tools {
namespace {

using blocks::Meta;
using blocks::MetaPtr;

// A directory that goes with its scope.
class ScratchDirectory {
 public:
  ScratchDirectory(io::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~ScratchDirectory() { (void)files_.RemoveAll(path_); }  // what stays is in a directory for such things
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  io::FileSystem& files_;
  const std::string path_;
};

struct Overlap {
  std::vector<MetaPtr> blocks;
  int64_t mint_ms = 0, maxt_ms = 0;
};

// Of each group, the spans of time that more than one block covers.
std::map<std::string, std::vector<Overlap>> FindOverlaps(const blocks::MetaMap& metas) {
  std::map<std::string, std::vector<MetaPtr>> groups;
  for (const auto& [id, meta] : metas) groups[meta->thanos.GroupKey()].push_back(meta);
  std::map<std::string, std::vector<Overlap>> overlaps;
  for (auto& [key, group] : groups) {
    std::stable_sort(group.begin(), group.end(),
                     [](const MetaPtr& a, const MetaPtr& b) { return a->block.mint_ms < b->block.mint_ms; });
    Overlap run;
    auto close = [&] {
      if (run.blocks.size() > 1) overlaps[key].push_back(run);
    };
    for (const MetaPtr& meta : group) {
      if (run.blocks.empty() || meta->block.mint_ms >= run.maxt_ms) {
        close();
        run = {{}, meta->block.mint_ms, meta->block.maxt_ms};
      }
      run.blocks.push_back(meta);
      run.maxt_ms = std::max(run.maxt_ms, meta->block.maxt_ms);
    }
    close();
  }
  return overlaps;
}

std::vector<Ulid> IdsOf(const std::vector<MetaPtr>& metas) {
  std::vector<Ulid> ids;
  for (const MetaPtr& meta : metas) ids.push_back(meta->block.ulid);
  return ids;
}

bool SameData(const tsdb::BlockMeta& a, const tsdb::BlockMeta& b) {
  return a.mint_ms == b.mint_ms && a.maxt_ms == b.maxt_ms && a.compaction.level == b.compaction.level &&
         a.compaction.sources == b.compaction.sources && a.stats == b.stats;
}

// Copies the block (downloaded to `dir`) to the backup bucket, then deletes or marks it.
Status BackUpAndRemove(const VerifyContext& context, const Ulid& id, const std::string& dir,
                       const VerifyOptions& options, const Cancel& cancel) {
  bool there = false;
  GN_TRY(context.backup->Iter(id.ToString(), {.recursive = true}, cancel, [&](const objstore::ObjectEntry&) {
    there = true;
    return Status();
  }));
  if (there) {
    return {Code::kExists, id.ToString() + " is in the backup bucket already; remove it there if that is safe"};
  }
  blocks::UploadBlockOptions upload;
  upload.check_labels = false;
  GN_TRY(blocks::UploadBlock(*context.backup, context.files, context.executor, context.clock, dir, upload, cancel)
             .Wrap("upload to backup"));
  if (options.delete_delay.count() == 0) return blocks::DeleteBlock(context.bucket, id, cancel);
  blocks::Marker mark;
  mark.id = id;
  mark.details = "manual verify-repair";
  mark.time_s = context.clock.NowMs() / 1000;
  return blocks::SetMarker(context.bucket, blocks::MarkerKind::kDeletion, mark, cancel).status();
}

void VerifyOverlaps(const blocks::MetaMap& metas, std::vector<Finding>* findings) {
  for (const auto& [group, overlaps] : FindOverlaps(metas)) {
    for (const Overlap& overlap : overlaps) {
      findings->push_back(
          {"overlapped_blocks", IdsOf(overlap.blocks),
           fmt::format("found overlapped blocks in group {}, times {} to {}", group, overlap.mint_ms, overlap.maxt_ms),
           false});
    }
  }
}

Status VerifyDuplicates(const VerifyContext& context, const blocks::MetaMap& metas, const VerifyOptions& options,
                        const Cancel& cancel, std::vector<Finding>* findings) {
  for (const auto& [group, overlaps] : FindOverlaps(metas)) {
    for (const Overlap& overlap : overlaps) {
      std::vector<std::vector<MetaPtr>> sets;
      for (const MetaPtr& meta : overlap.blocks) {
        auto same = std::find_if(sets.begin(), sets.end(),
                                 [&](const auto& set) { return SameData(set.front()->block, meta->block); });
        if (same == sets.end()) {
          sets.push_back({meta});
        } else {
          same->push_back(meta);
        }
      }
      for (const auto& set : sets) {
        // The first stays.
        for (size_t i = 1; i < set.size(); ++i) {
          const Ulid& id = set[i]->block.ulid;
          Finding finding{"duplicated_compaction",
                          {id},
                          fmt::format("a duplicate of {} in group {}", set[0]->block.ulid.ToString(), group),
                          false};
          if (options.repair) {
            ScratchDirectory scratch(context.files, io::JoinPath(context.temporary_dir, "verify-" + id.ToString()));
            const std::string dir = io::JoinPath(scratch.path(), id.ToString());
            GN_TRY(blocks::DownloadBlock(context.bucket, context.files, context.executor, id, dir, 4, cancel));
            GN_TRY(BackUpAndRemove(context, id, dir, options, cancel));
            finding.repaired = true;
          }
          findings->push_back(std::move(finding));
        }
      }
    }
  }
  return Status();
}

// Ok with `*repairable` when what is wrong can be repaired by leaving chunks out.
Status LookAtIndex(const VerifyContext& context, const Meta& meta, const std::string& dir, bool* repairable,
                   const Cancel& cancel) {
  const std::string path = io::JoinPath(dir, blocks::kIndexFile);
  GN_TRY(context.files.MakeDirectories(dir));
  GN_TRY(objstore::DownloadFile(context.bucket, context.files, meta.block.ulid.ToString() + "/" + blocks::kIndexFile,
                                path, cancel));
  GN_ASSIGN(auto index, tsdb::IndexReader::Open(context.files, path));
  GN_ASSIGN(blocks::IndexHealth health,
            blocks::GatherIndexHealth(*index, meta.block.mint_ms, meta.block.maxt_ms, cancel));
  *repairable = meta.thanos.resolution_ms == 0 && health.out_of_order_labels == 0 &&
                health.out_of_order_chunks == health.duplicate_chunks &&
                health.outside_chunks == health.complete_outside_chunks + health.touching_chunks;
  return health.Any();
}

Status VerifyIndexes(const VerifyContext& context, const blocks::MetaMap& metas, const VerifyOptions& options,
                     const Cancel& cancel, std::vector<Finding>* findings) {
  for (const auto& [id, meta] : metas) {
    if (!options.ids.empty() && std::find(options.ids.begin(), options.ids.end(), id) == options.ids.end()) continue;
    ScratchDirectory scratch(context.files, io::JoinPath(context.temporary_dir, "verify-" + id.ToString()));
    bool repairable = false;
    Status issue = LookAtIndex(context, *meta, scratch.path(), &repairable, cancel);
    if (issue.ok()) continue;
    // The network's trouble is no finding.
    if (issue.code() != Code::kCorrupt && issue.code() != Code::kNotFound && issue.code() != Code::kUnsupported) {
      return issue.Wrap("look at the index of " + id.ToString());
    }
    Finding finding{"index_known_issues", {id}, std::string(issue.message()), false};
    if (options.repair && repairable) {
      const std::string dir = io::JoinPath(scratch.path(), id.ToString());
      GN_TRY(blocks::DownloadBlock(context.bucket, context.files, context.executor, id, dir, 4, cancel));
      Result<Ulid> better = RepairBlock(context.files, context.clock, scratch.path(), *meta, cancel);
      Status status = better.status();
      if (status.ok()) {
        const std::string fixed = io::JoinPath(scratch.path(), better->ToString());
        status = blocks::UploadBlock(context.bucket, context.files, context.executor, context.clock, fixed, {}, cancel);
      }
      if (status.ok()) status = BackUpAndRemove(context, id, dir, options, cancel);
      if (status.ok()) {
        finding.repaired = true;
        finding.text += "; repaired as " + better->ToString();
      } else {
        GN_LOG(context.logger, kError, "could not repair index", {"block", id.ToString()}, {"err", status});
      }
    } else if (options.repair) {
      finding.text += "; this cannot be repaired by leaving out chunks";
    }
    findings->push_back(std::move(finding));
  }
  return Status();
}

}  // namespace

Result<std::vector<Finding>> VerifyBucket(const VerifyContext& context, const blocks::MetaMap& metas,
                                          const VerifyOptions& options, const Cancel& cancel) {
  if (options.repair && context.backup == nullptr) {
    return Status(Code::kInvalid, "repair is specified, so backup client is required");
  }
  std::vector<Finding> findings;
  for (const std::string& issue : options.issues) {
    if (issue != "index_known_issues" && !options.ids.empty()) {
      return Status(Code::kInvalid, issue + ": id matching is not supported");
    }
    if (issue == "index_known_issues") {
      GN_TRY(VerifyIndexes(context, metas, options, cancel, &findings));
    } else if (issue == "duplicated_compaction") {
      GN_TRY(VerifyDuplicates(context, metas, options, cancel, &findings));
    } else if (issue == "overlapped_blocks") {
      VerifyOverlaps(metas, &findings);
    } else {
      return Status(Code::kInvalid, "no such issue " + issue);
    }
  }
  return findings;
}

}  // namespace gauntlet::tools
