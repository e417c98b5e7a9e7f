// Flags that several commands share, in the groups of Thanos' kingpin helpers.
//
// Threads: filled by parsing, then read.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "flags/flag.h"

namespace gauntlet::app {

// Of every command.
struct GlobalFlags {
  std::string log_level = "info", log_format = "logfmt", debug_name;
  flags::ConfigSource tracing;
  bool auto_gomemlimit = false;
  double auto_gomemlimit_ratio = 0.9;
  void Register(flags::FlagSet& f);
};

struct StoreLimitFlags {
  uint64_t series = 0, samples = 0;
  void Register(flags::FlagSet& f);
};

struct WebFlags {
  std::string route_prefix, external_prefix, prefix_header;
  bool disable_cors = false;
  void Register(flags::FlagSet& f);
};

// --hash-func of those that make blocks: "" or "SHA256".
void RegisterHashFunction(flags::FlagSet& f, std::string* value);

}  // namespace gauntlet::app
