// OpenSSL contexts. Go's names for cipher suites are IANA's, which OpenSSL translates, with two exceptions; the suites
// of TLS 1.3 cannot be chosen in Go, so naming them there is allowed and changes nothing.

#include "net/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <system_error>

namespace gauntlet::net {
namespace {

int VersionNumber(TlsVersion version) {
  switch (version) {
    case TlsVersion::k10:
      return TLS1_VERSION;
    case TlsVersion::k11:
      return TLS1_1_VERSION;
    case TlsVersion::k12:
      return TLS1_2_VERSION;
    case TlsVersion::k13:
      return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

Status OpenSslError(Code code, const std::string& doing) { return Status(code, doing + ": " + TlsErrorText(nullptr)); }

// ALPN's form on the wire: each name after its length.
std::string AlpnBytes(const std::vector<std::string>& protocols) {
  std::string out;
  for (const std::string& name : protocols) {
    out.push_back(static_cast<char>(name.size()));
    out += name;
  }
  return out;
}

// The list travels with the context, and is freed with it.
int AlpnIndex() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* list, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(list); });
  return index;
}

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
               unsigned int offered_size, void* list) {
  const auto& ours = *static_cast<const std::string*>(list);
  unsigned char* chosen = nullptr;
  int result = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                     static_cast<unsigned>(ours.size()), offered, offered_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int AcceptAnyCertificate(int, X509_STORE_CTX*) { return 1; }

Status SetVersions(SSL_CTX* ctx, TlsVersion min, TlsVersion max) {
  if (min > max) return Status(Code::kInvalid, "TLS: the minimum version is above the maximum version");
  // OpenSSL 3 has no signature for TLS below 1.2 left at level 1. Go's limits are those of level 1.
  SSL_CTX_set_security_level(ctx, min < TlsVersion::k12 ? 0 : 1);
  if (SSL_CTX_set_min_proto_version(ctx, VersionNumber(min)) != 1 ||
      SSL_CTX_set_max_proto_version(ctx, VersionNumber(max)) != 1) {
    return OpenSslError(Code::kInvalid, "TLS versions");
  }
  return Status();
}

Status SetCiphers(SSL_CTX* ctx, const std::vector<std::string>& names) {
  if (names.empty()) return Status();
  std::string list;
  for (const std::string& name : names) {
    if (name == "TLS_AES_128_GCM_SHA256" || name == "TLS_AES_256_GCM_SHA384" ||
        name == "TLS_CHACHA20_POLY1305_SHA256") {
      continue;
    }
    std::string standard = name;
    if (name == "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" || name == "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305") {
      standard += "_SHA256";
    }
    const char* ours = OPENSSL_cipher_name(standard.c_str());
    if (ours == nullptr || std::strcmp(ours, "(NONE)") == 0) {
      return Status(Code::kInvalid, "unknown TLS cipher suite \"" + name + "\"");
    }
    list += (list.empty() ? "" : ":") + std::string(ours);
  }
  if (list.empty()) {  // only suites of 1.3: nothing older can be agreed on
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    return Status();
  }
  if (SSL_CTX_set_cipher_list(ctx, list.c_str()) != 1) return OpenSslError(Code::kInvalid, "TLS cipher suites " + list);
  return Status();
}

Status SetCurves(SSL_CTX* ctx, const std::vector<std::string>& names) {
  if (names.empty()) return Status();
  constexpr std::array<std::array<const char*, 2>, 4> kCurves{
      {{"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}, {"X25519", "X25519"}}};
  std::string list;
  for (const std::string& name : names) {
    const char* ours = nullptr;
    for (const auto& [go, openssl] : kCurves) {
      if (name == go) ours = openssl;
    }
    if (ours == nullptr) return Status(Code::kInvalid, "unknown TLS curve \"" + name + "\"");
    list += (list.empty() ? "" : ":") + std::string(ours);
  }
  if (SSL_CTX_set1_groups_list(ctx, list.c_str()) != 1) return OpenSslError(Code::kInvalid, "TLS curves " + list);
  return Status();
}

Status LoadCertificate(SSL_CTX* ctx, const std::string& cert_file, const std::string& key_file) {
  if (SSL_CTX_use_certificate_chain_file(ctx, cert_file.c_str()) != 1) {
    return OpenSslError(Code::kInvalid, "load TLS certificate " + cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(ctx, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return OpenSslError(Code::kInvalid, "load TLS key " + key_file);
  }
  if (SSL_CTX_check_private_key(ctx) != 1) {
    return OpenSslError(Code::kInvalid, "match TLS certificate " + cert_file + " with key " + key_file);
  }
  return Status();
}

Status SetClientAuth(SSL_CTX* ctx, const TlsServerOptions& options) {
  std::string auth = options.client_auth;
  if (auth.empty()) auth = options.client_ca_file.empty() ? "NoClientCert" : "RequireAndVerifyClientCert";
  int mode = SSL_VERIFY_NONE;
  bool verify = false;
  if (auth == "RequestClientCert") {
    mode = SSL_VERIFY_PEER;
  } else if (auth == "RequireAnyClientCert") {
    mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  } else if (auth == "VerifyClientCertIfGiven") {
    mode = SSL_VERIFY_PEER, verify = true;
  } else if (auth == "RequireAndVerifyClientCert") {
    mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify = true;
  } else if (auth != "NoClientCert") {
    return Status(Code::kInvalid, "unknown TLS client_auth_type \"" + auth + "\"");
  }
  SSL_CTX_set_verify(ctx, mode, mode != SSL_VERIFY_NONE && !verify ? AcceptAnyCertificate : nullptr);
  if (options.client_ca_file.empty()) {
    if (!verify) return Status();
    return Status(Code::kInvalid, "TLS client_auth_type " + auth + " needs a client CA file");
  }
  if (SSL_CTX_load_verify_file(ctx, options.client_ca_file.c_str()) != 1) {
    return OpenSslError(Code::kInvalid, "load TLS client CA " + options.client_ca_file);
  }
  if (STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(options.client_ca_file.c_str())) {
    SSL_CTX_set_client_CA_list(ctx, names);
  }
  return Status();
}

// Where distributions keep the system's certificates; OpenSSL itself knows only the place it was built for.
void LoadSystemRoots(SSL_CTX* ctx) {
  SSL_CTX_set_default_verify_paths(ctx);
  for (const char* path :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (SSL_CTX_load_verify_file(ctx, path) == 1) break;
  }
  ERR_clear_error();
}

TlsContext NewContext(const SSL_METHOD* method) {
  SSL_CTX* ctx = SSL_CTX_new(method);
  if (ctx == nullptr) return nullptr;
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return TlsContext(ctx, SSL_CTX_free);
}

std::string FileKey(const std::string& path) {
  if (path.empty()) return "-;";
  struct stat st{};
  if (stat(path.c_str(), &st) != 0) return "absent;";
  return std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec) + "/" +
         std::to_string(st.st_size) + "/" + std::to_string(st.st_ino) + ";";
}

void AppendKey(std::string* key, const std::string& part) { *key += std::to_string(part.size()) + ":" + part; }

std::string OptionsKey(const TlsServerOptions& o) {
  std::string key;
  for (const std::string* part : {&o.cert_file, &o.key_file, &o.client_ca_file, &o.client_auth}) AppendKey(&key, *part);
  key += std::to_string(static_cast<int>(o.min_version)) + "-" + std::to_string(static_cast<int>(o.max_version));
  for (const auto& name : o.cipher_suites) AppendKey(&key, name);
  key += "/";
  for (const auto& name : o.curves) AppendKey(&key, name);
  return key;
}

std::string OptionsKey(const TlsClientOptions& o) {
  std::string key;
  for (const std::string* part : {&o.ca_file, &o.cert_file, &o.key_file}) AppendKey(&key, *part);
  return key + std::to_string(o.skip_verify) + std::to_string(static_cast<int>(o.min_version));
}

bool IsIpAddress(const std::string& host) {
  in6_addr buffer{};
  return inet_pton(AF_INET, host.c_str(), &buffer) == 1 || inet_pton(AF_INET6, host.c_str(), &buffer) == 1;
}

std::string EntryText(const X509_NAME_ENTRY* entry) {
  unsigned char* text = nullptr;
  int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) return std::string();
  std::string out(reinterpret_cast<char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return out;
}

std::vector<std::string> Entries(const X509_NAME* name, int nid) {
  std::vector<std::string> out;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
    out.push_back(EntryText(X509_NAME_get_entry(name, at)));
  }
  return out;
}

}  // namespace

Result<TlsContext> MakeTlsServerContext(const TlsServerOptions& options, const std::vector<std::string>& protocols) {
  TlsContext context = NewContext(TLS_server_method());
  if (!context) return OpenSslError(Code::kInternal, "make TLS context");
  SSL_CTX* ctx = context.get();
  GN_TRY(SetVersions(ctx, options.min_version, options.max_version));
  GN_TRY(SetCiphers(ctx, options.cipher_suites));
  GN_TRY(SetCurves(ctx, options.curves));
  GN_TRY(LoadCertificate(ctx, options.cert_file, options.key_file));
  GN_TRY(SetClientAuth(ctx, options));
  // Without a session id context, OpenSSL refuses to resume sessions that carried a client certificate.
  static constexpr unsigned char kSessionContext[] = "gauntlet";
  SSL_CTX_set_session_id_context(ctx, kSessionContext, sizeof(kSessionContext) - 1);
  if (!protocols.empty()) {
    auto* list = new std::string(AlpnBytes(protocols));
    SSL_CTX_set_ex_data(ctx, AlpnIndex(), list);
    SSL_CTX_set_alpn_select_cb(ctx, SelectAlpn, list);
  }
  return context;
}

Result<TlsContext> MakeTlsClientContext(const TlsClientOptions& options, const std::vector<std::string>& protocols) {
  TlsContext context = NewContext(TLS_client_method());
  if (!context) return OpenSslError(Code::kInternal, "make TLS context");
  SSL_CTX* ctx = context.get();
  GN_TRY(SetVersions(ctx, options.min_version, TlsVersion::k13));
  if (options.skip_verify) {
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
    if (options.ca_file.empty()) {
      LoadSystemRoots(ctx);
    } else if (SSL_CTX_load_verify_file(ctx, options.ca_file.c_str()) != 1) {
      return OpenSslError(Code::kInvalid, "load TLS CA " + options.ca_file);
    }
  }
  if (options.cert_file.empty() != options.key_file.empty()) {
    return Status(Code::kInvalid, "TLS: a client certificate needs both a certificate file and a key file");
  }
  if (!options.cert_file.empty()) GN_TRY(LoadCertificate(ctx, options.cert_file, options.key_file));
  std::string list = AlpnBytes(protocols);
  if (!list.empty() && SSL_CTX_set_alpn_protos(ctx, reinterpret_cast<const unsigned char*>(list.data()),
                                               static_cast<unsigned>(list.size())) != 0) {
    return OpenSslError(Code::kInternal, "set ALPN");
  }
  return context;
}

Result<TlsContext> TlsServerContexts::Get(const TlsServerOptions& options) {
  std::string options_key = OptionsKey(options);
  std::string files_key = FileKey(options.cert_file) + FileKey(options.key_file) + FileKey(options.client_ca_file);
  MutexLock lock(mutex_);
  bool same_options = context_ && options_key == options_key_;
  if (same_options && files_key == files_key_) return context_;
  Result<TlsContext> fresh = MakeTlsServerContext(options, protocols_);
  if (!fresh.ok()) return same_options ? Result<TlsContext>(context_) : fresh;
  context_ = *fresh;
  options_key_ = std::move(options_key);
  files_key_ = std::move(files_key);
  return context_;
}

Result<TlsContext> TlsClientContexts::Get(const TlsClientOptions& options) {
  std::string options_key = OptionsKey(options);
  std::string files_key = FileKey(options.cert_file) + FileKey(options.key_file) + FileKey(options.ca_file);
  MutexLock lock(mutex_);
  bool same_options = context_ && options_key == options_key_;
  if (same_options && files_key == files_key_) return context_;
  Result<TlsContext> fresh = MakeTlsClientContext(options, protocols_);
  if (!fresh.ok()) return same_options ? Result<TlsContext>(context_) : fresh;
  context_ = *fresh;
  options_key_ = std::move(options_key);
  files_key_ = std::move(files_key);
  return context_;
}

Status SetTlsServerName(ssl_st* ssl, const TlsClientOptions& options, const std::string& host) {
  const std::string& name = options.server_name.empty() ? host : options.server_name;
  if (IsIpAddress(name)) {  // SNI is for names only
    if (options.skip_verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1) return Status();
    return OpenSslError(Code::kInvalid, "TLS server name " + name);
  }
  if (SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) {
    return OpenSslError(Code::kInvalid, "TLS server name " + name);
  }
  if (options.skip_verify) return Status();
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (SSL_set1_host(ssl, name.c_str()) != 1) return OpenSslError(Code::kInvalid, "TLS server name " + name);
  return Status();
}

std::optional<PeerCertificate> TlsPeerCertificate(const ssl_st* ssl) {
  X509* cert = SSL_get0_peer_certificate(ssl);
  if (cert == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  const X509_NAME* subject = X509_get_subject_name(cert);
  PeerCertificate peer;
  auto names = Entries(subject, NID_commonName);
  if (!names.empty()) peer.common_name = names.back();
  peer.organizations = Entries(subject, NID_organizationName);
  peer.organizational_units = Entries(subject, NID_organizationalUnitName);
  return peer;
}

std::string TlsErrorText(const ssl_st* ssl) {
  std::string text;
  while (unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (!text.empty()) text += ": ";
    if (ERR_SYSTEM_ERROR(code)) {
      text += std::system_category().message(ERR_GET_REASON(code));
    } else {
      text += reason != nullptr ? reason : "error " + std::to_string(code);
    }
  }
  bool verified = ssl != nullptr && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE;
  long verify = verified ? SSL_get_verify_result(ssl) : X509_V_OK;
  if (verify != X509_V_OK) text += (text.empty() ? "" : ": ") + std::string(X509_verify_cert_error_string(verify));
  return text.empty() ? "TLS error" : text;
}

}  // namespace gauntlet::net
