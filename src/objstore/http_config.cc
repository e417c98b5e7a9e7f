#include "objstore/http_config.h"

#include <algorithm>

#include "config/durations.h"

namespace gauntlet::objstore {

void DecodeHttpConfig(config::Decoder& decoder, HttpConfig* out) {
  decoder.Object("http_config", "exthttp.HTTPConfig", [out](config::Decoder& d) {
    config::PromDurationField(d, "idle_conn_timeout", &out->idle_conn_timeout);
    config::PromDurationField(d, "response_header_timeout", &out->response_header_timeout);
    d.Field("insecure_skip_verify", &out->insecure_skip_verify);
    config::PromDurationField(d, "tls_handshake_timeout", &out->tls_handshake_timeout);
    config::PromDurationField(d, "expect_continue_timeout", &out->expect_continue_timeout);
    d.Field("max_idle_conns", &out->max_idle_conns);
    d.Field("max_idle_conns_per_host", &out->max_idle_conns_per_host);
    d.Field("max_conns_per_host", &out->max_conns_per_host);
    d.Object("tls_config", "exthttp.TLSConfig", [out](config::Decoder& tls) { DecodeTlsConfig(tls, &out->tls); });
    d.Field("disable_compression", &out->disable_compression);
  });
}

net::HttpClientOptions ToClientOptions(const HttpConfig& config, std::string user_agent) {
  net::HttpClientOptions options;
  options.user_agent = std::move(user_agent);
  options.tls.ca_file = config.tls.ca_file;
  options.tls.cert_file = config.tls.cert_file;
  options.tls.key_file = config.tls.key_file;
  options.tls.server_name = config.tls.server_name;
  options.tls.skip_verify = config.insecure_skip_verify;  // upstream, too, has it overrule tls_config's
  options.compression = false;
  options.idle_connections_max = static_cast<size_t>(std::max(config.max_idle_conns, 0));
  if (config.max_idle_conns == 0) options.idle_connections_max = 1000;  // Go: no limit
  options.idle_timeout = config.idle_conn_timeout;
  options.connect_timeout = std::chrono::seconds(30) + config.tls_handshake_timeout;
  options.header_timeout = config.response_header_timeout;
  options.stall_timeout = config.response_header_timeout;
  options.proxy_from_environment = true;
  options.follow_redirects = false;  // a signature is for one host
  return options;
}

}  // namespace gauntlet::objstore
