#include "app/compact_flags.h"

#include <algorithm>

#include "compactor/downsampling.h"

namespace gauntlet::app {

void CompactBlockFlags::Register(flags::FlagSet& f) {
  f.String("data-dir", "Data directory in which to cache metas and to work.", &data_dir);
  f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore, true);
  f.GoDuration("consistency-delay",
               "Minimum age of fresh (non-compacted) blocks before they are being processed. Uploads that were given "
               "up are removed after the maximum of this and 48h.",
               &consistency_delay);
  f.PromDuration("delete-delay",
                 "Time before a block marked for deletion is deleted from the bucket. With 0, queries may fail while a "
                 "store gateway still has the block.",
                 &delete_delay);
  f.String("block-discovery-strategy",
           "One of concurrent, recursive. With recursive one listing finds everything; concurrent asks for each block.",
           &strategy)
      .Enum({"concurrent", "recursive"});
  f.Int("block-meta-fetch-concurrency", "Number of metas fetched at a time.", &meta_concurrency);
  f.Int("block-files-concurrency", "Number of files of a block that are fetched or uploaded at a time.",
        &files_concurrency);
  f.Time("min-time", "Only blocks that end later are looked at: RFC3339, or relative to now (-1d, 2h45m).", &min_time)
      .Default("0000-01-01T00:00:00Z");
  f.Time("max-time", "Only blocks that begin earlier are looked at: RFC3339, or relative to now (-1d, 2h45m).",
         &max_time)
      .Default("9999-12-31T23:59:59Z");
  f.Config("selector.relabel-config",
           "YAML with relabeling configuration that selects blocks by their external labels (without replica labels).",
           &relabel);
}

void CompactLoopFlags::Register(flags::FlagSet& f) {
  f.Bool("wait", "Do not exit after all compactions have been processed and wait for new work.", &wait).Short('w');
  f.GoDuration("wait-interval",
               "Wait interval between consecutive compaction runs. Only works when --wait flag specified.",
               &wait_interval);
  f.GoDuration(
      "compact.cleanup-interval",
      "How often marked blocks and given-up uploads are removed in the background with --wait. 0s: only at the "
      "end of an iteration.",
      &cleanup_interval);
  f.GoDuration("compact.progress-interval",
               "How often what is to be done is counted in the background with --wait (thanos_compact_todo_*). 0s: "
               "never.",
               &progress_interval);
  f.Int("compact.concurrency", "Number of groups that are compacted at a time.", &concurrency);
  f.Int("compact.blocks-fetch-concurrency", "Number of blocks of a group that are fetched at a time.",
        &fetch_concurrency);
  f.Int("downsample.concurrency", "Number of blocks that are downsampled at a time.", &downsample_concurrency);
  f.Bytes("memory.limit",
          "Bytes that merges and downsampling may hold together; what would go over is put off. 0: nine tenths of the "
          "memory that the process may use.",
          &memory_limit);
  f.Bool("compact.leases",
         "Share the work with other compactors on the bucket: one that works on a group says so in the bucket.",
         &leases);
  f.GoDuration("compact.lease-time", "After this time without a sign of life, another compactor takes over a group.",
               &lease_time)
      .Hidden();
}

void CompactMergeFlags::Register(flags::FlagSet& f) {
  f.PromDuration("retention.resolution-raw", "How long to retain raw samples in bucket. 0d: forever.", &keep_raw);
  f.PromDuration("retention.resolution-5m",
                 "How long to retain samples of resolution 1 (5 minutes) in bucket. 0d: forever.", &keep_5m);
  f.PromDuration("retention.resolution-1h",
                 "How long to retain samples of resolution 2 (1 hour) in bucket. 0d: forever.", &keep_1h);
  f.Bool("downsampling.disable", "Disables downsampling.", &downsampling_off);
  f.Strings(
      "deduplication.replica-label",
      "Label that tells replicas apart: it is ignored, and blocks of replicas are merged into one (repeated, or a "
      "comma separated list). This is irreversible, and enables vertical compaction.",
      &replica_labels);
  f.String("deduplication.func",
           "How samples of overlapping blocks are merged. \"\": the same samples become one; \"penalty\": stays on a "
           "replica and fills its gaps from others; \"penalty-exact\": as Thanos does, with the samples that it loses.",
           &function)
      .Enum({"", "penalty", "penalty-exact"});
  RegisterHashFunction(f, &hash_function);
  f.Bool("compact.enable-vertical-compaction",
         "Merge overlapping blocks of one origin. Without it, a group with such blocks is quarantined. Irreversible.",
         &vertical)
      .Hidden();
  f.Bool("compact.auto-repair",
         "Repair what can be repaired without losing a sample: overlapping blocks are merged, chunks that are out of "
         "order are sorted.",
         &auto_repair);
  f.Bytes("compact.block-max-index-size",
          "Maximum index size of a result: the source with the largest index is marked no-compact when the sum could "
          "exceed it.",
          &index_bytes_max)
      .Hidden();
  f.Bool("compact.skip-block-with-out-of-order-chunks",
         "Mark blocks with out-of-order chunks no-compact instead of quarantining them.", &skip_unordered_chunks)
      .Hidden();
  f.Bool("debug.halt-on-error",
         "Nothing halts. With --no-debug.halt-on-error and --wait, the process ends with an error after an iteration "
         "that leaves blocks or groups quarantined.",
         &halt_on_error)
      .Hidden();
  f.Bool("debug.accept-malformed-index", "Results are published though their index has labels out of order.",
         &accept_malformed_index)
      .Hidden();
  f.Int("debug.max-compaction-level", "Maximum compaction level: 0=1h, 1=2h, 2=8h, 3=48h, 4=336h.", &level_max)
      .Hidden();
}

Status CompactMergeFlags::Check() const {
  if (function.starts_with("penalty") && SplitLabels(replica_labels).empty()) {
    return {Code::kInvalid, "penalty based deduplication needs at least one replica label specified"};
  }
  if (downsampling_off) return Status();
  if (keep_raw.count() != 0 && keep_raw.count() < compactor::kDownsampleTo5mFromMs) {
    return {Code::kInvalid,
            "raw resolution must be higher than the minimum block size after which 5m resolution downsampling will "
            "occur (40 hours)"};
  }
  if (keep_5m.count() != 0 && keep_5m.count() < compactor::kDownsampleTo1hFromMs) {
    return {Code::kInvalid,
            "5m resolution retention must be higher than the minimum block size after which 1h resolution downsampling "
            "will occur (10 days)"};
  }
  return Status();
}

void CompactWebFlags::Register(flags::FlagSet& f) {
  web.Register(f);
  f.Bool("web.disable", "Disable Block Viewer UI.", &disable);
  f.String("bucket-web-label", "External block label to use as group title in the bucket web UI.", &label);
  f.Bool("disable-admin-operations", "Disable UI/API admin operations like marking blocks for deletion.",
         &disable_admin);
  f.GoDuration("block-viewer.global.sync-block-interval", "Repeat interval for syncing the blocks of the /global view.",
               &view_interval);
  f.GoDuration("block-viewer.global.sync-block-timeout", "Maximum time for syncing the blocks of the /global view.",
               &view_timeout);
}

std::vector<std::string> SplitLabels(const std::vector<std::string>& given) {
  std::vector<std::string> labels;
  for (const std::string& list : given) {
    for (size_t at = 0; at <= list.size();) {
      const size_t end = std::min(list.find(',', at), list.size());
      std::string label = list.substr(at, end - at);
      if (!label.empty() && std::find(labels.begin(), labels.end(), label) == labels.end())
        labels.push_back(std::move(label));
      at = end + 1;
    }
  }
  return labels;
}

}  // namespace gauntlet::app
