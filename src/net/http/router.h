// HttpRouter: requests to handlers by method and path pattern, as Prometheus' and Thanos' routers do.
//
// Patterns: "/api/v1/label/:name/values" (a segment by name), "/debug/pprof/*rest" (all that follows). A literal
// segment wins over a named one, and that over "*". A known path with another method answers 405 with Allow (OPTIONS:
// 204 with Allow); a path that differs from a known one by a trailing slash is redirected; all else is a plain 404.
// "//a", "/./a" and "/b/../a" are "/a".
// Threads: Add before serving; Serve is thread-safe.

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/message.h"
#include "net/http/server.h"

namespace gauntlet::net {

class HttpRouter {
 public:
  // Called for each routed request; it must call `handler` (or answer itself). For metrics, logs, tenancy; the name of
  // the handler is in request.route. It may write into the request what the handler is to see.
  using Around = std::function<void(const HttpHandler& handler, HttpRequest&, const Cancel&, HttpReply&)>;

  // `prefix` ("/thanos", "" or "/" = none) goes before the patterns given to Add, and "/" redirects to it.
  explicit HttpRouter(std::string prefix = "", Around around = nullptr);

  // `methods`: "GET" or "GET,POST"; HEAD must be named. REQUIRES: `pattern` begins with '/'.
  void Add(std::string_view methods, std::string_view pattern, std::string name, HttpHandler handler);
  // The same, outside the prefix: probes and metrics of Thanos.
  void AddUnprefixed(std::string_view methods, std::string_view pattern, std::string name, HttpHandler handler);

  // Fills request.path_values and request.route, and answers. Give it to HttpServer as
  // [&](auto& request, auto& cancel, auto& reply) { router.Serve(request, cancel, reply); }
  void Serve(HttpRequest& request, const Cancel& cancel, HttpReply& reply) const;

  const std::string& prefix() const { return prefix_; }  // "" or "/thanos"

 private:
  struct Route {
    std::vector<std::string> methods;
    std::vector<std::string> segments;
    std::string name;
    HttpHandler handler;
  };
  struct Found {
    const Route* route = nullptr;
    std::vector<std::string> allow;  // methods of all routes that match the path
  };
  Found Find(std::string_view method, std::string_view path) const;
  void NotFound(const HttpRequest& request, HttpReply& reply) const;

  std::string prefix_;
  Around around_;
  std::vector<Route> routes_;
};

// "text\n" as text/plain, as Go's http.Error.
void ReplyText(HttpReply& reply, int status, std::string_view text);
// 3xx with Location.
void ReplyRedirect(HttpReply& reply, int status, std::string_view location);

}  // namespace gauntlet::net
