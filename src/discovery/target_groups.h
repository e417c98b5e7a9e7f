// Target groups as files say them: a list of {targets: [...], labels: {...}} in JSON or YAML.
//
// Format:  Prometheus' file_sd. Upstream: prometheus discovery/file, discovery/targetgroup
// Threads: values.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace gauntlet::discovery {

struct TargetGroup {
  std::string source;                                       // "path:index"
  std::vector<std::string> targets;                         // addresses
  std::vector<std::pair<std::string, std::string>> labels;  // of all of them

  bool operator==(const TargetGroup&) const = default;
};

// Strict: an unknown field is an error, as is anything but a list. The error says where in the text.
Result<std::vector<TargetGroup>> ParseTargetGroupsJson(std::string_view text, const std::string& path);
Result<std::vector<TargetGroup>> ParseTargetGroupsYaml(std::string_view text, const std::string& path);
// By the end of the path: .json, .yml, .yaml (or in capitals).
Result<std::vector<TargetGroup>> ParseTargetGroups(std::string_view text, const std::string& path);

}  // namespace gauntlet::discovery
