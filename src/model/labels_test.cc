#include "model/labels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "base/hash.h"

namespace gauntlet {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs ToPairs(LabelsView labels) {
  Pairs pairs;
  for (const Label& label : labels) pairs.emplace_back(label.name, label.value);
  return pairs;
}

int Sign(int v) { return v < 0 ? -1 : v > 0; }

// Strings that collide often, with every length around the one-byte limit of the packing, and high bytes.
std::string RandomText(std::mt19937& rng, bool may_be_empty) {
  const size_t lengths[] = {1, 2, 3, 8, 9, 60, 253, 254, 255, 256, 300, 70'000};
  size_t kind = rng() % 40;
  size_t n = kind < 20 ? 1 + rng() % 3 : lengths[rng() % (kind == 39 ? 12 : 8)];
  if (may_be_empty && rng() % 8 == 0) n = 0;
  std::string s(n, "ab\xfe"[rng() % 3]);
  for (int flips = static_cast<int>(rng() % 3); flips > 0 && n > 0; --flips) s[rng() % n] = "abc\x01\xff"[rng() % 5];
  return s;
}

Pairs RandomPairs(std::mt19937& rng) {
  Pairs pairs(rng() % 6);
  for (auto& pair : pairs) pair = {RandomText(rng, false), RandomText(rng, true)};
  return pairs;
}

Pairs Normalised(const Pairs& pairs) {
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : pairs) sorted[name] = value;
  Pairs out;
  for (const auto& [name, value] : sorted) {
    if (!value.empty()) out.emplace_back(name, value);
  }
  return out;
}

TEST(Labels, FromSortsDropsEmptyAndLetsTheLastOfEqualNamesWin) {
  Labels labels = Labels::From({{"b", "1"}, {"a", "x"}, {"c", ""}, {"b", "2"}});
  EXPECT_EQ(ToPairs(labels), (Pairs{{"a", "x"}, {"b", "2"}}));
  EXPECT_EQ(labels.size(), 2u);
  EXPECT_EQ(labels.packed(), std::string("\1a\1x\1b\0012"));
}

TEST(Labels, LongStringsHaveThreeLengthBytes) {
  Labels labels = Labels::From({{"a", std::string(254, 'x')}, {"b", std::string(255, 'y')}, {"c", "z"}});
  EXPECT_EQ(labels.packed().size(), 2u + 1 + 254 + 2 + 4 + 255 + 4);
  EXPECT_EQ(labels.packed().substr(2 + 255 + 2, 4), std::string("\xff\xff\0\0", 4));
  EXPECT_EQ(labels.Get("b").size(), 255u);
  EXPECT_EQ(labels.Get("c"), "z");
}

TEST(Labels, GetFindsOnlyWholeNames) {
  Labels labels = Labels::From({{"__name__", "up"}, {"instance", "a:9090"}, {"job", "node"}});
  EXPECT_EQ(labels.Get("__name__"), "up");
  EXPECT_EQ(labels.Get("job"), "node");
  EXPECT_EQ(labels.Get("jo"), "");
  EXPECT_EQ(labels.Get("jobs"), "");
  EXPECT_EQ(labels.Get("zzz"), "");
  EXPECT_EQ(labels.Get(""), "");
  EXPECT_TRUE(labels.Has("instance"));
  EXPECT_FALSE(labels.Has("a"));
  EXPECT_FALSE(Labels().Has("a"));
}

TEST(Labels, HashIsThatOfThePacking) {
  Labels labels = Labels::From({{"a", "b"}});
  EXPECT_EQ(labels.Hash(), XxHash64("\1a\1b"));
  EXPECT_EQ(Labels().Hash(), 0xef46db3751d8e999u);  // xxHash64 of nothing
}

TEST(Labels, TextIsGos) {
  EXPECT_EQ(Labels().ToString(), "{}");
  EXPECT_EQ(Labels::From({{"__name__", "up"}, {"my.name", "a\"\n"}}).ToString(),
            R"({__name__="up", "my.name"="a\"\n"})");
}

TEST(Labels, CompareAgreesWithComparingPairs) {
  std::mt19937 rng(7);
  std::vector<Pairs> sets;
  for (int i = 0; i < 300; ++i) {
    Pairs pairs = RandomPairs(rng);
    sets.push_back(Normalised(pairs));
    if (!pairs.empty() && rng() % 2) {  // a near twin
      pairs[rng() % pairs.size()].second = RandomText(rng, true);
      sets.push_back(Normalised(pairs));
    }
  }
  std::vector<Labels> labels;
  for (const Pairs& pairs : sets) labels.push_back(Labels::From(pairs));
  for (size_t i = 0; i < sets.size(); ++i) {
    ASSERT_EQ(ToPairs(labels[i]), sets[i]);
    for (size_t j = 0; j < sets.size(); ++j) {
      int want = sets[i] < sets[j] ? -1 : sets[j] < sets[i] ? 1 : 0;
      ASSERT_EQ(Sign(CompareLabels(labels[i], labels[j])), want) << labels[i].ToString() << " " << labels[j].ToString();
      ASSERT_EQ(labels[i] == labels[j], want == 0);
    }
  }
}

TEST(LabelsBuilder, AgreesWithAMapUnderRandomChanges) {
  std::mt19937 rng(11);
  LabelsBuilder builder;
  for (int round = 0; round < 2000; ++round) {
    Pairs base_pairs = RandomPairs(rng);
    Labels base = Labels::From(base_pairs);
    builder.Reset(base);
    std::map<std::string, std::string> model;
    for (const Label& label : base) model.emplace(label.name, label.value);
    for (int step = static_cast<int>(rng() % 6); step > 0; --step) {
      std::string name = model.empty() || rng() % 2 ? RandomText(rng, false) : model.begin()->first;
      std::string value = RandomText(rng, true);
      switch (rng() % 4) {
        case 0:
          builder.Del(name);
          model.erase(name);
          break;
        case 1: {
          std::vector<std::string> kept{name, "a"};
          builder.Keep(kept);
          std::erase_if(model, [&](const auto& pair) { return pair.first != name && pair.first != "a"; });
          break;
        }
        default:
          builder.Set(name, value);
          if (value.empty()) {
            model.erase(name);
          } else {
            model[name] = value;
          }
      }
      ASSERT_EQ(builder.Get(name), model.count(name) ? model[name] : "");
    }
    ASSERT_EQ(ToPairs(builder.Build()), Pairs(model.begin(), model.end()));
  }
}

TEST(LabelsBuilder, TakesViewsOfItsOwnValues) {
  LabelsBuilder builder;
  builder.Set("a", "first value, too long for a small string");
  for (int i = 0; i < 50; ++i) builder.Set("copy" + std::to_string(i), builder.Get("a"));
  builder.Set(builder.Get("copy7"), "x");
  EXPECT_EQ(builder.Get("copy49"), "first value, too long for a small string");
  EXPECT_EQ(builder.Get("first value, too long for a small string"), "x");
  builder.Del(builder.Get("copy3"));
  EXPECT_EQ(builder.Get("first value, too long for a small string"), "");
}

TEST(LabelsBuilder, DropsEmptyValuesOfTheBase) {
  std::string packed;
  PackLabel(packed, "a", "");
  PackLabel(packed, "b", "1");
  EXPECT_EQ(LabelsBuilder(LabelsView(packed)).Build(), Labels::From({{"b", "1"}}));
}

TEST(LabelNames, LegacyOnesAreIdentifiers) {
  EXPECT_TRUE(IsLegacyLabelName("__name__"));
  EXPECT_TRUE(IsLegacyLabelName("a1"));
  EXPECT_FALSE(IsLegacyLabelName("1a"));
  EXPECT_FALSE(IsLegacyLabelName("a:b"));
  EXPECT_FALSE(IsLegacyLabelName(""));
  EXPECT_FALSE(IsLegacyLabelName("a.b"));
  EXPECT_TRUE(IsLegacyMetricName("job:up:rate"));
  EXPECT_FALSE(IsLegacyMetricName("0:up"));
  EXPECT_TRUE(IsValidUtf8("a.b é"));
  EXPECT_FALSE(IsValidUtf8(""));
  EXPECT_FALSE(IsValidUtf8("\xff"));
}

}  // namespace
}  // namespace gauntlet
