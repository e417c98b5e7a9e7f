#include "promql/exec/rows/label_ops.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gauntlet::promql {
namespace {

TEST(LabelOps, KeepAndRemoveBySortedNames) {
  Labels labels = Labels::From({{"__name__", "m"}, {"a", "1"}, {"b", "2"}, {"long", std::string(300, 'x')}});
  std::string packed;
  std::vector<std::string> names = {"a", "long", "zz"};
  KeepLabels(labels, names, &packed);
  EXPECT_EQ(LabelsView(packed).size(), 2u);
  EXPECT_EQ(LabelsView(packed).Get("long").size(), 300u);
  RemoveLabels(labels, names, &packed);
  EXPECT_EQ(LabelsView(packed).ToString(), "{b=\"2\"}");
  KeepLabels(labels, {}, &packed);
  EXPECT_TRUE(packed.empty());
}

TEST(LabelOps, MetadataGoesTogether) {
  Labels labels = Labels::From({{"__name__", "m"}, {"__type__", "gauge"}, {"__x__", "1"}, {"a", "1"}});
  std::string dropped;
  EXPECT_EQ(DropMetadata(labels, &dropped).ToString(), "{__x__=\"1\", a=\"1\"}");
  NameGuard guard;
  EXPECT_TRUE(guard.Same(dropped));
  EXPECT_TRUE(guard.Same(dropped));
  EXPECT_FALSE(guard.Same("else"));
}

}  // namespace
}  // namespace gauntlet::promql
