#include "api/status_handlers.h"

#include <unistd.h>

#include <thread>

#include "api/envelope.h"
#include "base/clock.h"
#include "model/time.h"
#include "net/text.h"

namespace gauntlet::api {
namespace {

constexpr const char* kPageHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Gauntlet</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; background: #fff; }
h1 { font-size: 1.4rem; } table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .4rem .8rem .4rem 0;
border-bottom: 1px solid #ddd; vertical-align: top; } th { font-weight: 600; } code { font: 13px ui-monospace, monospace; }
.up { color: #0a6b2d; } .down { color: #a31515; } form { margin: 1rem 0; } input[name=query] { width: 60%; font: inherit; padding: .3rem; }
button { font: inherit; padding: .3rem .8rem; } @media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b; }
th, td { border-color: #444; } .up { color: #6fcf8b; } .down { color: #ff8a80; } a { color: #8ab4f8; } }
</style></head><body>)";

std::string TimeText(int64_t ms) {
  if (ms == kMinTimeMs) return "the beginning";
  if (ms == kMaxTimeMs) return "now";
  // Stores say "no end" in several ways.
  if (ms > 253402300799999 || ms < -62135596800000) return ms > 0 ? "now" : "the beginning";
  return FormatRfc3339Ms(ms / 1000 * 1000);
}

}  // namespace

void StatusHandlers::Register(net::HttpRouter& router) {
  using Method = void (StatusHandlers::*)(net::HttpReply&) const;
  auto add = [&](const char* path, const char* name, Method method) {
    router.Add("GET", path, name, [this, method](const net::HttpRequest&, const Cancel&, net::HttpReply& reply) {
      (this->*method)(reply);
    });
  };
  add("/api/v1/status/flags", "status_flags", &StatusHandlers::Flags);
  add("/api/v1/status/buildinfo", "status_build", &StatusHandlers::BuildInfo);
  add("/api/v1/status/runtimeinfo", "status_runtime", &StatusHandlers::RuntimeInfo);
  if (endpoints_) add("/", "page", &StatusHandlers::Page);
  // Browsers ask before they ask.
  router.Add("OPTIONS", "/api/v1/*path", "options",
             [](const net::HttpRequest&, const Cancel&, net::HttpReply& reply) { reply.SetStatus(204); });
}

void StatusHandlers::Flags(net::HttpReply& reply) const {
  ReplyData(reply, {}, [&](JsonReply& json) {
    json.writer().BeginObject();
    for (const auto& [name, value] : facts_.flags) json.writer().StringMember(name, value);
    json.writer().EndObject();
  });
}

void StatusHandlers::BuildInfo(net::HttpReply& reply) const {
  ReplyData(reply, {}, [&](JsonReply& json) {
    json.writer().BeginObject().StringMember("version", facts_.version).StringMember("revision", facts_.revision);
    json.writer().StringMember("branch", "").StringMember("buildUser", "").StringMember("buildDate", facts_.build_date);
    json.writer().StringMember("goVersion", "").EndObject();
  });
}

void StatusHandlers::RuntimeInfo(net::HttpReply& reply) const {
  char folder[4096];
  const char* cwd = getcwd(folder, sizeof folder) != nullptr ? folder : "";
  ReplyData(reply, {}, [&](JsonReply& json) {
    json.writer()
        .BeginObject()
        .StringMember("startTime", FormatRfc3339Ms(facts_.start_time_ms))
        .StringMember("CWD", cwd);
    // There are no goroutines; the members exist because clients read them.
    json.writer().IntMember("goroutineCount", 0).IntMember("GOMAXPROCS", std::thread::hardware_concurrency());
    json.writer().IntMember("GOMEMLIMIT", 0).StringMember("GOGC", "").StringMember("GODEBUG", "").EndObject();
  });
}

void StatusHandlers::Page(net::HttpReply& reply) const {
  std::string page = kPageHead;
  page += "<h1>Gauntlet " + net::EscapeMarkup(facts_.component) + "</h1>";
  page +=
      "<form action=\"api/v1/query\"><input name=\"query\" value=\"up\" aria-label=\"PromQL\"> "
      "<button>Query</button></form>";
  page +=
      "<h2>Endpoints</h2><table><tr><th>Endpoint</th><th>Kind</th><th>Health</th><th>Labels</th><th>From</th><th>To</"
      "th></tr>";
  for (const query::EndpointStatus& endpoint : endpoints_()) {
    page += "<tr><td><code>" + net::EscapeMarkup(endpoint.name) + "</code></td><td>" +
            net::EscapeMarkup(endpoint.component.empty() ? "unknown" : endpoint.component) + "</td>";
    page += endpoint.last_error.empty()
                ? "<td class=\"up\">up</td>"
                : "<td class=\"down\">down: " + net::EscapeMarkup(endpoint.last_error) + "</td>";
    page += "<td>";
    for (const Labels& labels : endpoint.label_sets)
      page += "<code>" + net::EscapeMarkup(labels.ToString()) + "</code><br>";
    bool known = !endpoint.component.empty();
    page += "</td><td>" + (known ? TimeText(endpoint.min_time_ms) : "") + "</td><td>" +
            (known ? TimeText(endpoint.max_time_ms) : "") + "</td></tr>";
  }
  page += "</table><p>Version " + net::EscapeMarkup(facts_.version) +
          " &middot; <a href=\"api/v1/stores\">stores</a> &middot; <a href=\"api/v1/targets\">targets</a> &middot; ";
  page +=
      "<a href=\"api/v1/rules\">rules</a> &middot; <a href=\"api/v1/status/flags\">flags</a> &middot; <a "
      "href=\"metrics\">metrics</a></p></body></html>\n";
  reply.headers().Set("Content-Type", "text/html; charset=utf-8");
  static_cast<void>(reply.Write(page));  // a client that has gone needs no page
}

}  // namespace gauntlet::api
