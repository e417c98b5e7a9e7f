#include "base/loser_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace gauntlet {
namespace {

TEST(LoserTree, MergesAnyNumberOfSourcesStably) {
  std::mt19937 rng(5);
  for (size_t sources = 1; sources < 40; ++sources) {
    std::vector<std::vector<int>> lists(sources);
    std::vector<std::pair<int, size_t>> want;
    for (size_t i = 0; i < sources; ++i) {
      lists[i].resize(rng() % 20);
      for (int& v : lists[i]) v = static_cast<int>(rng() % 30);
      std::sort(lists[i].begin(), lists[i].end());
      for (int v : lists[i]) want.emplace_back(v, i);
    }
    std::sort(want.begin(), want.end());
    std::vector<size_t> at(sources, 0);
    auto done = [&](size_t i) { return at[i] == lists[i].size(); };
    auto before = [&](size_t i, size_t j) {
      if (done(i) || done(j)) return !done(i);
      int a = lists[i][at[i]], b = lists[j][at[j]];
      return a != b ? a < b : i < j;
    };
    LoserTree tree;
    tree.Start(sources, before);
    std::vector<std::pair<int, size_t>> got;
    while (!done(tree.winner())) {
      size_t i = tree.winner();
      got.emplace_back(lists[i][at[i]++], i);
      tree.Replay(before);
    }
    ASSERT_EQ(got, want);
  }
}

}  // namespace
}  // namespace gauntlet
