// TLS contexts from our options: OpenSSL's SSL_CTX, made again when the options or the files change.
//
// OpenSSL's types are only named here. A stream gets its context like this (Asio):
//   GN_ASSIGN(TlsContext context, contexts.Get(options));
//   SSL* ssl = SSL_new(context.get());   // holds its own reference to the context
// Threads: TlsServerContexts and TlsClientContexts are thread-safe; a TlsContext may be used from any thread.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "net/tls.h"

struct ssl_ctx_st;
struct ssl_st;

namespace gauntlet::net {

using TlsContext = std::shared_ptr<ssl_ctx_st>;

// `protocols`: what to offer in ALPN, the preferred first ("h2", "http/1.1"); empty = no ALPN.
Result<TlsContext> MakeTlsServerContext(const TlsServerOptions& options, const std::vector<std::string>& protocols);
Result<TlsContext> MakeTlsClientContext(const TlsClientOptions& options, const std::vector<std::string>& protocols);

// Keeps the newest context. While changed files do not load (a key and its certificate are replaced one after the
// other), the last good context goes on serving.
class TlsServerContexts {
 public:
  explicit TlsServerContexts(std::vector<std::string> protocols) : protocols_(std::move(protocols)) {}
  Result<TlsContext> Get(const TlsServerOptions& options);

 private:
  const std::vector<std::string> protocols_;
  Mutex mutex_;
  std::string options_key_ GN_GUARDED_BY(mutex_), files_key_ GN_GUARDED_BY(mutex_);
  TlsContext context_ GN_GUARDED_BY(mutex_);
};

class TlsClientContexts {
 public:
  explicit TlsClientContexts(std::vector<std::string> protocols) : protocols_(std::move(protocols)) {}
  Result<TlsContext> Get(const TlsClientOptions& options);

 private:
  const std::vector<std::string> protocols_;
  Mutex mutex_;
  std::string options_key_ GN_GUARDED_BY(mutex_), files_key_ GN_GUARDED_BY(mutex_);
  TlsContext context_ GN_GUARDED_BY(mutex_);
};

// Sets the name that a client asks for (SNI) and verifies: options.server_name, or `host`, which may be an IP address.
Status SetTlsServerName(ssl_st* ssl, const TlsClientOptions& options, const std::string& host);

// The subject of the peer's certificate if there is one and it was verified.
std::optional<PeerCertificate> TlsPeerCertificate(const ssl_st* ssl);

// What OpenSSL's error queue (emptied by this) and `ssl`'s verification result say, as one line.
std::string TlsErrorText(const ssl_st* ssl);

}  // namespace gauntlet::net
