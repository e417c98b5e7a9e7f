#include "base/env_expand.h"

#include <cstdlib>

namespace gauntlet {

std::string EnvironmentVariable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

Result<std::string> ExpandEnv(std::string_view text) {
  return ExpandEnv(text, [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  });
}

Result<std::string> ExpandEnv(std::string_view text,
                              const std::function<std::optional<std::string>(const std::string&)>& lookup) {
  constexpr std::string_view kNameBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  std::string out;
  while (!text.empty()) {
    size_t at = text.find("$(");
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    text.remove_prefix(at);
    size_t end = text.find_first_not_of(kNameBytes, 2);
    if (end == std::string_view::npos || text[end] != ')' || end == 2) {
      out += text.substr(0, 2);
      text.remove_prefix(2);
      continue;
    }
    std::string name(text.substr(2, end - 2));
    std::optional<std::string> value = lookup(name);
    if (!value) return Status(Code::kInvalid, "found reference to unset environment variable \"" + name + "\"");
    out += *value;
    text.remove_prefix(end + 1);
  }
  out += text;
  return out;
}

}  // namespace gauntlet
