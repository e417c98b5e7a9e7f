#include "server/web_config.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <random>
#include <unordered_map>
#include <vector>

#include "config/decoder.h"
#include "io/sha256.h"
#include "net/http/router.h"
#include "net/text.h"
#include "net/tls_context.h"
#include "server/bcrypt.h"

namespace gauntlet::server {
namespace {

using config::Decoder;

// Answers for unknown users take as long as for known ones: this hash is compared with, and never matches.
constexpr char kNobodysHash[] = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";

constexpr std::array<std::string_view, 5> kHeaders = {"Strict-Transport-Security", "X-Content-Type-Options",
                                                      "X-Frame-Options", "X-XSS-Protection", "Content-Security-Policy"};
constexpr std::array<std::string_view, 5> kClientAuth = {"NoClientCert", "RequestClientCert", "RequireAnyClientCert",
                                                         "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"};

std::string Absolute(const std::string& directory, std::string path) {
  if (path.empty() || path[0] == '/' || directory.empty()) return path;
  return directory + "/" + path;
}

void ReadVersion(Decoder& d, const char* name, net::TlsVersion* out) {
  std::string text;
  if (!d.Field(name, &text)) return;
  auto version = net::ParseTlsVersion(text);
  if (version.ok()) {
    *out = *version;
  } else {
    d.Fail(name, fmt::format("unknown TLS version: {}", text));
  }
}

void DecodeTls(Decoder& d, const std::string& directory, WebConfig* config) {
  net::TlsServerOptions tls;
  d.Field("cert_file", &tls.cert_file);
  d.Field("key_file", &tls.key_file);
  d.Field("client_ca_file", &tls.client_ca_file);
  if (d.Field("client_auth_type", &tls.client_auth) && !tls.client_auth.empty() &&
      std::find(kClientAuth.begin(), kClientAuth.end(), tls.client_auth) == kClientAuth.end()) {
    d.Fail("client_auth_type", fmt::format("Invalid ClientAuth: {}", tls.client_auth));
  }
  ReadVersion(d, "min_version", &tls.min_version);
  ReadVersion(d, "max_version", &tls.max_version);
  if (tls.min_version > tls.max_version) d.Fail("min_version", "min_version is above max_version");
  d.Field("cipher_suites", &tls.cipher_suites);
  d.Field("curve_preferences", &tls.curves);
  d.Ignore("prefer_server_cipher_suites");  // deprecated upstream as well: without effect
  for (const char* name : {"cert", "key", "client_ca", "client_allowed_sans"}) {
    if (d.Has(name)) d.Fail(name, fmt::format("{} is not supported", name));
    d.Ignore(name);
  }
  if (tls.cert_file.empty() && tls.key_file.empty() && tls.client_ca_file.empty() && tls.client_auth.empty()) return;
  if (tls.cert_file.empty()) d.Fail("", "missing cert_file");
  if (tls.key_file.empty()) d.Fail("", "missing key_file");
  if (!tls.client_ca_file.empty() && (tls.client_auth.empty() || tls.client_auth == "NoClientCert")) {
    d.Fail("client_ca_file", "Client CA's have been configured without a Client Auth Policy");
  }
  tls.cert_file = Absolute(directory, tls.cert_file);
  tls.key_file = Absolute(directory, tls.key_file);
  tls.client_ca_file = Absolute(directory, tls.client_ca_file);
  config->tls = std::move(tls);
}

void DecodeHeaders(Decoder& d, WebConfig* config) {
  d.Field("headers", &config->headers);
  for (const auto& [name, value] : config->headers) {
    if (std::find(kHeaders.begin(), kHeaders.end(), name) == kHeaders.end()) {
      d.Fail("headers", fmt::format("HTTP header \"{}\" can not be configured. Must be one of {}", name,
                                    fmt::join(kHeaders, ", ")));
    }
  }
}

// Changes whenever the file does: by replacement, or by writing into it.
std::string FileVersion(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return "absent";
  return fmt::format("{}:{}:{}:{}.{}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec);
}

// "Basic dXNlcjpwYXNz"
std::optional<std::pair<std::string, std::string>> BasicAuth(std::string_view header) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (header.size() < 6 || !net::SameToken(header.substr(0, 6), "Basic ")) return std::nullopt;
  header.remove_prefix(6);
  std::string text;
  unsigned bits = 0;
  int have = 0;
  while (header.ends_with('=')) header.remove_suffix(1);
  for (char c : header) {
    size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    text += static_cast<char>(bits >> have & 0xff);
  }
  size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

}  // namespace

Result<WebConfig> ParseWebConfig(std::string_view yaml, const std::string& directory) {
  WebConfig config;
  Status status = config::DecodeYaml(yaml, "web.Config", [&](Decoder& d) {
    d.Object("tls_server_config", "web.TLSConfig", [&](Decoder& tls) { DecodeTls(tls, directory, &config); });
    d.Object("http_server_config", "web.HTTPConfig", [&](Decoder& http) {
      http.Field("http2", &config.asks_http2);
      DecodeHeaders(http, &config);
    });
    d.Field("basic_auth_users", &config.users);
    for (const auto& [user, hash] : config.users) {
      Status valid = CheckBcryptHash(hash);
      if (!valid.ok()) d.Fail("basic_auth_users", fmt::format("user \"{}\": {}", user, valid.message()));
    }
    if (d.Has("rate_limit")) d.Fail("rate_limit", "rate_limit is not supported");
    d.Ignore("rate_limit");
  });
  if (!status.ok()) return status;
  return config;
}

// Verdicts on passwords, so that only the first request of a client costs a hash.
struct WebConfigFile::Cache {
  static constexpr size_t kMax = 100;
  Mutex mutex;  // of the map
  std::unordered_map<std::string, bool> known GN_GUARDED_BY(mutex);
  std::minstd_rand random GN_GUARDED_BY(mutex);
  Mutex hashing;  // one hash at a time: wrong passwords must not take all cores
};

WebConfigFile::WebConfigFile(std::string path) : path_(std::move(path)), cache_(std::make_unique<Cache>()) {}
WebConfigFile::~WebConfigFile() = default;

Result<std::unique_ptr<WebConfigFile>> WebConfigFile::Open(std::string path) {
  std::unique_ptr<WebConfigFile> file(new WebConfigFile(std::move(path)));
  GN_ASSIGN(auto config, file->Get());
  if (config->tls) {
    auto context = net::MakeTlsServerContext(*config->tls, {});
    if (!context.ok()) return context.status().Wrap(file->path_);
  }
  return file;
}

Result<std::shared_ptr<const WebConfig>> WebConfigFile::Get() {
  MutexLock lock(mutex_);
  std::string version = path_.empty() ? "none" : FileVersion(path_);
  if (version == version_) {
    if (!error_.ok()) return error_;
    return config_;
  }
  std::string text;
  error_ = Status();
  if (!path_.empty()) {
    std::ifstream file(path_, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) error_ = Status(Code::kNotFound, fmt::format("read web configuration {}", path_));
  }
  if (error_.ok()) {
    size_t slash = path_.rfind('/');
    auto config = ParseWebConfig(text, slash == std::string::npos ? "" : path_.substr(0, slash));
    if (config.ok()) {
      config_ = std::make_shared<const WebConfig>(*std::move(config));
    } else {
      error_ = config.status().Wrap(path_);
    }
  }
  version_ = std::move(version);
  if (!error_.ok()) return error_;
  return config_;
}

Result<std::optional<net::TlsServerOptions>> WebConfigFile::Tls() {
  GN_ASSIGN(auto config, Get());
  return config->tls;
}

bool WebConfigFile::KnowsPassword(const WebConfig& config, const std::string& user, const std::string& password) {
  auto found = config.users.find(user);
  bool known_user = found != config.users.end();
  const std::string& hash = known_user ? found->second : kNobodysHash;
  // A digest, so that no password stays in memory; lengths first, so that no two triples make the same text.
  std::string key = io::Sha256Hex(fmt::format("{}:{}:{}{}{}", user.size(), password.size(), user, password, hash));
  {
    MutexLock lock(cache_->mutex);
    auto cached = cache_->known.find(key);
    if (cached != cache_->known.end()) return cached->second;
  }
  bool matches = false;
  {
    MutexLock lock(cache_->hashing);
    matches = MatchesBcrypt(password, hash) && known_user;
  }
  MutexLock lock(cache_->mutex);
  if (cache_->known.size() >= Cache::kMax) {
    auto victim = cache_->known.begin();
    std::advance(victim, static_cast<ptrdiff_t>(cache_->random() % cache_->known.size()));
    cache_->known.erase(victim);
  }
  cache_->known[std::move(key)] = matches;
  return matches;
}

bool WebConfigFile::Admit(const net::HttpRequest& request, net::HttpReply& reply) {
  auto config = Get();
  if (!config.ok()) {
    net::ReplyText(reply, 500, "Internal Server Error");
    return false;
  }
  for (const auto& [name, value] : (*config)->headers) reply.headers().Set(name, value);
  if ((*config)->users.empty()) return true;
  auto auth = BasicAuth(request.headers.Get("Authorization"));
  if (auth && KnowsPassword(**config, auth->first, auth->second)) return true;
  reply.headers().Set("WWW-Authenticate", "Basic");
  net::ReplyText(reply, 401, "Unauthorized");
  return false;
}

}  // namespace gauntlet::server
