#include "promql/exec/rows/go_sort.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace gauntlet::promql {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// Hashes of the permutations that Go 1.26 makes of these numbers, in descending order with NaN last.
TEST(GoSort, PutsEqualElementsWhereGoDoes) {
  struct {
    int size, values;
    uint64_t hash;
  } const cases[] = {
      {12, 3, 17830052009544388405u},  {13, 2, 13248361163225018271u},      {40, 5, 3355574696262604127u},
      {100, 3, 17417109817976810387u}, {100, 100000, 4043656167080796795u}, {1000, 7, 17793686748009911963u},
      {1000, 1, 97798787921486669u},   {5000, 50, 12810943638575559009u},   {3000, 1000000, 11505555225239862157u},
  };
  for (const auto& c : cases) {
    uint64_t x = static_cast<uint64_t>(c.size) * 31 + static_cast<uint64_t>(c.values);
    std::vector<std::pair<double, int>> items;
    for (int i = 0; i < c.size; ++i) {
      x = x * 6364136223846793005 + 1442695040888963407;
      double v = static_cast<double>((x >> 33) % static_cast<uint64_t>(c.values));
      if ((x >> 40) % 23 == 0) v = kNotANumber;
      if (c.values == 1000000) v = i % 600;
      items.emplace_back(v, i);
    }
    GoSort(&items, [](const auto& a, const auto& b) { return std::isnan(b.first) || b.first < a.first; });
    uint64_t hash = 14695981039346656037u;
    for (const auto& item : items) hash = (hash ^ static_cast<uint64_t>(item.second)) * 1099511628211u;
    EXPECT_EQ(hash, c.hash) << c.size << " of " << c.values;
  }
}

}  // namespace
}  // namespace gauntlet::promql
