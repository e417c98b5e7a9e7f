#include "tsdb/index/matching.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "io/fake_file_system.h"
#include "tsdb/index/index_reader.h"
#include "tsdb/index/index_writer.h"

namespace gauntlet::tsdb {
namespace {

std::unique_ptr<IndexReader> MakeIndex(const std::set<Labels>& all) {
  io::FakeFileSystem files;
  std::set<std::string, std::less<>> symbols;
  for (const Labels& labels : all) {
    for (const Label& label : labels) {
      symbols.emplace(label.name);
      symbols.emplace(label.value);
    }
  }
  auto writer = IndexWriter::Create(files, "index");
  for (const auto& symbol : symbols) EXPECT_TRUE((*writer)->AddSymbol(symbol).ok());
  uint64_t ref = 8;
  for (const Labels& labels : all)
    EXPECT_TRUE((*writer)->AddSeries(labels, std::vector<ChunkMeta>{{0, 1, ref++}}).ok());
  EXPECT_TRUE((*writer)->Finish().ok());
  auto reader = IndexReader::Open(files, "index");
  EXPECT_TRUE(reader.ok()) << reader.status().message();
  return std::move(*reader);
}

Matcher Match(const std::string& name, MatchType type, const std::string& value) {
  auto matcher = Matcher::Make(type, name, value);
  EXPECT_TRUE(matcher.ok()) << value;
  return *matcher;
}

class Matching : public ::testing::Test {
 protected:
  Matching() {
    std::mt19937 random(3);
    for (int i = 0; i < 600; ++i) {
      std::vector<std::pair<std::string, std::string>> pairs = {{"i", std::to_string(i)}};
      if (random() % 3 != 0) pairs.emplace_back("a", std::string(1, static_cast<char>('a' + random() % 5)));
      if (random() % 2 != 0) pairs.emplace_back("n", std::to_string(random() % 90));
      if (random() % 50 == 0) pairs.emplace_back("rare", "x");
      series_.insert(Labels::From(pairs));
    }
    reader_ = MakeIndex(series_);
  }
  std::set<Labels> Select(const Matchers& matchers) {
    std::set<Labels> got;
    auto cursor = SelectPostings(reader_->table(), matchers, *reader_, Cancel());
    EXPECT_TRUE(cursor.ok());
    SeriesDecoder decoder(reader_->symbols());
    SeriesEntry entry;
    while ((*cursor)->Next()) {
      EXPECT_TRUE(decoder.Decode(reader_->SeriesBytes((*cursor)->id()), &entry).ok());
      got.insert(Labels(entry.labels()));
    }
    return got;
  }
  std::set<Labels> Expected(const Matchers& matchers) {
    std::set<Labels> expected;
    for (const Labels& labels : series_) {
      if (MatchesAll(matchers, labels)) expected.insert(labels);
    }
    return expected;
  }
  Matchers RandomMatchers(std::mt19937& random) {
    static const char* const kNames[] = {"a", "a", "n", "n", "i", "rare", "absent"};
    static const char* const kTexts[] = {"",  "a", "b",     "c|d", "1",   "1.*", ".*",   ".+", "x",     "|a",
                                         "5", "z", "[abc]", "3.?", "a.*", ".*7", "a|b|", "",   "20|3|4"};
    Matchers matchers;
    for (size_t n = random() % 4; n > 0; --n) {
      matchers.push_back(Match(kNames[random() % std::size(kNames)], static_cast<MatchType>(random() % 4),
                               kTexts[random() % std::size(kTexts)]));
    }
    return matchers;
  }

  std::set<Labels> series_;
  std::unique_ptr<IndexReader> reader_;
};

TEST_F(Matching, AgreesWithMatchingEverySeries) {
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    Matchers matchers = RandomMatchers(random);
    EXPECT_EQ(Select(matchers), Expected(matchers)) << MatchersToString(matchers);
  }
}

TEST_F(Matching, LabelValuesAgreeWithMatchingEverySeries) {
  std::mt19937 random(12);
  for (int i = 0; i < 1000; ++i) {
    Matchers matchers = RandomMatchers(random);
    std::string name = i % 2 == 0 ? "a" : "n";
    std::set<std::string> expected;
    for (const Labels& labels : Expected(matchers)) {
      if (labels.Has(name)) expected.emplace(labels.Get(name));
    }
    size_t limit = random() % 3 == 0 ? 1 + random() % 8 : 0;
    auto got = SelectLabelValues(reader_->table(), name, matchers, limit, *reader_, Cancel());
    ASSERT_TRUE(got.ok());
    if (limit != 0 && expected.size() > limit)
      expected.erase(std::next(expected.begin(), static_cast<long>(limit)), expected.end());
    EXPECT_EQ(*got, std::vector<std::string>(expected.begin(), expected.end()))
        << name << " " << MatchersToString(matchers);
  }
}

TEST_F(Matching, APlanNamesOnlyTheListsItNeeds) {
  auto plan =
      PlanPostings(reader_->table(),
                   Matchers{Match("a", MatchType::kRegexp, "a|b"), Match("n", MatchType::kNotEqual, "5")}, Cancel());
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->intersect.size(), 1u);
  EXPECT_EQ(plan->intersect[0].size(), 2u);
  ASSERT_EQ(plan->subtract.size(), 1u);
  EXPECT_EQ(plan->subtract[0].value, "5");
  plan = PlanPostings(reader_->table(), Matchers{Match("n", MatchType::kRegexp, "1.*")}, Cancel());
  EXPECT_EQ(plan->intersect[0].size(), 11u);  // 1, 10 .. 19
  plan = PlanPostings(reader_->table(), Matchers{Match("absent", MatchType::kEqual, "x")}, Cancel());
  EXPECT_TRUE(plan->nothing);
}

TEST_F(Matching, ACancelEndsALongPass) {
  CancelSource source;
  source.Stop();
  std::set<Labels> many;
  for (int i = 0; i < 9000; ++i) many.insert(Labels::From({{"i", std::to_string(i)}}));
  auto reader = MakeIndex(many);
  auto plan = PlanPostings(reader->table(), Matchers{Match("i", MatchType::kRegexp, ".*5")}, source.cancel());
  EXPECT_EQ(plan.status().code(), Code::kCancelled);
}

TEST_F(Matching, ValueCursorsSeek) {
  for (const char* name : {"i", "n", "a"}) {
    std::set<std::string> values;
    for (const Labels& labels : series_) {
      if (labels.Has(name)) values.emplace(labels.Get(name));
    }
    std::mt19937 random(5);
    for (int round = 0; round < 200; ++round) {
      auto cursor = reader_->table().ValuesOf(name);
      std::string last;
      for (int step = 0; step < 20; ++step) {
        std::string target = std::to_string(random() % 1000);
        auto expected = values.lower_bound(std::max(target, last));
        ASSERT_EQ(cursor.Seek(target), expected != values.end());
        if (expected == values.end()) break;
        ASSERT_EQ(cursor.value(), *expected);
        last = *expected;
      }
    }
    PostingsRange range;
    EXPECT_FALSE(reader_->table().Find(name, "~", &range));
    for (const auto& value : values) {
      ASSERT_TRUE(reader_->table().Find(name, value, &range));
      auto list = PostingsList::Parse(reader_->bytes().substr(range.begin, range.end - range.begin));
      ASSERT_TRUE(list.ok()) << list.status().message();
    }
  }
}

}  // namespace
}  // namespace gauntlet::tsdb
