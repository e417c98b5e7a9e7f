#include "promql/exec/rows/annotation_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauntlet::promql {
namespace {

using ::testing::ElementsAre;

TEST(AnnotationSet, PlacesAreLineAndColumn) {
  EXPECT_EQ(LineAndColumn("abc", 1), "1:2");
  EXPECT_EQ(LineAndColumn("a\nbc\nd", 5), "3:1");
  EXPECT_EQ(LineAndColumn("", 0), "unknown position");
  EXPECT_EQ(LineAndColumn("abc", 9), "invalid position");
}

TEST(AnnotationSet, EqualTextsAreOneAndTheLaterPlaceStays) {
  AnnotationSet a, b;
  a.Warn("text", {0, 1});
  b.Warn("text", {2, 3});
  b.Info("text2", {0, 1});
  a.Merge(b);
  Annotations out = a.Render("xyz");
  EXPECT_THAT(out.warnings(), ElementsAre("PromQL warning: text (1:3)"));
  EXPECT_THAT(out.infos(), ElementsAre("PromQL info: text2 (1:1)"));
}

TEST(AnnotationSet, ForcedMonotonicityAddsUp) {
  AnnotationSet a, b;
  a.NonMonotonicBuckets("", {60'000, 60'000, 1, 2, 0.5, 1}, {0, 1});
  b.NonMonotonicBuckets("", {120'000, 180'000, 0.5, 1, 3.456, 2}, {0, 1});
  a.Merge(b);
  EXPECT_THAT(a.Render("q").infos(),
              ElementsAre(::testing::EndsWith(", from buckets 0.5 to 2, with a max diff of 3.5, over 3 samples from "
                                              "1970-01-01T00:01:00Z to 1970-01-01T00:03:00Z (1:1)")));
}

}  // namespace
}  // namespace gauntlet::promql
