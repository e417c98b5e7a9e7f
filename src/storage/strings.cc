#include "storage/strings.h"

#include <algorithm>
#include <iterator>

namespace gauntlet::storage {

void Truncate(Strings& strings, int64_t limit) {
  if (limit <= 0 || strings.values.size() <= static_cast<size_t>(limit)) return;
  strings.values.resize(static_cast<size_t>(limit));
  strings.annotations.Warn(kTruncatedWarning);
}

Strings MergeStrings(std::vector<Strings> parts) {
  if (parts.empty()) return {};
  // Pairs of neighbours until one is left: each string moves log2(parts) times.
  for (; parts.size() > 1; parts.resize((parts.size() + 1) / 2)) {
    for (size_t i = 0; i < parts.size(); i += 2) {
      Strings merged = std::move(parts[i]);
      if (i + 1 < parts.size()) {
        std::vector<std::string> left = std::move(merged.values), &right = parts[i + 1].values;
        merged.values.clear();
        std::set_union(std::move_iterator(left.begin()), std::move_iterator(left.end()),
                       std::move_iterator(right.begin()), std::move_iterator(right.end()),
                       std::back_inserter(merged.values));
        merged.annotations.Merge(parts[i + 1].annotations);
      }
      parts[i / 2] = std::move(merged);
    }
  }
  return std::move(parts[0]);
}

}  // namespace gauntlet::storage
