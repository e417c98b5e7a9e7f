#include "net/http/curl_request.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "base/check.h"
#include "net/url.h"

namespace gauntlet::net {
namespace {

constexpr long kRedirectsMax = 10;    // as Go's client
constexpr long kCaCacheSeconds = 60;  // how long a replaced CA file may go unnoticed by a pooled handle
constexpr long kUploadBuffer = 256 << 10;

// The bundle of this system; libcurl knows only the place of the one that it was built on.
std::string SystemCaFile() {
  struct stat st{};
  if (const char* file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0') return file;
  for (const char* path :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (stat(path, &st) == 0) return path;
  }
  return std::string();
}

Result<std::string> ReadSecret(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file.good()) return Status(Code::kUnavailable, "read " + path + ": " + std::system_category().message(errno));
  std::string secret = text.str();
  size_t first = secret.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return std::string();
  return secret.substr(first, secret.find_last_not_of(" \t\r\n") - first + 1);
}

bool HasLineBreak(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos; }

long MinVersion(TlsVersion version) {
  switch (version) {
    case TlsVersion::k10:
      return CURL_SSLVERSION_TLSv1_0;
    case TlsVersion::k11:
      return CURL_SSLVERSION_TLSv1_1;
    case TlsVersion::k12:
      return CURL_SSLVERSION_TLSv1_2;
    case TlsVersion::k13:
      return CURL_SSLVERSION_TLSv1_3;
  }
  return CURL_SSLVERSION_TLSv1_2;
}

int ServerNameIndex() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* name, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(name); });
  return index;
}

// libcurl asks for and verifies the URL's host. Another name is verified by OpenSSL's own check instead, and asked for
// at the last moment before the hello is written.
CURLcode UseServerName(CURL*, void* ssl_ctx, void* server_name) {
  auto* ctx = static_cast<SSL_CTX*>(ssl_ctx);
  const auto& name = *static_cast<const std::string*>(server_name);
  X509_VERIFY_PARAM* param = SSL_CTX_get0_param(ctx);
  if (X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1) return CURLE_OK;  // an address: no SNI
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) != 1) return CURLE_SSL_CERTPROBLEM;
  if (SSL_CTX_get_ex_data(ctx, ServerNameIndex()) == nullptr) {
    SSL_CTX_set_ex_data(ctx, ServerNameIndex(), new std::string(name));
  }
  SSL_CTX_set_info_callback(ctx, [](const SSL* ssl, int where, int) {
    if ((where & SSL_CB_HANDSHAKE_START) == 0) return;
    const void* sni = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ServerNameIndex());
    SSL_set_tlsext_host_name(const_cast<SSL*>(ssl), static_cast<const std::string*>(sni)->c_str());
  });
  return CURLE_OK;
}

}  // namespace

struct CurlRequest::Rep {
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  char error[CURL_ERROR_SIZE] = "";

  ~Rep() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  void AddHeader(const std::string& line) {
    curl_slist* more = curl_slist_append(headers, line.c_str());
    GN_CHECK(more != nullptr);
    headers = more;
  }
  template <typename T>
  void Set(CURLoption option, T value) {
    GN_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
  }
};

CurlRequest::CurlRequest(const HttpClientOptions& options, const HttpCall& call)
    : options_(options), call_(call), rep_(std::make_unique<Rep>()) {
  rep_->easy = curl_easy_init();
  GN_CHECK(rep_->easy != nullptr);
}

CurlRequest::~CurlRequest() = default;

void* CurlRequest::easy() const { return rep_->easy; }
const char* CurlRequest::error() const { return rep_->error; }

Status CurlRequest::SetUp(const Url& url) {
  Rep& curl = *rep_;
  curl.Set(CURLOPT_ERRORBUFFER, curl.error);
  curl.Set(CURLOPT_NOSIGNAL, 1L);
  curl.Set(CURLOPT_QUICK_EXIT, 1L);  // a call that ends does not wait for a name lookup that hangs
  curl.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl.Set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl.Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl.Set(CURLOPT_PATH_AS_IS, 1L);
  curl.Set(CURLOPT_TCP_KEEPALIVE, 1L);
  curl.Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  curl.Set(CURLOPT_MAXAGE_CONN, std::max(1L, static_cast<long>(options_.idle_timeout.count() / 1000)));
  curl.Set(CURLOPT_FOLLOWLOCATION, options_.follow_redirects ? 1L : 0L);
  curl.Set(CURLOPT_MAXREDIRS, kRedirectsMax);
  // Without a proxy of ours, none, unless asked for: the environment's http_proxy is for people's tools.
  if (!options_.proxy_from_environment || !options_.proxy_url.empty()) {
    curl.Set(CURLOPT_PROXY, options_.proxy_url.c_str());
    curl.Set(CURLOPT_NOPROXY, "");
  }
  curl.Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (curl_easy_setopt(curl.easy, CURLOPT_URL, call_.url.c_str()) != CURLE_OK) {
    return {Code::kInvalid, "malformed URL"};
  }
  GN_TRY(SetUpRequest());
  GN_TRY(SetUpAuth(url));
  if (url.scheme == "https" || options_.follow_redirects || !options_.proxy_url.empty()) GN_TRY(SetUpTls());
  curl.Set(CURLOPT_HTTPHEADER, curl.headers);
  return Status();
}

Status CurlRequest::SetUpRequest() {
  Rep& curl = *rep_;
  if (call_.method.empty() || call_.method.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos) {
    return {Code::kInvalid, "malformed method"};
  }
  const bool streamed = call_.streamed_body != nullptr;
  bool body =
      streamed || !call_.body.empty() || call_.method == "POST" || call_.method == "PUT" || call_.method == "PATCH";
  if (body) {
    curl.Set(CURLOPT_POST, 1L);
    if (streamed) {
      curl.Set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBuffer);
      curl.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.streamed_bytes));
    } else {
      curl.Set(CURLOPT_POSTFIELDS, call_.body.c_str());
      curl.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body.size()));
    }
  }
  if (call_.method == "HEAD") {
    curl.Set(CURLOPT_NOBODY, 1L);
  } else if (call_.method != (body ? "POST" : "GET")) {
    curl.Set(CURLOPT_CUSTOMREQUEST, call_.method.c_str());
  }
  if (!call_.headers.Has("User-Agent")) curl.Set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  // libcurl decodes what it asked for; a caller who asks by himself gets the bytes as they are.
  if (options_.compression && !call_.headers.Has("Accept-Encoding")) curl.Set(CURLOPT_ACCEPT_ENCODING, "gzip");
  curl.AddHeader("Expect:");  // no round trip before the body
  if (body && !call_.headers.Has("Content-Type")) curl.AddHeader("Content-Type:");
  for (const auto& [name, value] : call_.headers.all()) {
    if (name.empty() || HasLineBreak(name) || name.find_first_of(":; ") != std::string::npos || HasLineBreak(value)) {
      return {Code::kInvalid, "malformed header " + name.substr(0, 50)};
    }
    curl.AddHeader(value.empty() ? name + ";" : name + ": " + value);
  }
  return Status();
}

Status CurlRequest::SetUpAuth(const Url& url) {
  if (call_.headers.Has("Authorization")) return Status();
  std::string token = options_.bearer_token, password = options_.basic_password;
  if (!options_.bearer_token_file.empty()) {
    GN_ASSIGN(token, ReadSecret(options_.bearer_token_file));
  }
  if (!options_.basic_password_file.empty()) {
    GN_ASSIGN(password, ReadSecret(options_.basic_password_file));
  }
  if (!options_.basic_username.empty() || !password.empty()) {
    rep_->Set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    rep_->Set(CURLOPT_USERNAME, options_.basic_username.c_str());
    rep_->Set(CURLOPT_PASSWORD, password.c_str());
  } else if (!token.empty()) {
    if (HasLineBreak(token)) return {Code::kInvalid, "malformed bearer token"};
    rep_->AddHeader("Authorization: Bearer " + token);  // libcurl drops it when a redirect goes to another host
  } else if (!url.username.empty() || !url.password.empty()) {
    rep_->Set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
  }
  return Status();
}

Status CurlRequest::SetUpTls() {
  Rep& curl = *rep_;
  const TlsClientOptions& tls = options_.tls;
  curl.Set(CURLOPT_SSLVERSION, MinVersion(tls.min_version));
  curl.Set(CURLOPT_CA_CACHE_TIMEOUT, kCaCacheSeconds);
  std::string ca = tls.ca_file.empty() ? SystemCaFile() : tls.ca_file;
  if (!ca.empty()) curl.Set(CURLOPT_CAINFO, ca.c_str());
  if (!tls.ca_file.empty()) curl.Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // that one and no other
  if (!tls.cert_file.empty()) curl.Set(CURLOPT_SSLCERT, tls.cert_file.c_str());
  if (!tls.key_file.empty()) curl.Set(CURLOPT_SSLKEY, tls.key_file.c_str());
  curl.Set(CURLOPT_SSL_VERIFYPEER, tls.skip_verify ? 0L : 1L);
  curl.Set(CURLOPT_SSL_VERIFYHOST, tls.skip_verify || !tls.server_name.empty() ? 0L : 2L);
  if (!tls.server_name.empty()) {
    curl.Set(CURLOPT_SSL_CTX_FUNCTION, &UseServerName);
    curl.Set(CURLOPT_SSL_CTX_DATA, const_cast<std::string*>(&tls.server_name));
  }
  return Status();
}

}  // namespace gauntlet::net
