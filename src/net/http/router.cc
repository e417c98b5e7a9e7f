#include "net/http/router.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "net/text.h"

namespace gauntlet::net {
namespace {

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

// How well a path fits a pattern, segment by segment: compare as text, smaller is better. Empty = not at all.
std::string Rank(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  std::string rank;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (i >= path.size()) return {};
    if (pattern[i].starts_with('*')) return rank + '3';
    if (pattern[i].starts_with(':')) {
      if (path[i].empty()) return {};
      rank += '2';
    } else {
      if (pattern[i] != path[i]) return {};
      rank += '1';
    }
  }
  return pattern.size() == path.size() ? rank : std::string();
}

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

// Without empty segments, "." and "..", as Go's mux has it before it routes: "//api/v1/query" comes of a base URL with
// a slash at its end. A slash at the end stays. No redirect to what is left goes to another host, as one to "//host"
// would.
std::string CleanPath(std::string_view path) {
  std::vector<std::string> kept;
  const std::vector<std::string> segments = Split(path.substr(1), '/');
  for (const std::string& segment : segments) {
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string& segment : kept) out += "/" + segment;
  const std::string& last = segments.back();
  return out.empty() || last.empty() || last == "." || last == ".." ? out + "/" : out;
}

std::string EncodedPath(std::string_view path) {
  std::string out;
  for (const auto& segment : Split(path, '/')) out += PercentEncode(segment) + '/';
  out.pop_back();
  return out;
}

}  // namespace

HttpRouter::HttpRouter(std::string prefix, Around around) : prefix_(std::move(prefix)), around_(std::move(around)) {
  while (prefix_.ends_with('/')) prefix_.pop_back();
  if (!prefix_.empty() && prefix_[0] != '/') prefix_.insert(0, 1, '/');
}

void HttpRouter::Add(std::string_view methods, std::string_view pattern, std::string name, HttpHandler handler) {
  AddUnprefixed(methods, prefix_ + std::string(pattern), std::move(name), std::move(handler));
}

void HttpRouter::AddUnprefixed(std::string_view methods, std::string_view pattern, std::string name,
                               HttpHandler handler) {
  GN_CHECK(pattern.starts_with('/'));
  routes_.push_back({Split(methods, ','), Split(pattern.substr(1), '/'), std::move(name), std::move(handler)});
}

HttpRouter::Found HttpRouter::Find(std::string_view method, std::string_view path) const {
  Found found;
  std::string best;
  std::vector<std::string> segments = Split(path.substr(1), '/');
  for (const auto& route : routes_) {
    std::string rank = Rank(route.segments, segments);
    if (rank.empty()) continue;
    for (const auto& allowed : route.methods) {
      if (std::find(found.allow.begin(), found.allow.end(), allowed) == found.allow.end()) {
        found.allow.push_back(allowed);
      }
      if (allowed == method && (best.empty() || rank < best)) {
        found.route = &route;
        best = rank;
      }
    }
  }
  return found;
}

void HttpRouter::Serve(HttpRequest& request, const Cancel& cancel, HttpReply& reply) const {
  if (!request.path.starts_with('/')) return NotFound(request, reply);
  request.path = CleanPath(request.path);
  Found found = Find(request.method, request.path);
  if (!found.route) {
    // What is there for OPTIONS alone answers browsers that ask before they ask, for any path.
    if (found.allow.empty() || found.allow == std::vector<std::string>{"OPTIONS"}) return NotFound(request, reply);
    if (std::find(found.allow.begin(), found.allow.end(), "OPTIONS") == found.allow.end()) {
      found.allow.emplace_back("OPTIONS");
    }
    std::sort(found.allow.begin(), found.allow.end());
    reply.headers().Set("Allow", Joined(found.allow));
    if (request.method == "OPTIONS") return reply.SetStatus(204);
    return ReplyText(reply, 405, "Method Not Allowed");
  }
  const Route& route = *found.route;
  request.route = route.name;
  request.path_values.clear();
  std::vector<std::string> segments = Split(std::string_view(request.path).substr(1), '/');
  for (size_t i = 0; i < route.segments.size(); ++i) {
    const std::string& pattern = route.segments[i];
    if (pattern.starts_with(':')) {
      request.path_values.emplace_back(pattern.substr(1), segments[i]);
    } else if (pattern.starts_with('*')) {
      std::string rest;
      for (size_t j = i; j < segments.size(); ++j) rest += "/" + segments[j];
      request.path_values.emplace_back(pattern.substr(1), rest.substr(1));
    }
  }
  if (around_) return around_(route.handler, request, cancel, reply);
  route.handler(request, cancel, reply);
}

void HttpRouter::NotFound(const HttpRequest& request, HttpReply& reply) const {
  std::string query = request.query.empty() ? "" : "?" + request.query;
  if (request.path == "/" && !prefix_.empty()) return ReplyRedirect(reply, 302, prefix_ + "/" + query);
  if (request.path.size() > 1 && request.path.starts_with('/')) {
    std::string other = request.path;
    if (other.back() == '/') {
      other.pop_back();
    } else {
      other += '/';
    }
    if (other != "/" && Find(request.method, other).route) {
      return ReplyRedirect(reply, request.method == "GET" ? 301 : 308, EncodedPath(other) + query);
    }
  }
  ReplyText(reply, 404, "404 page not found");
}

void ReplyText(HttpReply& reply, int status, std::string_view text) {
  reply.SetStatus(status);
  reply.headers().Set("Content-Type", "text/plain; charset=utf-8");
  reply.headers().Set("X-Content-Type-Options", "nosniff");
  (void)reply.Write(std::string(text) + "\n");
}

void ReplyRedirect(HttpReply& reply, int status, std::string_view location) {
  reply.SetStatus(status);
  reply.headers().Set("Location", location);
}

}  // namespace gauntlet::net
