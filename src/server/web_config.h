// WebConfig: a web-config file as Prometheus' exporter-toolkit reads it: TLS, users, headers. Read again when it
// changes.
//
// Format:   tls_server_config{}, http_server_config{http2, headers}, basic_auth_users{name: bcrypt}
// Upstream: github.com/prometheus/exporter-toolkit/web
// Threads:  WebConfigFile is thread-safe; WebConfig is immutable once read.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/status.h"
#include "net/http/server.h"
#include "net/tls.h"

namespace gauntlet::server {

struct WebConfig {
  std::optional<net::TlsServerOptions> tls;
  std::map<std::string, std::string> headers;  // of every answer
  std::map<std::string, std::string> users;    // name -> bcrypt hash
  bool asks_http2 = false;                     // says `http2: true`; the server speaks HTTP/1.1 all the same
};

// `directory` is where relative names of files in the text start. Checks names and values; the certificates themselves
// are read when a connection needs them.
Result<WebConfig> ParseWebConfig(std::string_view yaml, const std::string& directory);

class WebConfigFile {
 public:
  // "" = no file: plain text, no users. An error when the file or its certificates cannot be used.
  static Result<std::unique_ptr<WebConfigFile>> Open(std::string path);
  ~WebConfigFile();

  // The file as it is now. An error while it is broken: then requests are refused, as upstream's.
  Result<std::shared_ptr<const WebConfig>> Get();
  // For HttpServerOptions.
  Result<std::optional<net::TlsServerOptions>> Tls();
  // Sets the headers, and answers 401 (500 while the file is broken) itself, returning false, when the request may not
  // pass.
  bool Admit(const net::HttpRequest& request, net::HttpReply& reply);

 private:
  explicit WebConfigFile(std::string path);
  bool KnowsPassword(const WebConfig& config, const std::string& user, const std::string& password);

  struct Cache;
  const std::string path_;
  const std::unique_ptr<Cache> cache_;
  Mutex mutex_;
  std::string version_ GN_GUARDED_BY(mutex_);  // of the file that config_ was read from
  std::shared_ptr<const WebConfig> config_ GN_GUARDED_BY(mutex_);
  Status error_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::server
