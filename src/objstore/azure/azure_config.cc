#include "objstore/azure/azure_config.h"

#include <map>

#include "config/decoder.h"
#include "config/durations.h"
#include "net/url.h"

namespace gauntlet::objstore {
namespace {

Status Validate(const AzureConfig& c) {
  std::string text;
  auto add = [&](const char* more) { text.append(text.empty() ? "" : ", ").append(more); };
  if (!c.user_assigned_id.empty() && !c.account_key.empty()) {
    add("user_assigned_id cannot be set when using storage_account_key authentication");
  }
  if (!c.user_assigned_id.empty() && !c.connection_string.empty()) {
    add("user_assigned_id cannot be set when using storage_connection_string authentication");
  }
  if (!c.user_assigned_id.empty() && !c.client_id.empty()) {
    add("user_assigned_id cannot be set when using client_id authentication");
  }
  bool any = !c.tenant_id.empty() || !c.client_secret.empty() || !c.client_id.empty();
  if (any && (c.tenant_id.empty() || c.client_secret.empty() || c.client_id.empty())) {
    add("az_tenant_id, client_id, and client_secret must be set together");
  }
  if (!c.account_key.empty() && !c.connection_string.empty()) {
    add("storage_account_key and storage_connection_string cannot both be set");
  }
  if (c.account.empty()) add("storage_account_name is required but not configured");
  if (c.container.empty()) add("no container specified");
  if (c.max_tries < 0) add("The value of max_tries must be greater than or equal to 0 in the config file");
  if (c.reader_retries < 0) {
    add("The value of max_retry_requests must be greater than or equal to 0 in the config file");
  }
  return text.empty() ? Status() : Status(Code::kInvalid, std::move(text));
}

}  // namespace

Result<AzureConfig> ParseAzureConfig(const config::Node& node) {
  AzureConfig c;
  GN_TRY(config::DecodeNode(node, "azure.Config", [&](config::Decoder& d) {
    d.Field("az_tenant_id", &c.tenant_id);
    d.Field("client_id", &c.client_id);
    d.Field("client_secret", &c.client_secret);
    d.Field("storage_account", &c.account);
    d.Field("storage_account_key", &c.account_key);
    d.Field("storage_connection_string", &c.connection_string);
    d.Field("storage_create_container", &c.create_container);
    d.Field("container", &c.container);
    d.Field("endpoint", &c.endpoint);
    d.Field("user_assigned_id", &c.user_assigned_id);
    d.Field("max_retries", &c.max_retries);
    d.Object("reader_config", "azure.ReaderConfig",
             [&](config::Decoder& r) { r.Field("max_retry_requests", &c.reader_retries); });
    d.Object("pipeline_config", "azure.PipelineConfig", [&](config::Decoder& p) {
      p.Field("max_tries", &c.max_tries);
      config::PromDurationField(p, "try_timeout", &c.try_timeout);
      config::PromDurationField(p, "retry_delay", &c.retry_delay);
      config::PromDurationField(p, "max_retry_delay", &c.max_retry_delay);
    });
    DecodeHttpConfig(d, &c.http);
    d.Ignore("msi_resource");
  }));
  if (c.max_tries == 0) c.max_tries = c.max_retries;
  GN_TRY(Validate(c));
  return c;
}

Result<AzureAccount> ResolveAzureAccount(const AzureConfig& config) {
  AzureAccount account;
  account.name = config.account;
  account.key = config.account_key.value();
  account.host = config.account + "." + config.endpoint;
  if (config.connection_string.empty()) return account;
  std::map<std::string, std::string> parts;
  std::string_view text = config.connection_string.value();
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    size_t equals = part.find('=');
    if (part.empty()) continue;
    if (equals == std::string_view::npos) {
      return Status(Code::kInvalid, "storage_connection_string has a part without a value");
    }
    parts[std::string(part.substr(0, equals))] = part.substr(equals + 1);
  }
  account.name = parts["AccountName"];
  account.key = parts["AccountKey"];
  account.query = parts["SharedAccessSignature"];
  if (account.query.starts_with('?')) account.query.erase(0, 1);
  std::string url = parts["BlobEndpoint"];
  if (url.empty()) {
    std::string protocol = parts["DefaultEndpointsProtocol"], suffix = parts["EndpointSuffix"];
    url = (protocol.empty() ? "https" : protocol) + "://" + account.name + ".blob." +
          (suffix.empty() ? "core.windows.net" : suffix);
  }
  GN_ASSIGN(net::Url parsed, net::Url::Parse(url));
  account.tls = parsed.scheme == "https";
  account.host = parsed.Authority();
  account.path_prefix = parsed.path == "/" ? "" : parsed.path;
  while (account.path_prefix.ends_with('/')) account.path_prefix.pop_back();
  if (account.key.empty() && account.query.empty()) {
    return Status(Code::kInvalid, "storage_connection_string has neither AccountKey nor SharedAccessSignature");
  }
  return account;
}

}  // namespace gauntlet::objstore
