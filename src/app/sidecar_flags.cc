#include "app/sidecar_flags.h"

namespace gauntlet::app {

void PrometheusFlags::Register(flags::FlagSet& f) {
  f.String("prometheus.url", "URL at which to reach Prometheus's API. For better performance use local network.", &url);
  f.GoDuration("prometheus.ready_timeout", "Maximum time to wait for the Prometheus instance to start up",
               &ready_timeout);
  f.GoDuration("prometheus.get_config_interval", "How often to get Prometheus config", &get_config_interval);
  f.GoDuration("prometheus.get_config_timeout", "Timeout for getting Prometheus config", &get_config_timeout);
  f.Config("prometheus.http-client", "YAML file or string with http client configs.", &http_client, false, false);
  f.String("tsdb.path", "Data directory of TSDB.", &tsdb_path);
  f.Bool(
      "tsdb.read-blocks",
      "Read finished blocks in --tsdb.path directly, where that is the folder of this Prometheus, instead of asking it "
      "for their samples.",
      &read_blocks);
  f.Time("min-time",
         "Start of time range limit to serve. Thanos sidecar will serve only metrics, which happened later than this "
         "value. Option can be a constant time in RFC3339 format or time duration relative to current time, such as "
         "-1d or 2h45m. Valid duration units are ms, s, m, h, d, w, y.",
         &min_time)
      .Default("0000-01-01T00:00:00Z");
  f.Config("request.logging-config", "YAML file with request logging configuration.", &request_logging);
}

void ReloaderFlags::Register(flags::FlagSet& f) {
  f.String("reloader.config-file", "Config file watched by the reloader.", &config_file);
  f.String("reloader.config-envsubst-file", "Output file for environment variable substituted config file.",
           &output_file);
  f.Strings("reloader.rule-dir", "Rule directories for the reloader to refresh (repeated field).", &rule_dirs);
  f.GoDuration("reloader.watch-interval",
               "Controls how often reloader re-reads config and rules. Set to 0s to disable reloader.",
               &watch_interval);
  f.GoDuration("reloader.retry-interval", "Controls how often reloader retries config reload in case of error.",
               &retry_interval);
  f.String("reloader.method", "Method used to reload the configuration.", &method).Enum({"http", "signal"});
  f.String("reloader.process-name",
           "Executable name used to match the process being reloaded when using the signal method.", &process);
}

void UploadFlags::Register(flags::FlagSet& f) {
  f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore);
  f.Bool("shipper.upload-compacted", "If true shipper will try to upload compacted blocks as well.", &upload_compacted);
  f.String("shipper.meta-file-name", "the file to store shipper metadata in", &meta_file_name);
  f.Int("shipper.upload-concurrency", "Number of goroutines to use when uploading block files to object storage.",
        &upload_concurrency);
  f.Bool("shipper.ignore-unequal-block-size",
         "If true shipper will not require prometheus min and max block size flags to be set to the same value.",
         &ignore_unequal_block_size)
      .Hidden();
  f.Bool("shipper.allow-out-of-order-uploads",
         "If true, shipper will skip failed block uploads in the given iteration and retry later.", &allow_out_of_order)
      .Hidden();
  f.Bool("shipper.skip-corrupted-blocks",
         "If true, shipper will skip corrupted blocks in the given iteration and retry later.", &skip_corrupted)
      .Hidden();
  RegisterHashFunction(f, &hash_func);
}

}  // namespace gauntlet::app
