#include "query/endpoint_config.h"

#include "config/decoder.h"
#include "discovery/dns_provider.h"

namespace gauntlet::query {
namespace {

struct ClientConfig {
  std::optional<net::TlsClientOptions> tls;
  net::GrpcCompression compression = net::GrpcCompression::kIdentity;
};

// TLS is on when it is enabled, or when any of its fields is set.
void DecodeTls(config::Decoder& d, ClientConfig* client) {
  bool enabled = false;
  net::TlsClientOptions tls;
  std::string min_version = "1.3";
  d.Field("enabled", &enabled);
  bool any = d.Field("insecure_skip_verify", &tls.skip_verify);
  any |= d.Field("cert_file", &tls.cert_file);
  any |= d.Field("key_file", &tls.key_file);
  any |= d.Field("ca_file", &tls.ca_file);
  any |= d.Field("min_version", &min_version);
  Result<net::TlsVersion> version = net::ParseTlsVersion(min_version);
  if (version.ok()) {
    tls.min_version = *version;
  } else {
    d.Fail("min_version", version.status().message());
  }
  if (enabled || any) client->tls = std::move(tls);
}

void DecodeClient(config::Decoder& d, ClientConfig* client) {
  std::string server_name, compression;
  d.Object("tls_config", "TLSConfiguration", [&](config::Decoder& tls) { DecodeTls(tls, client); });
  if (d.Field("server_name", &server_name) && client->tls) client->tls->server_name = server_name;
  if (!d.Field("compression", &compression)) return;
  if (compression == "snappy") {
    client->compression = net::GrpcCompression::kSnappy;
  } else if (compression == "none" || compression.empty()) {
    client->compression = net::GrpcCompression::kIdentity;
  } else {
    d.Fail("compression", "unknown compression \"" + compression + "\"; expected none or snappy");
  }
}

}  // namespace

Result<std::vector<EndpointConfig>> ParseEndpointConfig(std::string_view yaml) {
  std::vector<EndpointConfig> endpoints;
  ClientConfig defaults;
  GN_TRY(config::DecodeYaml(yaml, "EndpointConfig", [&](config::Decoder& d) {
    d.Object("default_client_config", "clientConfig",
             [&](config::Decoder& client) { DecodeClient(client, &defaults); });
    d.Each("endpoints", "endpointSettings", [&](config::Decoder& e) {
      EndpointConfig endpoint;
      ClientConfig client = defaults;
      e.Field("address", &endpoint.address);
      e.Require("address");
      e.Field("strict", &endpoint.strict);
      e.Field("group", &endpoint.group);
      if (e.Has("service_config") && !endpoint.group)
        e.Fail("service_config", "service_config is only valid for endpoint groups");
      e.Ignore("service_config");
      e.Object("client_config", "clientConfig", [&](config::Decoder& c) { DecodeClient(c, &client); });
      if (endpoint.strict && !endpoint.group && discovery::IsDynamicAddress(endpoint.address)) {
        e.Fail("address",
               endpoint.address +
                   " is a dynamically specified endpoint i.e. it uses SD and that is not permitted under strict mode");
      }
      endpoint.tls = client.tls;
      endpoint.compression = client.compression;
      endpoints.push_back(std::move(endpoint));
    });
  }));
  return endpoints;
}

}  // namespace gauntlet::query
