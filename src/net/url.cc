#include "net/url.h"

#include <algorithm>
#include <charconv>

#include "net/text.h"

namespace gauntlet::net {
namespace {

bool HasControlOrSpace(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) <= 0x20 || c == 0x7f; });
}

Result<int> ParsePort(std::string_view text) {
  int port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535) {
    return Status(Code::kInvalid, "invalid port \"" + std::string(text) + "\"");
  }
  return port;
}

bool HostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~' ||
         static_cast<uint8_t>(c) >= 0x80;
}

Status ParseHost(std::string_view text, Url* url) {
  std::string_view port;
  if (!text.empty() && text[0] == '[') {
    size_t close = text.find(']');
    if (close == std::string_view::npos) return {Code::kInvalid, "missing ']' in host"};
    url->host = LowerAscii(text.substr(1, close - 1));
    auto address = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == ':' || c == '.' || c == '%';
    };
    if (url->host.find(':') == std::string::npos || !std::all_of(url->host.begin(), url->host.end(), address)) {
      return {Code::kInvalid, "invalid IPv6 address in brackets"};
    }
    port = text.substr(close + 1);
    if (!port.empty() && port[0] != ':') return {Code::kInvalid, "garbage after ']' in host"};
  } else {
    size_t colon = std::min(text.find(':'), text.size());
    url->host = LowerAscii(text.substr(0, colon));
    if (!std::all_of(url->host.begin(), url->host.end(), HostCharacter)) {
      return {Code::kInvalid, "invalid character in host name"};
    }
    port = text.substr(colon);
  }
  if (url->host.empty()) return {Code::kInvalid, "no host"};
  if (port.size() > 1) {
    GN_ASSIGN(url->port, ParsePort(port.substr(1)));
  }
  return Status();
}

Status ParseParts(std::string_view text, Url* url) {
  if (HasControlOrSpace(text)) return {Code::kInvalid, "space or control character in URL"};
  size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return {Code::kInvalid, "no scheme (http:// or https://)"};
  url->scheme = LowerAscii(text.substr(0, scheme_end));
  if (url->scheme != "http" && url->scheme != "https") {
    return {Code::kInvalid, "unsupported scheme \"" + url->scheme + "\""};
  }
  text.remove_prefix(scheme_end + 3);
  text = text.substr(0, text.find('#'));
  size_t authority_end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, authority_end), rest = text.substr(authority_end);
  if (size_t at = authority.rfind('@'); at != std::string_view::npos) {
    std::string_view user = authority.substr(0, at);
    size_t colon = std::min(user.find(':'), user.size());
    GN_ASSIGN(url->username, PercentDecode(user.substr(0, colon), false));
    GN_ASSIGN(url->password, PercentDecode(user.substr(std::min(colon + 1, user.size())), false));
    authority.remove_prefix(at + 1);
  }
  GN_TRY(ParseHost(authority, url));
  size_t question = std::min(rest.find('?'), rest.size());
  url->path = rest.substr(0, question);
  url->query = rest.substr(std::min(question + 1, rest.size()));
  return PercentDecode(url->path, false).status();
}

// What of a URL that did not parse may be shown: nothing before the last '@'.
std::string Shown(std::string_view text) {
  size_t start = text.find("://"), at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text.substr(0, 200));
  std::string out(start != std::string_view::npos && start < at ? text.substr(0, start + 3) : "");
  return out + "xxxxx@" + std::string(text.substr(at + 1, 200));
}

}  // namespace

Result<Url> Url::Parse(std::string_view text) {
  Url url;
  if (Status status = ParseParts(text, &url); !status.ok()) {
    return std::move(status).Wrap("parse URL \"" + Shown(text) + "\"");
  }
  return url;
}

int Url::EffectivePort() const { return port != 0 ? port : scheme == "https" ? 443 : 80; }

std::string Url::Authority() const {
  std::string bare = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == 0 ? bare : bare + ":" + std::to_string(port);
}

std::string Url::ToPublicString() const {
  return scheme + "://" + Authority() + path + (query.empty() ? "" : "?" + query);
}

std::string Url::ToString() const {
  if (username.empty() && password.empty()) return ToPublicString();
  std::string user = PercentEncode(username);
  if (!password.empty()) user += ":" + PercentEncode(password);
  return scheme + "://" + user + "@" + Authority() + path + (query.empty() ? "" : "?" + query);
}

Url Url::Join(std::string_view more) const {
  Url out = *this;
  out.query.clear();
  while (!out.path.empty() && out.path.back() == '/') out.path.pop_back();
  while (!more.empty() && more.front() == '/') more.remove_prefix(1);
  out.path += '/';
  out.path += more;
  return out;
}

Status SplitHostPort(std::string_view text, std::string* host, std::string* port) {
  auto wrong = [&](std::string_view why) {
    return Status(Code::kInvalid, "address " + std::string(text) + ": " + std::string(why));
  };
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("missing port in address");
  std::string_view name = text.substr(0, colon);
  if (!name.empty() && name.front() == '[') {
    if (name.back() != ']') return wrong(text.back() == ']' ? "missing port in address" : "missing ']' in address");
    name = name.substr(1, name.size() - 2);
  } else if (name.find(':') != std::string_view::npos) {
    return wrong("too many colons in address");
  }
  if (name.find_first_of("[]") != std::string_view::npos) return wrong("unexpected '[' or ']' in address");
  std::string_view number = text.substr(colon + 1);
  int value = 0;  // the system's own resolver takes 65536 for 0
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  bool all_digits = !number.empty() && end == number.data() + number.size();
  if (all_digits && (error != std::errc() || value < 0 || value > 65535)) return wrong("invalid port");
  *host = name;
  *port = number;
  return Status();
}

std::string JoinHostPort(std::string_view host, std::string_view port) {
  std::string out(host);
  if (host.find(':') != std::string_view::npos) out = "[" + out + "]";
  return out + ":" + std::string(port);
}

}  // namespace gauntlet::net
