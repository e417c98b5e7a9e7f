#include "compactor/metrics.h"

#include "blocks/markers.h"

namespace gauntlet::compactor {

CompactMetrics::CompactMetrics(telemetry::Registry& registry, std::chrono::milliseconds delete_delay, bool downsampling)
    : halted(registry.MakeGauge("thanos_compact_halted",
                                "Set to 1 if the compactor halted. It does not: see gauntlet_compact_quarantined.")),
      retries(registry.MakeCounter("thanos_compact_retries_total",
                                   "Total number of retries after retriable compactor error.")),
      iterations(registry.MakeCounter("thanos_compact_iterations_total",
                                      "Total number of iterations that were executed successfully.")),
      cleanups(registry.MakeCounter(
          "thanos_compact_block_cleanup_loops_total",
          "Total number of cleanup loops of partially uploaded and marked blocks that were executed successfully.")),
      partial_deletion_attempts(registry.MakeCounter(
          "thanos_compact_aborted_partial_uploads_deletion_attempts_total",
          "Total number of started deletions of blocks that are assumed aborted and only partially uploaded.")),
      blocks_cleaned(
          registry.MakeCounter("thanos_compact_blocks_cleaned_total", "Total number of blocks deleted in compactor.")),
      cleanup_failures(registry.MakeCounter("thanos_compact_block_cleanup_failures_total",
                                            "Failures encountered while deleting blocks in compactor.")),
      garbage_collected_blocks(registry.MakeCounter("thanos_compact_garbage_collected_blocks_total",
                                                    "Total number of blocks marked for deletion by compactor.")),
      garbage_collections(registry.MakeCounter("thanos_compact_garbage_collection_total",
                                               "Total number of garbage collection operations.")),
      garbage_collection_failures(registry.MakeCounter("thanos_compact_garbage_collection_failures_total",
                                                       "Total number of failed garbage collection operations.")),
      garbage_collection_seconds(registry.MakeHistogram(
          "thanos_compact_garbage_collection_duration_seconds", "Time it took to perform garbage collection iteration.",
          {0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240, 360, 720})),
      compactions(registry.MakeCounters("thanos_compact_group_compactions_total",
                                        "Total number of group compaction attempts that resulted in a new block.",
                                        {"resolution"})),
      vertical_compactions(registry.MakeCounters(
          "thanos_compact_group_vertical_compactions_total",
          "Total number of group compaction attempts that resulted in a new block based on overlapping blocks.",
          {"resolution"})),
      failures(registry.MakeCounters("thanos_compact_group_compactions_failures_total",
                                     "Total number of failed group compactions.", {"resolution"})),
      runs_started(registry.MakeCounters("thanos_compact_group_compaction_runs_started_total",
                                         "Total number of group compaction attempts.", {"resolution"})),
      runs_completed(registry.MakeCounters(
          "thanos_compact_group_compaction_runs_completed_total",
          "Total number of group completed compaction runs, also of those that resulted with no compaction.",
          {"resolution"})),
      downsamples(registry.MakeCounters("thanos_compact_downsample_total", "Total number of downsampling attempts.",
                                        {"resolution"})),
      downsample_failures(registry.MakeCounters("thanos_compact_downsample_failures_total",
                                                "Total number of failed downsampling attempts.", {"resolution"})),
      downsample_seconds(registry.MakeHistograms("thanos_compact_downsample_duration_seconds",
                                                 "Duration of downsample runs", {"resolution"},
                                                 {60, 300, 900, 1800, 3600, 7200, 14400})),
      todo_compactions(registry.MakeGauge("thanos_compact_todo_compactions", "number of compactions to be done")),
      todo_compaction_blocks(
          registry.MakeGauge("thanos_compact_todo_compaction_blocks", "number of blocks planned to be compacted")),
      todo_deletion_blocks(registry.MakeGauge("thanos_compact_todo_deletion_blocks",
                                              "number of blocks that have crossed their retention period")),
      todo_downsample_blocks(downsampling ? &registry.MakeGauge("thanos_compact_todo_downsample_blocks",
                                                                "number of blocks to be downsampled")
                                          : nullptr),
      marked_(registry.MakeCounters("thanos_compact_blocks_marked_total", "Total number of blocks marked in compactor.",
                                    {"marker", "reason"})),
      marked_for_deletion_(registry.MakeCounter("thanos_compact_blocks_marked_for_deletion_total",
                                                "Total number of blocks marked for deletion in compactor.")),
      downsample_failed_(registry.MakeCounters("thanos_compact_downsample_failed_total",
                                               "Total number of failed downsampling attempts.", {"resolution"})) {
  registry.MakeGauge("thanos_delete_delay_seconds", "Configured delete delay in seconds.")
      .Set(std::chrono::duration<double>(delete_delay).count());
  marked_.With({blocks::kNoCompactMarkFile, blocks::kOutOfOrderChunksReason});
  marked_.With({blocks::kNoCompactMarkFile, blocks::kIndexSizeReason});
  marked_.With({blocks::kNoCompactMarkFile, blocks::kDownsampleVerticalReason});
  marked_.With({blocks::kDeletionMarkFile, ""});
  Touch("0");
}

void CompactMetrics::Marked(std::string_view file, std::string_view reason) {
  marked_.With({file, reason}).Add();
  if (file == blocks::kDeletionMarkFile) marked_for_deletion_.Add();
}

void CompactMetrics::DownsampleFailed(std::string_view resolution) {
  downsample_failures.With({resolution}).Add();
  downsample_failed_.With({resolution}).Add();
}

void CompactMetrics::Touch(std::string_view resolution) {
  for (telemetry::Family<telemetry::Counter>* family :
       {&compactions, &vertical_compactions, &failures, &runs_started, &runs_completed, &downsamples,
        &downsample_failures, &downsample_failed_})
    family->With({resolution});
}

}  // namespace gauntlet::compactor
