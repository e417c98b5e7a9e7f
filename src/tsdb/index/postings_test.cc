#include "tsdb/index/postings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <set>

#include "io/crc32c.h"
#include "tsdb/index/toc.h"

namespace gauntlet::tsdb {
namespace {

using Ids = std::vector<uint32_t>;

PostingsCursorPtr Of(Ids ids) { return OwnedPostings(std::move(ids)); }
std::vector<PostingsCursorPtr> All(const std::vector<Ids>& lists) {
  std::vector<PostingsCursorPtr> cursors;
  for (const Ids& ids : lists) cursors.push_back(Of(ids));
  return cursors;
}
Ids Drain(PostingsCursorPtr cursor) { return DrainPostings(*cursor); }

std::string Stored(const Ids& ids) {
  std::string section, content;
  AppendBe32(&content, static_cast<uint32_t>(ids.size()));
  for (uint32_t id : ids) AppendBe32(&content, id);
  AppendBe32(&section, static_cast<uint32_t>(content.size()));
  section += content;
  AppendBe32(&section, io::Crc32c(content));
  return section;
}

TEST(Postings, StoredListReadsAndEndsWhereItSays) {
  std::string bytes = Stored({3, 5, 70000}) + "more";
  auto list = PostingsList::Parse(bytes);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(Drain(ListPostings(*list)), (Ids{3, 5, 70000}));
  EXPECT_FALSE(PostingsList::Parse(bytes.substr(0, 19)).ok());
  bytes[9] ^= 1;
  EXPECT_EQ(PostingsList::Parse(bytes).status().code(), Code::kCorrupt);
}

TEST(Postings, CountThatDisagreesWithTheLengthIsAnError) {
  std::string content, section;
  AppendBe32(&content, 3);
  AppendBe32(&content, 1);
  AppendBe32(&section, 8);
  section += content;
  AppendBe32(&section, io::Crc32c(content));
  EXPECT_EQ(PostingsList::Parse(section).status().code(), Code::kCorrupt);
}

TEST(Postings, SeekGoesToTheFirstAtOrAfterAndNeverBack) {
  auto cursor = Of({10, 20, 30, 40});
  ASSERT_TRUE(cursor->Seek(15));
  EXPECT_EQ(cursor->id(), 20u);
  ASSERT_TRUE(cursor->Seek(5));
  EXPECT_EQ(cursor->id(), 20u);
  ASSERT_TRUE(cursor->Seek(20));
  EXPECT_EQ(cursor->id(), 20u);
  ASSERT_TRUE(cursor->Next());
  EXPECT_EQ(cursor->id(), 30u);
  ASSERT_TRUE(cursor->Seek(40));
  EXPECT_EQ(cursor->id(), 40u);
}

TEST(Postings, SeekPastEndReturnsFalse) {
  EXPECT_FALSE(Of({1, 2})->Seek(3));
  EXPECT_FALSE(EmptyPostings()->Seek(0));
  EXPECT_FALSE(EmptyPostings()->Next());
}

TEST(Postings, EmptyInputs) {
  EXPECT_EQ(Drain(MergePostings({})), Ids{});
  EXPECT_EQ(Drain(IntersectPostings(All({{1, 2}, {}}))), Ids{});
  EXPECT_EQ(Drain(WithoutPostings(Of({1, 2}), EmptyPostings())), (Ids{1, 2}));
  EXPECT_EQ(Drain(WithoutPostings(EmptyPostings(), Of({1}))), Ids{});
}

class RandomPostings : public ::testing::TestWithParam<int> {
 protected:
  std::mt19937 random_{static_cast<unsigned>(GetParam())};

  Ids RandomIds(size_t n, uint32_t range) {
    std::set<uint32_t> ids;
    for (size_t i = 0; i < n; ++i) ids.insert(random_() % range);
    return Ids(ids.begin(), ids.end());
  }
  // The cursor gives what is expected, by any mixture of Next and Seek.
  void Expect(PostingsCursorPtr cursor, const Ids& expected) {
    size_t at = 0;  // of the next one
    for (;;) {
      bool more;
      if (random_() % 2 == 0) {
        more = cursor->Next();
      } else {
        uint32_t last = at == 0 ? 0 : expected[at - 1];
        uint32_t target = last + random_() % 50;
        more = cursor->Seek(target);
        if (at > 0 && target <= last) --at;
        while (at < expected.size() && expected[at] < target) ++at;
      }
      ASSERT_EQ(more, at < expected.size());
      if (!more) return;
      ASSERT_EQ(cursor->id(), expected[at++]);
      EXPECT_GE(cursor->size_max(), expected.size() - at);
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Seeds, RandomPostings, ::testing::Range(0, 200));

TEST_P(RandomPostings, AlgebraAgreesWithSets) {
  uint32_t range = 1 + random_() % 3000;
  std::vector<Ids> lists;
  for (size_t i = 1 + random_() % 14; i > 0; --i) lists.push_back(RandomIds(random_() % 400, range));
  Ids both = lists[0], any = lists[0];
  for (const Ids& ids : lists) {
    Ids next;
    std::set_intersection(both.begin(), both.end(), ids.begin(), ids.end(), std::back_inserter(next));
    both.swap(next);
    next.clear();
    std::set_union(any.begin(), any.end(), ids.begin(), ids.end(), std::back_inserter(next));
    any.swap(next);
  }
  Ids minus;
  std::set_difference(any.begin(), any.end(), lists[0].begin(), lists[0].end(), std::back_inserter(minus));
  Expect(IntersectPostings(All(lists)), both);
  Expect(MergePostings(All(lists)), any);
  Expect(WithoutPostings(MergePostings(All(lists)), Of(lists[0])), minus);
  auto first = Of(lists[0]);
  Ids shared;
  std::set_intersection(lists[0].begin(), lists[0].end(), lists.back().begin(), lists.back().end(),
                        std::back_inserter(shared));
  EXPECT_EQ(AnyInPostings(*first, lists.back()), !shared.empty());
}

TEST(Postings, WideUnionOfManyListsIsSorted) {
  std::vector<Ids> lists;
  for (uint32_t i = 0; i < 20; ++i) lists.push_back({i, 1000 + i, 4000000000u + i});
  Ids ids = Drain(MergePostings(All(lists)));
  EXPECT_EQ(ids.size(), 60u);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

}  // namespace
}  // namespace gauntlet::tsdb
