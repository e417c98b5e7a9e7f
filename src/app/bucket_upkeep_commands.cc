#include "app/bucket_upkeep_commands.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/bucket_session.h"
#include "base/clock.h"
#include "blocks/meta_filters.h"
#include "blocks/shipper.h"
#include "blocks/upkeep.h"
#include "io/file_system.h"
#include "tools/bucket_list.h"

namespace gauntlet::app {
namespace {

using std::chrono::milliseconds;

struct CleanFlags {
  flags::ConfigSource objstore, relabel;
  milliseconds delete_delay{48 * 3'600'000}, consistency_delay{30 * 60'000};
  int block_sync_concurrency = 20;
  milliseconds raw{0}, five_minutes{0}, one_hour{0};

  void Register(flags::FlagSet& f) {
    f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore, true);
    f.Config("selector.relabel-config", kSelectorRelabelHelp, &relabel);
    f.PromDuration("delete-delay", "Time before a block marked for deletion is deleted from bucket.", &delete_delay);
    f.GoDuration("consistency-delay", "Minimum age of fresh (non-compacted) blocks before they are being processed.",
                 &consistency_delay);
    f.Int("block-sync-concurrency", "Number of goroutines to use when syncing block metadata from object storage.",
          &block_sync_concurrency);
  }
  size_t concurrency() const { return static_cast<size_t>(std::max(block_sync_concurrency, 1)); }
};

Status RunCleanup(const GlobalFlags& global, const CleanFlags& o) {
  GN_ASSIGN(Session session, OpenSession(global, o.objstore, "cleanup"));
  BlocksOfBucket view(session, o.concurrency());
  GN_TRY(view.AddShard(o.relabel));
  view.filters.push_back(std::make_shared<blocks::ConsistencyDelayFilter>(o.consistency_delay, SystemClock(),
                                                                          &session.runtime->registry()));
  auto marks = view.AddDeletionMarks(o.delete_delay / 2);
  view.filters.push_back(std::make_shared<blocks::DeduplicateFilter>());
  GN_ASSIGN(blocks::BlockView found, view.Fetch(Cancel()));
  auto marked = blocks::BrokenOffDeletions(UpkeepOf(session), found.partial, Cancel());
  marked.insert(marks->marks().begin(), marks->marks().end());
  auto partial =
      blocks::CleanPartialUploads(UpkeepOf(session), found.partial, marked,
                                  std::max<milliseconds>(o.consistency_delay, blocks::kPartialUploadAge), Cancel());
  auto deleted = blocks::DeleteMarkedBlocks(UpkeepOf(session), marked, o.delete_delay, Cancel());
  GN_LOG(session.logger(), kInfo, "cleanup done", {"partial_uploads_deleted", partial.done.size()},
         {"marked_blocks_deleted", deleted.done.size()}, {"failed", partial.failed + deleted.failed});
  GN_TRY(partial.first_error);
  return deleted.first_error;
}

Status RunRetention(const GlobalFlags& global, const CleanFlags& o) {
  GN_ASSIGN(Session session, OpenSession(global, o.objstore, "retention"));
  BlocksOfBucket view(session, o.concurrency());
  GN_TRY(view.AddShard(o.relabel));
  view.filters.push_back(std::make_shared<blocks::ConsistencyDelayFilter>(o.consistency_delay, SystemClock(),
                                                                          &session.runtime->registry()));
  view.filters.push_back(std::make_shared<blocks::DeduplicateFilter>());
  view.AddDeletionMarks(o.delete_delay / 2);
  GN_ASSIGN(blocks::BlockView found, view.Fetch(Cancel()));
  GN_LOG(session.logger(), kWarn, "no compactor should be running on the same bucket");
  auto marked = blocks::ApplyRetention(UpkeepOf(session), found.metas,
                                       {{0, o.raw}, {300'000, o.five_minutes}, {3'600'000, o.one_hour}}, Cancel());
  GN_LOG(session.logger(), kInfo, "retention done", {"marked", marked.done.size()}, {"failed", marked.failed});
  return marked.first_error;
}

void AddCleanup(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<CleanFlags>();
  flags::Command& command = bucket.AddCommand("cleanup", "Cleans up all blocks marked for deletion.");
  flags->Register(command.flags());
  SetRun(command, flags, [&global](const CleanFlags& o) { return RunCleanup(global, o); });
}

void AddRetention(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<CleanFlags>();
  flags::Command& command = bucket.AddCommand(
      "retention",
      "Retention applies retention policies on the given bucket. Please make sure no compactor is running "
      "on the same bucket at the same time.");
  flags::FlagSet& f = command.flags();
  flags->Register(f);
  f.PromDuration("retention.resolution-raw", "How long to retain raw samples in bucket. 0d: forever", &flags->raw);
  f.PromDuration("retention.resolution-5m",
                 "How long to retain samples of resolution 1 (5 minutes) in bucket. 0d: forever", &flags->five_minutes);
  f.PromDuration("retention.resolution-1h",
                 "How long to retain samples of resolution 2 (1 hour) in bucket. 0d: forever", &flags->one_hour);
  SetRun(command, flags, [&global](const CleanFlags& o) { return RunRetention(global, o); });
}

void AddUploadBlocks(flags::Command& bucket, const GlobalFlags& global) {
  struct Flags {
    flags::ConfigSource objstore;
    std::string path = "./data";
    std::vector<std::string> labels;
    bool upload_compacted = false;
    int concurrency = 5;
  };
  auto flags = std::make_shared<Flags>();
  flags::Command& command =
      bucket.AddCommand("upload-blocks", "Upload blocks push blocks from the provided path to the object storage.");
  flags::FlagSet& f = command.flags();
  f.Config("objstore.config", "YAML file that contains object store configuration.", &flags->objstore, true);
  f.String("path", "Path to the directory containing blocks to upload.", &flags->path);
  f.Strings("label", "External labels to add to the uploaded blocks (repeated).", &flags->labels)
      .PlaceHolder("key=\"value\"");
  f.Bool("shipper.upload-compacted", "If true shipper will try to upload compacted blocks as well.",
         &flags->upload_compacted);
  f.Int("shipper.upload-concurrency", "Number of goroutines to use when uploading block files to object storage.",
        &flags->concurrency);
  SetRun(command, flags, [&global](const Flags& o) -> Status {
    using Labels = std::map<std::string, std::string>;
    GN_ASSIGN(Labels labels, tools::ParseLabelFlags(o.labels));
    if (labels.empty()) {
      return {Code::kInvalid, "no external labels configured, uniquely identifying external labels must be configured"};
    }
    GN_TRY(io::RealFileSystem().List(o.path).status().Wrap("unable to access path '" + o.path + "'"));
    GN_ASSIGN(Session session, OpenSession(global, o.objstore, "upload"));
    blocks::ShipperOptions options;
    options.dir = o.path;
    options.source = blocks::kBucketUploadSource;
    options.upload_compacted = o.upload_compacted;
    options.upload_concurrency = static_cast<size_t>(std::max(o.concurrency, 1));
    blocks::Shipper shipper(
        options, *session.bucket, io::RealFileSystem(), session.runtime->blocking(), SystemClock(),
        [labels] { return labels; }, session.runtime->registry(), session.logger());
    blocks::ShipResult result = shipper.Sync(Cancel());
    GN_LOG(session.logger(), kInfo, "synced blocks", {"uploaded", result.uploaded}, {"failed", result.failed});
    return result.first_error.Wrap("unable to sync blocks");
  });
}

}  // namespace

void AddBucketUpkeepCommands(flags::Command& bucket, const GlobalFlags& global) {
  AddCleanup(bucket, global);
  AddRetention(bucket, global);
  AddUploadBlocks(bucket, global);
}

}  // namespace gauntlet::app
