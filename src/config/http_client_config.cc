#include "config/http_client_config.h"

#include "config/durations.h"

namespace gauntlet::config {
namespace {

void DecodeTransport(Decoder& d, TransportConfig* out, std::vector<std::string>* ignored) {
  d.Field("max_idle_conns", &out->max_idle_conns);
  d.Field("max_idle_conns_per_host", &out->max_idle_conns_per_host);
  d.Field("max_conns_per_host", &out->max_conns_per_host);
  GoDurationField(d, "idle_conn_timeout", &out->idle_conn_timeout);
  GoDurationField(d, "response_header_timeout", &out->response_header_timeout);
  GoDurationField(d, "expect_continue_timeout", &out->expect_continue_timeout);
  GoDurationField(d, "tls_handshake_timeout", &out->tls_handshake_timeout);
  GoDurationField(d, "dialer_timeout", &out->dialer_timeout);
  d.Field("disable_compression", &out->disable_compression);
  d.IgnoreOthers(ignored);
}

}  // namespace

void DecodeTlsConfig(Decoder& d, TlsConfig* out, std::vector<std::string>* ignored) {
  d.Field("ca_file", &out->ca_file);
  d.Field("cert_file", &out->cert_file);
  d.Field("key_file", &out->key_file);
  d.Field("server_name", &out->server_name);
  d.Field("insecure_skip_verify", &out->insecure_skip_verify);
  if (out->cert_file.empty() != out->key_file.empty()) {
    d.Fail(out->cert_file.empty() ? "key_file" : "cert_file",
           out->cert_file.empty() ? "key_file without cert_file" : "cert_file without key_file");
  }
  if (ignored != nullptr) d.IgnoreOthers(ignored);
}

void DecodeHttpClientConfig(Decoder& d, HttpClientConfig* out) {
  bool basic = d.Object("basic_auth", "clientconfig.BasicAuth", [out](Decoder& auth) {
    auth.Field("username", &out->basic_username);
    auth.Field("password", &out->basic_password);
    auth.Field("password_file", &out->basic_password_file);
    if (!out->basic_password.empty() && !out->basic_password_file.empty()) {
      auth.Fail("password_file", "at most one of basic_auth password & password_file must be configured");
    }
    auth.IgnoreOthers(&out->ignored);
  });
  d.Field("bearer_token", &out->bearer_token);
  d.Field("bearer_token_file", &out->bearer_token_file);
  if (!out->bearer_token.empty() && !out->bearer_token_file.empty()) {
    d.Fail("bearer_token_file", "at most one of bearer_token & bearer_token_file must be configured");
  }
  if (basic && (!out->bearer_token.empty() || !out->bearer_token_file.empty())) {
    d.Fail("basic_auth", "at most one of basic_auth, bearer_token & bearer_token_file must be configured");
  }
  d.Field("proxy_url", &out->proxy_url);
  d.Object("tls_config", "clientconfig.TLSConfig",
           [out](Decoder& tls) { DecodeTlsConfig(tls, &out->tls, &out->ignored); });
  d.Object("transport_config", "clientconfig.TransportConfig",
           [out](Decoder& transport) { DecodeTransport(transport, &out->transport, &out->ignored); });
  d.IgnoreOthers(&out->ignored);
}

Result<HttpClientConfig> ParseHttpClientConfig(std::string_view yaml) {
  HttpClientConfig config;
  GN_TRY(DecodeYaml(yaml, "clientconfig.HTTPClientConfig", [&](Decoder& d) { DecodeHttpClientConfig(d, &config); }));
  return config;
}

}  // namespace gauntlet::config
