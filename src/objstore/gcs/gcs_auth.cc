#include "objstore/gcs/gcs_auth.h"

#include <chrono>

#include "base/env_expand.h"
#include "json/reader.h"
#include "json/writer.h"
#include "objstore/rest/bearer_authorizer.h"
#include "objstore/sign.h"

namespace gauntlet::objstore {
namespace {

constexpr char kGcsScope[] = "https://www.googleapis.com/auth/devstorage.full_control";
constexpr char kTokenUri[] = "https://oauth2.googleapis.com/token";

net::HttpCall FormCall(const std::string& url, const net::FormValues& form) {
  net::HttpCall call{.method = "POST", .url = url};
  call.headers.Add("Content-Type", "application/x-www-form-urlencoded");
  call.body = form.Encode();
  return call;
}

Result<std::string> FindCredentials(io::FileSystem& files) {
  std::string path = EnvironmentVariable("GOOGLE_APPLICATION_CREDENTIALS");
  if (!path.empty()) return files.ReadFile(path, 1 << 20);
  if (EnvironmentVariable("HOME").empty()) return std::string();
  Result<std::string> text =
      files.ReadFile(EnvironmentVariable("HOME") + "/.config/gcloud/application_default_credentials.json", 1 << 20);
  return text.ok() ? text : Result<std::string>(std::string());
}

}  // namespace

Result<std::string> GoogleAssertion(std::string_view email, std::string_view key_id, std::string_view private_key_pem,
                                    std::string_view audience, int64_t now_s) {
  std::string header, claims;
  json::Writer(&header)
      .BeginObject()
      .StringMember("alg", "RS256")
      .StringMember("typ", "JWT")
      .StringMember("kid", key_id)
      .EndObject();
  json::Writer(&claims)
      .BeginObject()
      .StringMember("iss", email)
      .StringMember("scope", kGcsScope)
      .StringMember("aud", audience)
      .IntMember("iat", now_s)
      .IntMember("exp", now_s + 3600)
      .EndObject();
  std::string text = Base64Url(header) + "." + Base64Url(claims);
  GN_ASSIGN(std::string signature, SignRsaSha256(private_key_pem, "", text));
  return text + "." + Base64Url(signature);
}

Result<std::unique_ptr<Authorizer>> MakeGcsAuthorizer(std::string credentials, io::FileSystem& files, Clock& clock) {
  net::HttpClientOptions options;
  options.proxy_from_environment = true;
  options.connect_timeout = std::chrono::milliseconds(10'000);
  GN_ASSIGN(std::unique_ptr<net::HttpClient> made, net::HttpClient::Make(options));
  std::shared_ptr<net::HttpClient> http = std::move(made);
  net::HttpClient* raw = http.get();
  if (credentials.empty()) {
    GN_ASSIGN(credentials, FindCredentials(files));
  }
  BearerAuthorizer::Fetch fetch;
  if (credentials.empty()) {
    std::string host = EnvironmentVariable("GCE_METADATA_HOST");
    if (host.empty()) host = "169.254.169.254";
    fetch = [host, raw, &clock](const Cancel& cancel) {
      net::HttpCall call{.url = "http://" + host + "/computeMetadata/v1/instance/service-accounts/default/token"};
      call.headers.Add("Metadata-Flavor", "Google");
      return AskForToken(*raw, std::move(call), clock, cancel);
    };
  } else {
    Result<json::Document> document = json::Document::Parse(credentials);
    if (!document.ok()) return Status(Code::kInvalid, "the credentials of Google are not JSON");
    auto get = [&](std::string_view key) { return std::string(document->root().Get(key).String().value_or("")); };
    const std::string type = get("type");
    std::string uri = get("token_uri");
    if (uri.empty()) uri = kTokenUri;
    if (type == "service_account") {
      std::string email = get("client_email"), id = get("private_key_id"), key = get("private_key");
      GN_TRY(GoogleAssertion(email, id, key, uri, 0).status());  // a key that cannot sign is told now
      fetch = [=, &clock](const Cancel& cancel) -> Result<BearerToken> {
        GN_ASSIGN(std::string assertion, GoogleAssertion(email, id, key, uri, clock.NowMs() / 1000));
        net::FormValues form;
        form.Add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        form.Add("assertion", assertion);
        return AskForToken(*raw, FormCall(uri, form), clock, cancel);
      };
    } else if (type == "authorized_user") {
      net::FormValues form;
      form.Add("grant_type", "refresh_token");
      form.Add("client_id", get("client_id"));
      form.Add("client_secret", get("client_secret"));
      form.Add("refresh_token", get("refresh_token"));
      fetch = [=, &clock](const Cancel& cancel) { return AskForToken(*raw, FormCall(uri, form), clock, cancel); };
    } else {
      return Status(Code::kUnsupported, "credentials of Google of type \"" + type + "\"");
    }
  }
  return std::unique_ptr<Authorizer>(
      std::make_unique<BearerAuthorizer>(std::move(fetch), clock, "Authorization", std::move(http)));
}

}  // namespace gauntlet::objstore
