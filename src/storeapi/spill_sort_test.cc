#include "storeapi/spill_sort.h"

#include <gtest/gtest.h>

#include <random>

#include "storeapi/testing/fake_store.h"

namespace gauntlet::storeapi {
namespace {

TEST(SpillSort, GivesBackEverythingInOrder) {
  std::mt19937 rng(3);
  SpillSort sort(::testing::TempDir(), nullptr);
  std::vector<std::string> expected;
  std::vector<int> numbers(5000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(10000 + i);
  std::shuffle(numbers.begin(), numbers.end(), rng);
  for (int number : numbers) {
    SeriesBatchPtr one = MakeBatch({{MakeLabels({{"n", std::to_string(number).c_str()}}),
                                     {{number, std::string(rng() % 700, 'x')}, {number + 5, std::to_string(number)}}}});
    ASSERT_TRUE(sort.Add(Labels(one->labels(0)), one->chunks(0)).ok());
  }
  ASSERT_TRUE(sort.Sort().ok());
  int next = 10000;
  while (true) {
    Result<SeriesBatchPtr> batch = sort.Next();
    ASSERT_TRUE(batch.ok());
    if (!*batch) break;
    for (size_t i = 0; i < (*batch)->size(); ++i, ++next) {
      ASSERT_EQ((*batch)->labels(i).Get("n"), std::to_string(next));
      ASSERT_EQ((*batch)->chunks(i).size(), 2u);
      EXPECT_EQ((*batch)->chunks(i)[0].min_time_ms, next);
      EXPECT_EQ((*batch)->chunks(i)[1].data, std::to_string(next));
    }
  }
  EXPECT_EQ(next, 15000);
}

TEST(SpillSort, AFolderThatIsNotThereIsAnError) {
  SpillSort sort("/nonexistent", nullptr);
  ASSERT_TRUE(sort.Add(MakeLabels({{"a", "1"}}), {}).ok());
  SeriesBatchPtr one = MakeBatch({{MakeLabels({{"a", "1"}}), {{1, "x"}}}});
  ASSERT_TRUE(sort.Add(Labels(one->labels(0)), one->chunks(0)).ok());
  Status st = sort.Sort();
  EXPECT_EQ(st.code(), Code::kUnavailable);
  EXPECT_NE(st.message().find("/nonexistent"), std::string_view::npos);
}

}  // namespace
}  // namespace gauntlet::storeapi
