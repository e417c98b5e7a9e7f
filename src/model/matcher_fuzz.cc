// First line: the expression; the rest: a text to match. No input may crash, and globs must agree with the engine.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "model/matcher.h"
#include "model/regex/regex.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  size_t line = std::min(input.find('\n'), input.size());
  std::string_view pattern = input.substr(0, line), text = input.substr(std::min(line + 1, input.size()));
  auto matcher = Matcher::Make(MatchType::kRegexp, "a", std::string(pattern));
  auto capturing = Regex::MakeCapturing(pattern);
  if (!matcher.ok() || !capturing.ok()) return 0;
  bool matches = matcher->Matches(text);
  if (matches != (*capturing)->Matches(text)) std::abort();
  if (IsValidUtf8(text) && matches != !(*capturing)->Captures(text).empty()) std::abort();
  for (const std::string& member : matcher->set_matches()) {
    if (!matcher->Matches(member)) std::abort();
  }
  if (matches && !text.starts_with(matcher->prefix())) std::abort();
  return 0;
}
