#include "objstore/swift/swift_auth.h"

#include "json/reader.h"
#include "json/writer.h"
#include "model/time.h"
#include "objstore/rest/rest_client.h"

namespace gauntlet::objstore {
namespace {

void WriteDomain(json::Writer& w, const std::string& id, const std::string& name) {
  if (id.empty() && name.empty()) return;
  w.Key("domain").BeginObject();
  if (!id.empty()) {
    w.StringMember("id", id);
  } else {
    w.StringMember("name", name);
  }
  w.EndObject();
}

const std::string& Either(const std::string& a, const std::string& b) { return a.empty() ? b : a; }

void WriteUser(json::Writer& w, const SwiftConfig& c, bool with_password) {
  w.Key("user").BeginObject();
  if (!c.user_id.empty()) {
    w.StringMember("id", c.user_id);
  } else {
    w.StringMember("name", c.username);
    WriteDomain(w, Either(c.user_domain_id, c.domain_id), Either(c.user_domain_name, c.domain_name));
  }
  if (with_password) w.StringMember("password", c.password.value());
  w.EndObject();
}

}  // namespace

std::string KeystoneLogin(const SwiftConfig& c) {
  std::string text;
  json::Writer w(&text);
  const bool application = !c.application_credential_secret.empty();
  w.BeginObject().Key("auth").BeginObject().Key("identity").BeginObject();
  w.Key("methods").BeginArray().String(application ? "application_credential" : "password").EndArray();
  if (application) {
    w.Key("application_credential").BeginObject();
    if (!c.application_credential_id.empty()) {
      w.StringMember("id", c.application_credential_id);
    } else {
      w.StringMember("name", c.application_credential_name);
      WriteUser(w, c, false);
    }
    w.StringMember("secret", c.application_credential_secret.value()).EndObject();
  } else {
    w.Key("password").BeginObject();
    WriteUser(w, c, true);
    w.EndObject();
  }
  w.EndObject();
  // An application credential is of one project already.
  if (!application && (!c.project_id.empty() || !c.project_name.empty())) {
    w.Key("scope").BeginObject().Key("project").BeginObject();
    if (!c.project_id.empty()) {
      w.StringMember("id", c.project_id);
    } else {
      w.StringMember("name", c.project_name);
      WriteDomain(w, Either(c.project_domain_id, c.domain_id), Either(c.project_domain_name, c.domain_name));
    }
    w.EndObject().EndObject();
  }
  w.EndObject().EndObject();
  return text;
}

net::Url SwiftAuth::storage() {
  MutexLock lock(mutex_);
  return storage_;
}

Status SwiftAuth::SetStorage(std::string_view url) {
  GN_ASSIGN(net::Url parsed, net::Url::Parse(url));
  while (parsed.path.ends_with('/')) parsed.path.pop_back();
  MutexLock lock(mutex_);
  storage_ = std::move(parsed);
  return Status();
}

Result<BearerToken> SwiftAuth::Login(const Cancel& cancel) {
  CancelSource limited(cancel, config_.timeout);
  int version = config_.auth_version;
  if (version == 0) {
    version = config_.auth_url.find("v3") != std::string::npos   ? 3
              : config_.auth_url.find("v2") != std::string::npos ? 2
                                                                 : 1;
  }
  Result<BearerToken> token = version == 1   ? LoginV1(limited.cancel())
                              : version == 3 ? LoginV3(limited.cancel())
                                             : Result<BearerToken>(Status(Code::kUnsupported, "auth_version 2"));
  if (!token.ok()) return token.status().Wrap("authentication");
  return token;
}

Result<BearerToken> SwiftAuth::LoginV1(const Cancel& cancel) {
  net::HttpCall call{.url = config_.auth_url};
  call.headers.Add("X-Auth-User", config_.username);
  call.headers.Add("X-Auth-Key", config_.password.value());
  GN_ASSIGN(net::HttpAnswer answer, http_->Do(call, cancel, 1 << 20));
  if (answer.status / 100 != 2) return Status(CodeOfStatus(answer.status), "status " + std::to_string(answer.status));
  GN_TRY(SetStorage(answer.headers.Get("X-Storage-Url")));
  BearerToken token;
  token.token = answer.headers.Get("X-Auth-Token");
  if (token.token.empty()) return Status(Code::kCorrupt, "an answer without X-Auth-Token");
  return token;
}

Result<BearerToken> SwiftAuth::LoginV3(const Cancel& cancel) {
  std::string url = config_.auth_url;
  while (url.ends_with('/')) url.pop_back();
  net::HttpCall call{.method = "POST", .url = url + "/auth/tokens"};
  call.headers.Add("Content-Type", "application/json");
  call.body = KeystoneLogin(config_);
  GN_ASSIGN(net::HttpAnswer answer, http_->Do(call, cancel, 16 << 20));
  if (answer.status / 100 != 2) return Status(CodeOfStatus(answer.status), "status " + std::to_string(answer.status));
  GN_ASSIGN(json::Document document, json::Document::Parse(answer.body));
  json::Value root = document.root().Get("token"), catalog = root.Get("catalog");
  BearerToken token;
  token.token = answer.headers.Get("X-Subject-Token");
  if (Result<int64_t> end = ParseRfc3339(root.Get("expires_at").String().value_or("")); end.ok())
    token.expires_ms = *end;
  for (size_t i = 0; i < catalog.size(); ++i) {
    if (catalog[i].Get("type").String().value_or("") != "object-store") continue;
    json::Value endpoints = catalog[i].Get("endpoints");
    for (size_t j = 0; j < endpoints.size(); ++j) {
      auto get = [&](const char* key) { return endpoints[j].Get(key).String().value_or(""); };
      bool region = config_.region_name.empty() || get("region") == config_.region_name ||
                    get("region_id") == config_.region_name;
      if (get("interface") != "public" || !region) continue;
      GN_TRY(SetStorage(get("url")));
      return token;
    }
  }
  return Status(Code::kInvalid, "the catalog has no public object store" +
                                    (config_.region_name.empty() ? "" : " in region " + config_.region_name));
}

}  // namespace gauntlet::objstore
