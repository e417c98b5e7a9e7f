// The http_config section that the configurations of most providers have, and the HTTP client that it asks for.
//
// Format:  Thanos, "storage", http_config       Upstream: objstore exthttp
// Threads: values.

#pragma once

#include <chrono>
#include <string>

#include "config/decoder.h"
#include "config/http_client_config.h"
#include "net/http/client.h"

namespace gauntlet::objstore {

struct HttpConfig {
  std::chrono::milliseconds idle_conn_timeout{90'000};
  std::chrono::milliseconds response_header_timeout{120'000};
  std::chrono::milliseconds tls_handshake_timeout{10'000};
  std::chrono::milliseconds expect_continue_timeout{1'000};  // accepted; no request waits for a "100 Continue"
  bool insecure_skip_verify = false;
  int max_idle_conns = 100;
  int max_idle_conns_per_host = 100;
  int max_conns_per_host = 0;  // accepted; callers bound what they do at once
  config::TlsConfig tls;
  bool disable_compression = false;  // accepted; objects are never asked for compressed
};

// The field "http_config" of a provider's configuration.
void DecodeHttpConfig(config::Decoder& decoder, HttpConfig* out);

// Requests that move no byte for the response header timeout end with kDeadline.
net::HttpClientOptions ToClientOptions(const HttpConfig& config, std::string user_agent);

}  // namespace gauntlet::objstore
