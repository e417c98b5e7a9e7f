#include "storeapi/sort_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "storeapi/external_labels.h"

namespace gauntlet::storeapi {
namespace {

// Pushes `series` (sorted by their own labels) through the window after extending them.
std::vector<Labels> Through(const std::vector<Labels>& series, const LabelRewriter& rewriter, size_t* held_max) {
  SortWindow<int> window;
  std::vector<SortWindow<int>::Item> out;
  std::string packed;
  *held_max = 0;
  for (const Labels& labels : series) {
    rewriter.Rewrite(labels, &packed);
    Status st = window.Push({Labels::FromPacked(packed), 0}, &out);
    EXPECT_TRUE(st.ok()) << st.message();
    *held_max = std::max(*held_max, window.held());
  }
  window.Flush(&out);
  std::vector<Labels> result;
  for (auto& item : out) result.push_back(std::move(item.labels));
  return result;
}

TEST(SortWindow, ASeriesWaitsForItsOwnExtensions) {
  Labels external = Labels::From({{"c", "x"}});
  std::vector<Labels> series = {Labels::From({{"a", "1"}}), Labels::From({{"a", "1"}, {"b", "2"}}),
                                Labels::From({{"a", "1"}, {"d", "2"}})};
  size_t held;
  std::vector<Labels> out = Through(series, LabelRewriter(external, {}), &held);
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(out[0].ToString(), R"({a="1", b="2", c="x"})");
  EXPECT_EQ(out[1].ToString(), R"({a="1", c="x"})");
  EXPECT_EQ(out[2].ToString(), R"({a="1", c="x", d="2"})");
  EXPECT_EQ(held, 2u);
}

TEST(SortWindow, RandomSeriesComeOutSortedFromASmallWindow) {
  std::mt19937 rng(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Labels> series;
    for (int i = 0; i < 300; ++i) {
      std::vector<std::pair<std::string, std::string>> pairs;
      for (char name = 'a'; name <= 'h'; name += 2) {
        if (rng() % 3 == 0)
          pairs.emplace_back(std::string(1, name), std::string(1, static_cast<char>('0' + rng() % 3)));
      }
      series.push_back(Labels::From(std::move(pairs)));
    }
    std::sort(series.begin(), series.end());
    series.erase(std::unique(series.begin(), series.end()), series.end());
    std::vector<std::pair<std::string, std::string>> external;
    for (char name = 'b'; name <= 'h'; name += 2) {
      if (rng() % 2 == 0) external.emplace_back(std::string(1, name), "x");
    }
    size_t held;
    std::vector<Labels> out = Through(series, LabelRewriter(Labels::From(std::move(external)), {}), &held);
    EXPECT_EQ(out.size(), series.size());
    EXPECT_TRUE(std::is_sorted(out.begin(), out.end()));
    EXPECT_LE(held, 5u);  // four labels at most, and the newest
  }
}

TEST(SortWindow, WhatArrivesTooLateIsAnError) {
  SortWindow<int> window;
  std::vector<SortWindow<int>::Item> out;
  ASSERT_TRUE(window.Push({Labels::From({{"a", "2"}}), 0}, &out).ok());
  ASSERT_TRUE(window.Push({Labels::From({{"a", "3"}}), 0}, &out).ok());
  EXPECT_EQ(window.Push({Labels::From({{"a", "1"}}), 0}, &out).code(), Code::kCorrupt);
}

TEST(LabelRewriter, ExternalLabelsWinAndReplicaLabelsGo) {
  LabelRewriter rewriter(Labels::From({{"cluster", "eu"}, {"replica", "a"}}), {"replica", "inner"});
  std::string packed;
  rewriter.Rewrite(Labels::From({{"a", "1"}, {"cluster", "own"}, {"inner", "2"}, {"z", "3"}}), &packed);
  EXPECT_EQ(LabelsView(packed).ToString(), R"({a="1", cluster="eu", z="3"})");
}

TEST(ExternalLabels, MatchersOnThemAreAnsweredHere) {
  Labels external = Labels::From({{"cluster", "eu"}});
  Matchers matchers = {Matcher::Equal("cluster", "eu"), Matcher::Equal("job", "node")};
  ASSERT_TRUE(StripExternal(matchers, external).has_value());
  EXPECT_EQ(StripExternal(matchers, external)->size(), 1u);
  EXPECT_FALSE(StripExternal({Matcher::Equal("cluster", "us")}, external).has_value());
}

}  // namespace
}  // namespace gauntlet::storeapi
