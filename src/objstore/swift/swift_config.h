// SwiftConfig: Thanos' YAML of an OpenStack Swift container.
//
// Format:  Thanos, "storage", OpenStack Swift      Upstream: objstore providers/swift
// Threads: a value.

#pragma once

#include <chrono>
#include <string>

#include "base/status.h"
#include "config/secret.h"
#include "config/yaml.h"
#include "objstore/http_config.h"

namespace gauntlet::objstore {

struct SwiftConfig {
  int auth_version = 0;  // 0 = by the URL
  std::string auth_url, username, user_domain_name, user_domain_id, user_id;
  config::Secret password;
  std::string domain_id, domain_name;
  std::string application_credential_id, application_credential_name;
  config::Secret application_credential_secret;
  std::string project_id, project_name, project_domain_id, project_domain_name, region_name;
  std::string container, segments_container;
  uint64_t chunk_bytes = uint64_t{1} << 30;
  int retries = 3;
  std::chrono::milliseconds connect_timeout{10'000}, timeout{300'000};
  bool dynamic_large_objects = false;
  HttpConfig http;
};

Result<SwiftConfig> ParseSwiftConfig(const config::Node& node);

}  // namespace gauntlet::objstore
