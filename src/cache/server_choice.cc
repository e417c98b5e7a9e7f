// The jump hash is that of Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014.

#include "cache/server_choice.h"

#include <algorithm>

#include "base/hash.h"

namespace gauntlet::cache {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Cuts off the run of digits, or of others, at the front.
std::string_view Run(std::string_view* text) {
  size_t end = 1;
  while (end < text->size() && IsDigit((*text)[end]) == IsDigit((*text)[0])) ++end;
  std::string_view run = text->substr(0, end);
  text->remove_prefix(end);
  return run;
}

bool NaturallyLess(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    std::string_view x = Run(&a), y = Run(&b);
    if (x == y) continue;
    if (!IsDigit(x[0]) || !IsDigit(y[0])) return x < y;
    std::string_view m = x.substr(std::min(x.find_first_not_of('0'), x.size()));
    std::string_view n = y.substr(std::min(y.find_first_not_of('0'), y.size()));
    if (m != n) return m.size() != n.size() ? m.size() < n.size() : m < n;
    return x.size() < y.size();
  }
  return a.empty() && !b.empty();
}

}  // namespace

void SortNaturally(std::vector<std::string>* names) { std::stable_sort(names->begin(), names->end(), NaturallyLess); }

size_t JumpHash(uint64_t hash, size_t servers) {
  int64_t chosen = -1, next = 0;
  while (next < static_cast<int64_t>(servers)) {
    chosen = next;
    hash = hash * 2862933555777941757u + 1;
    next = static_cast<int64_t>(static_cast<double>(chosen + 1) *
                                (static_cast<double>(int64_t{1} << 31) / static_cast<double>((hash >> 33) + 1)));
  }
  return static_cast<size_t>(chosen);
}

size_t ServerOf(std::string_view key, size_t servers) { return servers == 1 ? 0 : JumpHash(XxHash64(key), servers); }

}  // namespace gauntlet::cache
