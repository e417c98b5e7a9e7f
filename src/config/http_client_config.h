// HttpClientConfig: how a client of HTTP endpoints authenticates and connects, as Thanos' YAML says it.
//
// Format:  docs of Thanos, "HTTP client config"; `server` turns it into options of `net`.
// Threads: a value.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/status.h"
#include "config/decoder.h"
#include "config/secret.h"

namespace gauntlet::config {

struct TlsConfig {
  std::string ca_file, cert_file, key_file, server_name;
  bool insecure_skip_verify = false;
};

// The file's timeouts are integers of nanoseconds, or Go durations.
struct TransportConfig {
  int max_idle_conns = 100;
  int max_idle_conns_per_host = 2;
  int max_conns_per_host = 0;  // 0 = no limit
  std::chrono::nanoseconds idle_conn_timeout = std::chrono::seconds(90);
  std::chrono::nanoseconds response_header_timeout{0};  // 0 = none
  std::chrono::nanoseconds expect_continue_timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds tls_handshake_timeout = std::chrono::seconds(10);
  std::chrono::nanoseconds dialer_timeout = std::chrono::seconds(5);
  bool disable_compression = false;
};

struct HttpClientConfig {
  std::string basic_username, basic_password_file;
  Secret basic_password;
  Secret bearer_token;
  std::string bearer_token_file;
  std::string proxy_url;
  TlsConfig tls;
  TransportConfig transport;
  std::vector<std::string> ignored;  // fields that are unknown, which the original does not mind: to be warned of
};

// For a mapping that is, or contains, such a section. `ignored` null: unknown fields are errors.
void DecodeTlsConfig(Decoder& decoder, TlsConfig* out, std::vector<std::string>* ignored = nullptr);
void DecodeHttpClientConfig(Decoder& decoder, HttpClientConfig* out);
Result<HttpClientConfig> ParseHttpClientConfig(std::string_view yaml);

}  // namespace gauntlet::config
