#include "app/common_flags.h"

namespace gauntlet::app {

void GlobalFlags::Register(flags::FlagSet& f) {
  f.String("log.level", "Log filtering level.", &log_level).Enum({"error", "warn", "info", "debug"});
  f.String("log.format", "Log format to use. Possible options: logfmt, json or journald.", &log_format)
      .Enum({"logfmt", "json", "journald"});
  f.String("debug.name", "Name to add as prefix to log lines.", &debug_name).Hidden();
  f.Config("tracing.config", "YAML file with tracing configuration.", &tracing);
  f.Bool("enable-auto-gomemlimit", "Accepted for compatibility: there is no garbage collector to tune.",
         &auto_gomemlimit)
      .Warn("--enable-auto-gomemlimit has no effect: there is no garbage collector to tune");
  f.Double("auto-gomemlimit.ratio", "Accepted for compatibility.", &auto_gomemlimit_ratio);
}

void StoreLimitFlags::Register(flags::FlagSet& f) {
  f.Uint64("store.limits.request-series",
           "The maximum series allowed for a single Series request. The Series call fails if this limit is exceeded. 0 "
           "means no limit.",
           &series);
  f.Uint64("store.limits.request-samples",
           "The maximum samples allowed for a single Series request, counted as 120 a chunk. The Series call fails if "
           "this limit is exceeded. 0 means no limit.",
           &samples);
}

void WebFlags::Register(flags::FlagSet& f) {
  f.String("web.route-prefix", "Prefix for API and UI endpoints. Defaults to the value of --web.external-prefix.",
           &route_prefix);
  f.String("web.external-prefix", "Static prefix for all HTML links and redirect URLs in the UI query web interface.",
           &external_prefix);
  f.String("web.prefix-header", "Name of HTTP request header used for dynamic prefixing of UI links and redirects.",
           &prefix_header);
  f.Bool("web.disable-cors", "Whether to disable CORS headers to be set.", &disable_cors);
}

void RegisterHashFunction(flags::FlagSet& f, std::string* value) {
  f.String("hash-func",
           "Hash function of the files of produced blocks, which permits not to download some of them twice. Possible "
           "values are: \"\", \"SHA256\".",
           value)
      .Enum({"SHA256", ""});
}

}  // namespace gauntlet::app
