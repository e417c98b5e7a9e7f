// From the YAML of an HTTP client to the options of `net`.
//
// Threads: pure functions.

#pragma once

#include "config/http_client_config.h"
#include "net/http/client.h"

namespace gauntlet::server {

net::HttpClientOptions ToHttpClientOptions(const config::HttpClientConfig& config);
net::TlsClientOptions ToTlsClientOptions(const config::TlsConfig& config);

}  // namespace gauntlet::server
