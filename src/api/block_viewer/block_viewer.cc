#include "api/block_viewer/block_viewer.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/block_viewer/page.h"
#include "api/envelope.h"
#include "blocks/markers.h"
#include "json/writer.h"
#include "model/time.h"

namespace gauntlet::api {
namespace {

constexpr char kNever[] = "0001-01-01T00:00:00Z";  // Go's zero time

// JSON without the white space between its tokens.
std::string Compact(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (!quoted && (c == '\n' || c == '\t' || c == ' ')) continue;
    out.push_back(c);
    if (quoted && c == '\\' && i + 1 < json.size()) out.push_back(json[++i]);
    if (c == '"') quoted = !quoted;
  }
  return out;
}

void Replace(std::string* text, std::string_view what, std::string_view by) {
  if (size_t at = text->find(what); at != std::string::npos) text->replace(at, what.size(), by);
}

void Send(net::HttpReply& reply, std::string_view type, std::string_view text) {
  reply.headers().Set("Content-Type", type);
  static_cast<void>(reply.Write(text));  // a client that has gone needs no page
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '&' || c == '<' || c == '>' || c == '\'') {
      out += "&#" + std::to_string(static_cast<int>(c)) + ";";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::string CleanPrefix(std::string_view prefix) {
  // Scheme and host are not for a header to say.
  if (size_t scheme = prefix.find("://"); scheme != std::string_view::npos) {
    prefix.remove_prefix(scheme + 3);
    prefix.remove_prefix(std::min(prefix.find('/'), prefix.size()));
  }
  prefix = prefix.substr(0, prefix.find_first_of("?#"));
  std::vector<std::string_view> parts;
  for (size_t at = 0; at < prefix.size();) {
    const size_t end = std::min(prefix.find('/', at), prefix.size());
    std::string_view part = prefix.substr(at, end - at);
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.push_back(part);
    at = end + 1;
  }
  std::string clean;
  for (std::string_view part : parts) clean.append("/").append(part);
  return clean;
}

BlockViewer::BlockViewer(BlockViewerOptions options, objstore::Bucket& bucket, const Clock& clock)
    : options_(std::move(options)), bucket_(bucket), clock_(clock), page_(kPageHtml) {
  Replace(&page_, "@VIEW@", options_.default_view == "loaded" ? "loaded" : "global");
  Replace(&page_, "@ADMIN@", options_.admin ? "true" : "false");
}

void BlockViewer::Set(const Result<blocks::BlockView>& found, View* view) {
  int64_t now = clock_.NowMs();
  MutexLock lock(mutex_);
  view->refreshed = true;
  view->refreshed_ms = now;
  view->error = found.ok() ? found->incomplete : found.status();
  if (found.ok() && (found->incomplete.ok() || view->blocks.metas.empty())) view->blocks = *found;
}

void BlockViewer::Register(net::HttpRouter& router) {
  router.Add("GET", "/api/v1/blocks", "blocks",
             [this](const net::HttpRequest& request, const Cancel&, net::HttpReply& reply) { Blocks(request, reply); });
  router.Add("POST", "/api/v1/blocks/mark", "blocks_mark",
             [this](const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) {
               Mark(request, cancel, reply);
             });
  for (const char* path : {"/", "/blocks", "/global", "/loaded"}) {
    router.Add("GET", path, "page", [this](const net::HttpRequest& request, const Cancel&, net::HttpReply& reply) {
      Send(reply, "text/html; charset=utf-8", PageFor(request));
    });
  }
  router.Add("GET", "/blocks.css", "page", [](const net::HttpRequest&, const Cancel&, net::HttpReply& reply) {
    Send(reply, "text/css; charset=utf-8", kPageCss);
  });
  router.Add("GET", "/blocks.js", "page", [](const net::HttpRequest&, const Cancel&, net::HttpReply& reply) {
    Send(reply, "text/javascript; charset=utf-8", kPageJs);
  });
}

std::string BlockViewer::PageFor(const net::HttpRequest& request) const {
  std::string_view given = options_.external_prefix;
  if (given.empty() && !options_.prefix_header.empty()) given = request.headers.Get(options_.prefix_header);
  std::string base;
  if (!given.empty()) base = "<base href=\"" + EscapeHtml(CleanPrefix(given)) + "/\">";
  std::string page = page_;
  Replace(&page, "@BASE@", base);
  return page;
}

void BlockViewer::Blocks(const net::HttpRequest& request, net::HttpReply& reply) const {
  Result<net::FormValues> form = request.Form();
  const bool loaded = form.ok() && form->Get("view") == "loaded";
  View view;
  {
    MutexLock lock(mutex_);
    view = loaded ? loaded_ : global_;
  }
  ReplyData(reply, {}, [&](JsonReply& json) {
    json.writer().BeginObject().StringMember("label", options_.label).Key("blocks").BeginArray();
    for (const auto& [id, meta] : view.blocks.metas) {
      json.writer().Raw(Compact(blocks::FormatMeta(*meta)));
      if (!json.Pass()) return;
    }
    json.writer().EndArray();
    json.writer().StringMember("refreshedAt", view.refreshed ? FormatRfc3339Ms(view.refreshed_ms) : kNever).Key("err");
    if (view.error.ok()) {
      json.writer().Null();
    } else {
      json.writer().String(view.error.message());
    }
    // Ours: what is in the bucket, but not whole.
    json.writer().Key("partial").BeginArray();
    for (const auto& [id, why] : view.blocks.partial) {
      json.writer().BeginObject().StringMember("ulid", id.ToString()).StringMember("reason", why.message()).EndObject();
    }
    json.writer().EndArray().EndObject();
  });
}

Status BlockViewer::SetMark(const net::FormValues& form, const Cancel& cancel) const {
  if (!options_.admin) return {Code::kDenied, "Admin operations are disabled"};
  if (form.Get("id").empty()) return {Code::kInvalid, "ID cannot be empty"};
  if (form.Get("action").empty()) return {Code::kInvalid, "Action cannot be empty"};
  const std::string text(form.Get("id")), action(form.Get("action"));
  std::optional<Ulid> id = Ulid::Parse(text);
  if (!id) return {Code::kInvalid, "ULID \"" + text + "\" is not valid"};
  blocks::Marker marker;
  marker.id = *id;
  marker.details = std::string(form.Get("detail"));
  marker.time_s = clock_.NowMs() / 1000;
  if (action == "DELETION") return SetMarker(bucket_, blocks::MarkerKind::kDeletion, marker, cancel).status();
  marker.reason = blocks::kManualReason;
  if (action == "NO_COMPACTION") return SetMarker(bucket_, blocks::MarkerKind::kNoCompact, marker, cancel).status();
  return {Code::kInvalid, "not supported marker " + action};
}

void BlockViewer::Mark(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) const {
  Result<net::FormValues> form = request.Form();
  Status status = form.ok() ? SetMark(*form, cancel) : form.status();
  if (!status.ok()) return ReplyError(reply, ErrorType::kBadData, status.message());
  Send(reply, "application/json", "{\"status\":\"success\"}");
}

}  // namespace gauntlet::api
