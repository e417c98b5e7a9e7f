// AzureConfig: Thanos' YAML of an Azure blob container, and the connection string that it may hold.
//
// Format:  Thanos, "storage", Azure      Upstream: objstore providers/azure
// Threads: a value.

#pragma once

#include <chrono>
#include <string>

#include "base/status.h"
#include "config/secret.h"
#include "config/yaml.h"
#include "objstore/http_config.h"

namespace gauntlet::objstore {

struct AzureConfig {
  std::string tenant_id, client_id;
  config::Secret client_secret;
  std::string account;
  config::Secret account_key, connection_string;
  bool create_container = true;
  std::string container;
  std::string endpoint = "blob.core.windows.net";
  std::string user_assigned_id;
  int max_retries = 0, reader_retries = 0, max_tries = 0;
  std::chrono::milliseconds try_timeout{0}, retry_delay{0}, max_retry_delay{0};
  HttpConfig http;
};

Result<AzureConfig> ParseAzureConfig(const config::Node& node);

// Where the container is, and what proves who asks.
struct AzureAccount {
  bool tls = true;
  std::string host;         // "account.blob.core.windows.net"
  std::string path_prefix;  // "/account" where the host does not name it (the emulator)
  std::string name, key;    // the key in base64; "" = a token or a signature in the query
  std::string query;        // of a shared access signature
};

Result<AzureAccount> ResolveAzureAccount(const AzureConfig& config);

}  // namespace gauntlet::objstore
