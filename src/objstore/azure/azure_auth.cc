#include "objstore/azure/azure_auth.h"

#include <algorithm>
#include <vector>

#include "base/env_expand.h"
#include "net/text.h"
#include "objstore/http_date.h"
#include "objstore/rest/bearer_authorizer.h"
#include "objstore/sign.h"

namespace gauntlet::objstore {
namespace {

constexpr char kVersion[] = "2021-12-02";
constexpr char kAzureScope[] = "https://storage.azure.com/";

class SharedKeyAuthorizer final : public Authorizer {
 public:
  SharedKeyAuthorizer(std::string account, std::string key) : account_(std::move(account)), key_(std::move(key)) {}
  Status Authorize(int64_t now_ms, const std::string&, Request* request, const Cancel&) override {
    request->headers.Set("x-ms-date", FormatHttpDate(now_ms));
    request->headers.Set("x-ms-version", kVersion);
    request->headers.Set("Authorization", "SharedKey " + account_ + ":" +
                                              Base64(HmacSha256(key_, AzureStringToSign(account_, *request))));
    return Status();
  }

 private:
  const std::string account_, key_;  // the key raw
};

// The signature is in the query; the version of the protocol still has to be said.
class QueryAuthorizer final : public Authorizer {
 public:
  Status Authorize(int64_t, const std::string&, Request* request, const Cancel&) override {
    request->headers.Set("x-ms-version", kVersion);
    return Status();
  }
};

class VersionedBearer final : public Authorizer {
 public:
  explicit VersionedBearer(std::unique_ptr<BearerAuthorizer> bearer) : bearer_(std::move(bearer)) {}
  Status Authorize(int64_t now_ms, const std::string& region, Request* request, const Cancel& cancel) override {
    request->headers.Set("x-ms-version", kVersion);
    return bearer_->Authorize(now_ms, region, request, cancel);
  }
  bool Renew() override { return bearer_->Renew(); }

 private:
  const std::unique_ptr<BearerAuthorizer> bearer_;
};

net::HttpCall TokenCall(const std::string& tenant, const net::FormValues& form) {
  std::string authority = EnvironmentVariable("AZURE_AUTHORITY_HOST");
  if (authority.empty()) authority = "https://login.microsoftonline.com";
  while (authority.ends_with('/')) authority.pop_back();
  net::HttpCall call{.method = "POST", .url = authority + "/" + net::PercentEncode(tenant) + "/oauth2/v2.0/token"};
  call.headers.Add("Content-Type", "application/x-www-form-urlencoded");
  call.body = form.Encode();
  return call;
}

net::FormValues ClientForm(const std::string& client_id) {
  net::FormValues form;
  form.Add("grant_type", "client_credentials");
  form.Add("client_id", client_id);
  form.Add("scope", std::string(kAzureScope) + ".default");
  return form;
}

net::HttpCall InstanceCall(const std::string& client_id) {
  std::string url = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=" +
                    net::PercentEncode(kAzureScope);
  if (!client_id.empty()) url += "&client_id=" + net::PercentEncode(client_id);
  net::HttpCall call{.url = url};
  call.headers.Add("Metadata", "true");
  return call;
}

}  // namespace

std::string AzureStringToSign(const std::string& account, const Request& request) {
  const uint64_t length = request.file != nullptr ? request.file_bytes : request.body.size();
  std::string text = request.method + "\n";
  for (const char* name : {"Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type",
                           "Date", "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"}) {
    if (std::string_view(name) == "Content-Length") {
      text += length > 0 ? std::to_string(length) : "";
    } else {
      text += request.headers.Get(name);
    }
    text += "\n";
  }
  std::vector<std::pair<std::string, std::string>> own, query;
  for (const auto& [name, value] : request.headers.all()) {
    std::string lower = net::LowerAscii(name);
    if (lower.starts_with("x-ms-")) own.emplace_back(std::move(lower), value);
  }
  std::sort(own.begin(), own.end());
  for (const auto& [name, value] : own) text += name + ":" + value + "\n";
  text += "/" + account + (request.escaped_path.empty() ? AwsEscape(request.path, true) : request.escaped_path);
  for (const auto& [name, value] : request.query) query.emplace_back(net::LowerAscii(name), value);
  std::sort(query.begin(), query.end());
  for (const auto& [name, value] : query) text += "\n" + name + ":" + value;
  return text;
}

Result<std::unique_ptr<Authorizer>> MakeAzureAuthorizer(const AzureConfig& config, const AzureAccount& account,
                                                        io::FileSystem& files, Clock& clock) {
  if (!account.key.empty()) {
    Result<std::string> key = Base64Decode(account.key);
    if (!key.ok()) return Status(Code::kInvalid, "the account key is not base64");
    return std::unique_ptr<Authorizer>(std::make_unique<SharedKeyAuthorizer>(account.name, *std::move(key)));
  }
  if (!account.query.empty()) return std::unique_ptr<Authorizer>(std::make_unique<QueryAuthorizer>());
  net::HttpClientOptions options;
  options.proxy_from_environment = true;
  options.connect_timeout = std::chrono::milliseconds(10'000);
  GN_ASSIGN(std::unique_ptr<net::HttpClient> made, net::HttpClient::Make(options));
  std::shared_ptr<net::HttpClient> http = std::move(made);
  std::string tenant = config.tenant_id, client = config.client_id, secret = config.client_secret.value();
  if (secret.empty() && config.user_assigned_id.empty()) {
    tenant = EnvironmentVariable("AZURE_TENANT_ID");
    client = EnvironmentVariable("AZURE_CLIENT_ID");
    secret = EnvironmentVariable("AZURE_CLIENT_SECRET");
  }
  const std::string token_file =
      config.user_assigned_id.empty() ? EnvironmentVariable("AZURE_FEDERATED_TOKEN_FILE") : "";
  BearerAuthorizer::Fetch fetch;
  if (!secret.empty() && !tenant.empty() && !client.empty()) {
    fetch = [=, raw = http.get(), &clock](const Cancel& cancel) {
      net::FormValues form = ClientForm(client);
      form.Add("client_secret", secret);
      return AskForToken(*raw, TokenCall(tenant, form), clock, cancel);
    };
  } else if (!token_file.empty() && !tenant.empty() && !client.empty()) {
    fetch = [=, raw = http.get(), &clock, &files](const Cancel& cancel) -> Result<BearerToken> {
      GN_ASSIGN(std::string assertion, files.ReadFile(token_file, 1 << 20));
      while (!assertion.empty() && assertion.back() <= ' ') assertion.pop_back();
      net::FormValues form = ClientForm(client);
      form.Add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
      form.Add("client_assertion", assertion);
      return AskForToken(*raw, TokenCall(tenant, form), clock, cancel);
    };
  } else {
    fetch = [id = config.user_assigned_id, raw = http.get(), &clock](const Cancel& cancel) {
      return AskForToken(*raw, InstanceCall(id), clock, cancel);
    };
  }
  return std::unique_ptr<Authorizer>(std::make_unique<VersionedBearer>(
      std::make_unique<BearerAuthorizer>(std::move(fetch), clock, "Authorization", http)));
}

}  // namespace gauntlet::objstore
