#include "app/store_flags.h"

namespace gauntlet::app {

void BlockFlags::Register(flags::FlagSet& f) {
  f.String(
      "data-dir",
      "Local data directory used for caching purposes (index-header, in-mem cache items and meta.jsons). If removed, "
      "no data will be lost, just store will have to rebuild the cache.",
      &data_dir);
  f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore, true);
  f.Config("objstore-parquet.config",
           "YAML file of a bucket with blocks in Parquet: blocks that were converted to them are not served here.",
           &parquet);
  f.Bool("cache-index-header",
         "Keep index-headers and meta.jsons on disk, in --data-dir. Without it they are held in memory alone: headers "
         "count against --memory.limit, and come from the bucket again after a start.",
         &headers_on_disk);
  f.GoDuration("sync-block-duration", "Repeat interval for syncing the blocks between local and remote view.",
               &sync_interval);
  f.String("block-discovery-strategy",
           "One of concurrent, recursive. With recursive one listing finds everything; concurrent asks for each block.",
           &strategy)
      .Enum({"concurrent", "recursive"});
  f.Int("block-sync-concurrency", "Number of index headers that are made at the same time.", &sync_concurrency);
  f.Int("block-meta-fetch-concurrency", "Number of goroutines to use when fetching block metadata from object storage.",
        &meta_concurrency);
  f.Time(
       "min-time",
       "Start of time range limit to serve. Thanos Store will serve only metrics, which happened later than this "
       "value. Option can be a constant time in RFC3339 format or time duration relative to current time, such as -1d "
       "or 2h45m.",
       &min_time)
      .Default("0000-01-01T00:00:00Z");
  f.Time(
       "max-time",
       "End of time range limit to serve. Thanos Store will serve only blocks, which happened earlier than this value.",
       &max_time)
      .Default("9999-12-31T23:59:59Z");
  f.Config("selector.relabel-config",
           "YAML with relabeling configuration that selects blocks by their external labels.", &relabel);
  f.PromDuration("consistency-delay", "Minimum age of all blocks before they are being read.", &consistency_delay);
  f.PromDuration("ignore-deletion-marks-delay",
                 "Duration after which the blocks marked for deletion will be filtered out while fetching blocks.",
                 &ignore_deletion_marks_delay);
  f.Bool("store.enable-index-header-lazy-reader",
         "Index headers are always loaded when they are first used; with this, those that are idle are let go.",
         &lazy_headers);
  f.String("store.index-header-lazy-download-strategy",
           "eager: index headers are made in the background after a sync; lazy: when they are first used.",
           &header_strategy)
      .Enum({"eager", "lazy"});
  f.GoDuration("store.index-header-lazy-reader-idle-timeout",
               "If index-header lazy reader is enabled, offload memory for the index-header after this time.",
               &header_idle_timeout)
      .Hidden();
  f.Int("store.index-header-posting-offsets-in-mem-sampling",
        "Accepted; the place of every 32nd value is kept in memory.", &header_sampling)
      .Hidden();
}

void StoreReadFlags::Register(flags::FlagSet& f) {
  f.Bytes("index-cache-size",
          "Maximum size of items held in the in-memory index cache. Ignored if --index-cache.config is given.",
          &index_cache_bytes);
  f.Config("index-cache.config", "YAML file that contains index cache configuration.", &index_cache);
  f.Config("store.caching-bucket.config", "YAML that contains configuration for caching bucket.", &caching_bucket);
  f.Bytes("chunk-pool-size", "Accepted: chunks are counted against --memory.limit instead.", &chunk_pool_bytes);
  f.Bytes(
      "memory.limit",
      "Bytes that caches, buffers and answers together may hold; the call that goes over ends with an error. 0: nine "
      "tenths of the memory that the process may use.",
      &memory_limit);
  f.Uint64("store.grpc.touched-series-limit", "Deprecated: --store.limits.request-series.", &old_series_limit)
      .Warn("--store.grpc.touched-series-limit is deprecated: use --store.limits.request-series");
  f.Uint64("store.grpc.series-sample-limit", "Deprecated: --store.limits.request-samples.", &old_samples_limit)
      .Warn("--store.grpc.series-sample-limit is deprecated: use --store.limits.request-samples");
  f.Bytes(
      "store.grpc.downloaded-bytes-limit",
      "Maximum amount of downloaded (either fetched or touched) bytes in a single Series/LabelNames/LabelValues call.",
      &downloaded_bytes);
  f.Int("store.grpc.series-max-concurrency", "Maximum number of concurrent Series calls.", &series_concurrency);
  f.Bool("store.enable-lazy-expanded-postings",
         "If true, Store Gateway will estimate postings size and try to lazily expand postings if it downloads less "
         "data than expanding all postings.",
         &lazy_postings);
  f.Double("store.posting-group-max-key-series-ratio",
           "Mark posting group as lazy if it fetches more keys than R * max series the query should fetch. With R set "
           "to 100, a posting group which fetches 100K keys will be marked as lazy if the current query only fetches "
           "1000 series. Set to 0 to disable. Only valid with --store.enable-lazy-expanded-postings.",
           &posting_ratio);
  f.Int("matcher-cache-size", "Max number of cached matchers items. Using 0 disables caching.", &matcher_cache);
  f.Config("request.logging-config", "YAML file with request logging configuration.", &request_logging);
  f.Int("debug.series-batch-size", "Series entries of one block that are read at a time, at most.", &series_batch)
      .Hidden();
  f.Bytes("debug.estimated-max-series-size", "Estimated max series size.", &series_estimate).Hidden();
  f.Bytes("debug.estimated-max-chunk-size", "Estimated max chunk size.", &chunk_estimate).Hidden();
}

void StoreWebFlags::Register(flags::FlagSet& f) {
  f.Bool("web.disable", "Disable Block Viewer UI.", &disable);
  f.String("web.external-prefix", "Static prefix for all HTML links and redirect URLs in the bucket web UI interface.",
           &external_prefix);
  f.String("web.prefix-header", "Name of HTTP request header used for dynamic prefixing of UI links and redirects.",
           &prefix_header);
  f.Bool("web.disable-cors", "Whether to disable CORS headers to be set by Thanos.", &disable_cors);
  f.String("bucket-web-label", "External block label to use as group title in the bucket web UI.", &label);
  f.Bool("disable-admin-operations", "Disable UI/API admin operations like marking blocks for deletion.",
         &disable_admin);
}

}  // namespace gauntlet::app
