#include "server/http_client_options.h"

#include <algorithm>
#include <chrono>

namespace gauntlet::server {
namespace {

// Rounded up, so that a short timeout does not become none.
std::chrono::milliseconds Milliseconds(std::chrono::nanoseconds ns) {
  return std::chrono::ceil<std::chrono::milliseconds>(ns);
}

}  // namespace

net::TlsClientOptions ToTlsClientOptions(const config::TlsConfig& config) {
  net::TlsClientOptions tls;
  tls.ca_file = config.ca_file;
  tls.cert_file = config.cert_file;
  tls.key_file = config.key_file;
  tls.server_name = config.server_name;
  tls.skip_verify = config.insecure_skip_verify;
  return tls;
}

net::HttpClientOptions ToHttpClientOptions(const config::HttpClientConfig& config) {
  net::HttpClientOptions options;
  options.basic_username = config.basic_username;
  options.basic_password = config.basic_password.value();
  options.basic_password_file = config.basic_password_file;
  options.bearer_token = config.bearer_token.value();
  options.bearer_token_file = config.bearer_token_file;
  options.proxy_url = config.proxy_url;
  options.tls = ToTlsClientOptions(config.tls);
  options.compression = !config.transport.disable_compression;
  options.idle_connections_max = static_cast<size_t>(std::max(config.transport.max_idle_conns, 0));
  options.idle_timeout = Milliseconds(config.transport.idle_conn_timeout);
  options.header_timeout = Milliseconds(config.transport.response_header_timeout);
  options.connect_timeout = Milliseconds(config.transport.dialer_timeout + config.transport.tls_handshake_timeout);
  return options;
}

}  // namespace gauntlet::server
