#include "net/http/message.h"

#include <algorithm>
#include <utility>

#include "net/http/multipart_form.h"
#include "net/text.h"

namespace gauntlet::net {
namespace {

bool IsForm(std::string_view content_type) {
  return SameToken(TrimBlanks(content_type.substr(0, content_type.find(';'))), "application/x-www-form-urlencoded");
}

}  // namespace

std::string_view HttpHeaders::Get(std::string_view name) const {
  for (const auto& [n, v] : all_) {
    if (SameToken(n, name)) return v;
  }
  return {};
}

bool HttpHeaders::Has(std::string_view name) const {
  return std::any_of(all_.begin(), all_.end(), [&](const auto& h) { return SameToken(h.first, name); });
}

void HttpHeaders::Set(std::string_view name, std::string_view value) {
  auto first = std::find_if(all_.begin(), all_.end(), [&](const auto& h) { return SameToken(h.first, name); });
  if (first == all_.end()) return Add(name, value);
  first->second = value;
  all_.erase(std::remove_if(first + 1, all_.end(), [&](const auto& h) { return SameToken(h.first, name); }),
             all_.end());
}

void HttpHeaders::Add(std::string_view name, std::string_view value) { all_.emplace_back(name, value); }

void HttpHeaders::Remove(std::string_view name) {
  std::erase_if(all_, [&](const auto& h) { return SameToken(h.first, name); });
}

Status FormValues::Parse(std::string_view encoded) {
  while (!encoded.empty()) {
    size_t end = std::min(encoded.find('&'), encoded.size());
    std::string_view pair = encoded.substr(0, end);
    encoded.remove_prefix(std::min(end + 1, encoded.size()));
    if (pair.empty()) continue;
    if (pair.find(';') != std::string_view::npos) return {Code::kInvalid, "invalid semicolon separator in query"};
    size_t equals = pair.find('=');
    GN_ASSIGN(std::string name, PercentDecode(pair.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) {
      GN_ASSIGN(value, PercentDecode(pair.substr(equals + 1), true));
    }
    Add(std::move(name), std::move(value));
  }
  return Status();
}

std::string_view FormValues::Get(std::string_view name) const {
  for (const auto& [n, v] : pairs_) {
    if (n == name) return v;
  }
  return {};
}

bool FormValues::Has(std::string_view name) const {
  return std::any_of(pairs_.begin(), pairs_.end(), [&](const auto& p) { return p.first == name; });
}

std::vector<std::string_view> FormValues::All(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [n, v] : pairs_) {
    if (n == name) values.push_back(v);
  }
  return values;
}

std::string FormValues::Encode() const {
  std::string out;
  for (const auto& [name, value] : pairs_) {
    if (!out.empty()) out += '&';
    out += PercentEncode(name);
    out += '=';
    out += PercentEncode(value);
  }
  return out;
}

std::string_view HttpRequest::PathValue(std::string_view name) const {
  for (const auto& [n, v] : path_values) {
    if (n == name) return v;
  }
  return {};
}

Result<FormValues> HttpRequest::Form() const {
  FormValues form;
  bool has_body_form = method == "POST" || method == "PUT" || method == "PATCH";
  if (has_body_form && IsForm(headers.Get("Content-Type"))) GN_TRY(form.Parse(body));
  GN_TRY(form.Parse(query));
  if (has_body_form && IsMultipartForm(headers.Get("Content-Type")))
    GN_TRY(ParseMultipartForm(headers.Get("Content-Type"), body, &form));
  return form;
}

std::string_view HttpStatusText(int status) {
  static constexpr std::pair<int, std::string_view> kTexts[] = {
      {100, "Continue"},
      {101, "Switching Protocols"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {203, "Non-Authoritative Information"},
      {204, "No Content"},
      {205, "Reset Content"},
      {206, "Partial Content"},
      {300, "Multiple Choices"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {402, "Payment Required"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {407, "Proxy Authentication Required"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Request Entity Too Large"},
      {414, "Request URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Requested Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Entity"},
      {423, "Locked"},
      {424, "Failed Dependency"},
      {425, "Too Early"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {499, "Client Closed Request"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
      {511, "Network Authentication Required"},
  };
  for (const auto& [code, text] : kTexts) {
    if (code == status) return text;
  }
  return "Unknown";
}

}  // namespace gauntlet::net
