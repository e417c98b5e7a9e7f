// TLS: what a server or a client asks for; contexts are re-made when the files change.
//
// Threads: plain values here; TlsServer and TlsClient (made in net) are thread-safe.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace gauntlet::net {

enum class TlsVersion : uint8_t { k10, k11, k12, k13 };

// "1.2" or "TLS12" (Thanos' flags and web-config files say it differently).
Result<TlsVersion> ParseTlsVersion(const std::string& text);

struct TlsServerOptions {
  std::string cert_file, key_file;
  std::string client_ca_file;  // set: certificates of clients are verified against it
  // web-config's client_auth_type: NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven,
  // RequireAndVerifyClientCert. Empty: the last one if client_ca_file is set, else the first.
  std::string client_auth;
  TlsVersion min_version = TlsVersion::k12, max_version = TlsVersion::k13;
  std::vector<std::string> cipher_suites;  // Go names; empty = OpenSSL's defaults
  std::vector<std::string> curves;         // CurveP256, CurveP384, CurveP521, X25519
};

struct TlsClientOptions {
  std::string ca_file;              // empty = the system's
  std::string cert_file, key_file;  // for mutual TLS
  std::string server_name;          // SNI and the name to verify; empty = the host of the address
  bool skip_verify = false;
  TlsVersion min_version = TlsVersion::k12;
};

// The subject of a verified client certificate.
struct PeerCertificate {
  std::string common_name;
  std::vector<std::string> organizations, organizational_units;
};

}  // namespace gauntlet::net
