#include "objstore/s3/credentials.h"

#include <chrono>
#include <cstdlib>

#include "json/reader.h"
#include "model/time.h"
#include "net/text.h"
#include "objstore/xml.h"

namespace gauntlet::objstore {
namespace {

constexpr int64_t kRenewBeforeMs = 5 * 60 * 1000;
constexpr std::chrono::milliseconds kAskTimeout{10'000};
constexpr char kInstance[] = "http://169.254.169.254";
constexpr char kContainer[] = "http://169.254.170.2";

std::string Trim(std::string_view text) {
  size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

Result<int64_t> Expiry(std::string_view text) {
  if (text.empty()) return INT64_MAX;
  return ParseRfc3339(text);
}

// What the metadata services answer.
Result<Credentials> ParseRoleJson(std::string_view text) {
  GN_ASSIGN(json::Document document, json::Document::Parse(text));
  json::Value root = document.root();
  auto get = [&](std::string_view key) { return std::string(root.Get(key).String().value_or("")); };
  if (std::string code = get("Code"); !code.empty() && code != "Success") {
    return Status(Code::kDenied, "the role's credentials are not given out: " + code);
  }
  Credentials credentials{get("AccessKeyId"), get("SecretAccessKey"), get("Token")};
  if (credentials.anonymous()) return Status(Code::kCorrupt, "an answer without AccessKeyId");
  GN_ASSIGN(credentials.expires_ms, Expiry(get("Expiration")));
  return credentials;
}

}  // namespace

std::optional<Credentials> ParseCredentialsFile(std::string_view text, std::string_view profile) {
  std::optional<Credentials> found;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string line = Trim(text.substr(at, end - at));
    at = end + 1;
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = Trim(std::string_view(line).substr(1, line.find(']') - 1)) == profile;
      if (inside) found.emplace();
      continue;
    }
    size_t equals = line.find('=');
    if (!inside || equals == std::string::npos) continue;
    std::string key = Trim(std::string_view(line).substr(0, equals)),
                value = Trim(std::string_view(line).substr(equals + 1));
    if (key == "aws_access_key_id") found->access_key = value;
    if (key == "aws_secret_access_key") found->secret_key = value;
    if (key == "aws_session_token") found->session_token = value;
  }
  if (found.has_value() && (found->access_key.empty() || found->secret_key.empty())) return std::nullopt;
  return found;
}

CredentialChain::CredentialChain(CredentialOptions options, net::HttpClient& client, io::FileSystem& files,
                                 Clock& clock)
    : options_(std::move(options)),
      client_(client),
      files_(files),
      clock_(clock),
      current_([this](const Cancel& cancel) { return Fetch(cancel); }, clock, kRenewBeforeMs) {}

std::string CredentialChain::Env(const std::string& name) const {
  if (options_.environment) return options_.environment(name).value_or("");
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

Result<Credentials> CredentialChain::Get(const Cancel& cancel) { return current_.Get(cancel); }

bool CredentialChain::Forget() {
  // Those without an end come from the environment or a file, which may have been replaced; or there are none.
  std::optional<Credentials> had = current_.Forget();
  return had.has_value() && !had->anonymous();
}

Result<Credentials> CredentialChain::Fetch(const Cancel& cancel) {
  auto either = [&](const char* a, const char* b) {
    std::string value = Env(a);
    return value.empty() ? Env(b) : value;
  };
  Credentials env{either("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"), either("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"),
                  Env("AWS_SESSION_TOKEN")};
  if (!env.access_key.empty() && !env.secret_key.empty()) return env;
  GN_ASSIGN(std::optional<Credentials> file, FromFile());
  if (file.has_value()) return *std::move(file);
  if (!Env("AWS_WEB_IDENTITY_TOKEN_FILE").empty() && !Env("AWS_ROLE_ARN").empty()) return FromWebIdentity(cancel);
  if (std::string path = Env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); !path.empty()) {
    return FromContainer((options_.endpoint.empty() ? kContainer : options_.endpoint) + path, cancel);
  }
  if (std::string url = Env("AWS_CONTAINER_CREDENTIALS_FULL_URI"); !url.empty()) return FromContainer(url, cancel);
  if (Env("AWS_EC2_METADATA_DISABLED") == "true") return Credentials{};
  Result<Credentials> instance = FromInstance(cancel);
  if (instance.ok() || !cancel.status().ok()) return instance;
  // No such service here: then requests go out unsigned; asked again in a while.
  if (instance.status().code() == Code::kUnavailable || instance.status().code() == Code::kNotFound ||
      instance.status().code() == Code::kDeadline) {
    Credentials anonymous;
    anonymous.expires_ms = clock_.NowMs() + kRenewBeforeMs + 60'000;
    return anonymous;
  }
  return instance;
}

Result<std::optional<Credentials>> CredentialChain::FromFile() {
  std::string path = Env("AWS_SHARED_CREDENTIALS_FILE");
  if (path.empty() && !Env("HOME").empty()) path = Env("HOME") + "/.aws/credentials";
  if (path.empty()) return std::optional<Credentials>();
  Result<std::string> text = files_.ReadFile(path, 1 << 20);
  if (!text.ok()) {
    if (text.status().code() == Code::kNotFound || text.status().code() == Code::kDenied) {
      return std::optional<Credentials>();
    }
    return text.status();
  }
  std::string profile = Env("AWS_PROFILE");
  return ParseCredentialsFile(*text, profile.empty() ? "default" : profile);
}

Result<net::HttpAnswer> CredentialChain::Ask(const net::HttpCall& call, const Cancel& cancel) {
  CancelSource limited(cancel, kAskTimeout);
  GN_ASSIGN(net::HttpAnswer answer, client_.Do(call, limited.cancel(), 1 << 20));
  if (answer.status / 100 == 2) return answer;
  Code code = answer.status == 404                           ? Code::kNotFound
              : answer.status == 401 || answer.status == 403 ? Code::kDenied
              : answer.status >= 500                         ? Code::kUnavailable
                                                             : Code::kInvalid;
  return Status(code, "status " + std::to_string(answer.status));
}

Result<Credentials> CredentialChain::FromWebIdentity(const Cancel& cancel) {
  auto get = [&]() -> Result<Credentials> {
    GN_ASSIGN(std::string token, files_.ReadFile(Env("AWS_WEB_IDENTITY_TOKEN_FILE"), 1 << 20));
    std::string region = Env("AWS_REGION");
    std::string host = region.empty()
                           ? "https://sts.amazonaws.com"
                           : "https://sts." + region + ".amazonaws.com" + (region.starts_with("cn-") ? ".cn" : "");
    if (!options_.endpoint.empty()) host = options_.endpoint;
    std::string session = Env("AWS_ROLE_SESSION_NAME");
    if (session.empty()) session = std::to_string(clock_.NowMs() * 1'000'000);
    net::FormValues form;
    form.Add("Action", "AssumeRoleWithWebIdentity");
    form.Add("RoleArn", Env("AWS_ROLE_ARN"));
    form.Add("RoleSessionName", session);
    form.Add("Version", "2011-06-15");
    form.Add("WebIdentityToken", Trim(token));
    net::HttpCall call{.method = "POST", .url = host};
    call.headers.Add("Content-Type", "application/x-www-form-urlencoded");
    call.body = form.Encode();
    GN_ASSIGN(net::HttpAnswer answer, Ask(call, cancel));
    GN_ASSIGN(XmlNode root, ParseXml(answer.body));
    const XmlNode* node = root.Find("Credentials");
    if (node == nullptr) return Status(Code::kCorrupt, "an answer without Credentials");
    Credentials credentials{std::string(node->Text("AccessKeyId")), std::string(node->Text("SecretAccessKey")),
                            std::string(node->Text("SessionToken"))};
    GN_ASSIGN(credentials.expires_ms, Expiry(node->Text("Expiration")));
    return credentials;
  };
  Result<Credentials> credentials = get();
  if (!credentials.ok()) return credentials.status().Wrap("assume the role of the web identity");
  return credentials;
}

Result<Credentials> CredentialChain::FromContainer(const std::string& url, const Cancel& cancel) {
  auto get = [&]() -> Result<Credentials> {
    std::string token = Env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (std::string path = Env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !path.empty()) {
      GN_ASSIGN(token, files_.ReadFile(path, 1 << 20));
      token = Trim(token);
    }
    net::HttpCall call{.url = url};
    if (!token.empty()) call.headers.Add("Authorization", token);
    GN_ASSIGN(net::HttpAnswer answer, Ask(call, cancel));
    return ParseRoleJson(answer.body);
  };
  Result<Credentials> credentials = get();
  if (!credentials.ok()) return credentials.status().Wrap("ask for the container's credentials");
  return credentials;
}

Result<Credentials> CredentialChain::FromInstance(const Cancel& cancel) {
  auto get = [&]() -> Result<Credentials> {
    std::string base = options_.endpoint;
    if (base.empty()) base = Env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (base.empty()) base = kInstance;
    while (base.ends_with('/')) base.pop_back();
    net::HttpCall token{.method = "PUT", .url = base + "/latest/api/token"};
    token.headers.Add("X-aws-ec2-metadata-token-ttl-seconds", "21600");
    GN_ASSIGN(net::HttpAnswer session, Ask(token, cancel));
    auto ask = [&](const std::string& path) {
      net::HttpCall call{.url = base + "/latest/meta-data/iam/security-credentials/" + path};
      call.headers.Add("X-aws-ec2-metadata-token", Trim(session.body));
      return Ask(call, cancel);
    };
    GN_ASSIGN(net::HttpAnswer roles, ask(""));
    std::string role = Trim(std::string_view(roles.body).substr(0, roles.body.find('\n')));
    if (role.empty()) return Status(Code::kNotFound, "the instance has no role");
    GN_ASSIGN(net::HttpAnswer answer, ask(net::PercentEncode(role)));
    return ParseRoleJson(answer.body);
  };
  Result<Credentials> credentials = get();
  if (!credentials.ok()) return credentials.status().Wrap("ask for the instance's role");
  return credentials;
}

}  // namespace gauntlet::objstore
