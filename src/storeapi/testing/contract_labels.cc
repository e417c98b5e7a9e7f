// The contract of LabelNames and LabelValues.

#include "storeapi/testing/contract.h"

namespace gauntlet::storeapi {
namespace {

using enum MatchType;
using Lines = std::vector<std::string>;

const Labels kRegion = Labels::From({{"region", "eu-west"}});

ContractSeries One(std::vector<std::pair<std::string, std::string>> labels) {
  labels.emplace_back("__name__", "m");
  return {Labels::From(labels), {{kContractStartMs, 1}}};
}

ContractData Three() {
  return {
      kRegion,
      {One({{"foo", "foovalue1"}}), One({{"foo", "foovalue2"}}), One({{"foo", "foovalue1"}, {"bar", "barvalue1"}})}};
}

LabelsRequest Before(LabelsRequest request) {
  request.end_ms = kContractStartMs - 4 * kHourMs;
  return request;
}

TEST_P(StoreContract, AnEmptyStoreHasOnlyItsExternalLabels) {
  Open({kRegion, {}});
  EXPECT_EQ(Names(LabelsFor()), Lines());
  EXPECT_EQ(Values(LabelsFor(), "foo"), Lines());
  EXPECT_EQ(Values(LabelsFor(), "region"), is_bucket() ? Lines() : Lines{"eu-west"});
  EXPECT_EQ(Values(LabelsFor(), ""), Lines{"InvalidArgument: label name parameter cannot be empty"});
  ContractAnswer answer = Series(RequestFor({MakeMatcher(kEqual, "foo", "bar")}));
  EXPECT_TRUE(answer.status.ok()) << answer.status.message;
  EXPECT_TRUE(answer.series.empty());
}

TEST_P(StoreContract, NamesAreThoseOfTheSeriesThatMatch) {
  Open(Three());
  const Lines all = {"__name__", "bar", "foo", "region"}, some = {"__name__", "foo", "region"};
  const std::pair<Matchers, Lines> cases[] = {
      {{}, all},
      {{MakeMatcher(kEqual, "bar", "barvalue1")}, all},
      {{MakeMatcher(kEqual, "foo", "foovalue2")}, some},
      {{MakeMatcher(kEqual, "bar", "different")}, {}},
      {{MakeMatcher(kRegexp, "bar", "bar.*")}, all},
      {{MakeMatcher(kNotEqual, "bar", "")}, all},
      {{MakeMatcher(kEqual, "region", "eu-west")}, all},
      {{MakeMatcher(kEqual, "region", "different")}, {}},
      {{MakeMatcher(kNotEqual, "region", "different")}, all},
      {{MakeMatcher(kRegexp, "region", "eu.+"), MakeMatcher(kEqual, "foo", "foovalue2")}, some},
      {{MakeMatcher(kNotRegexp, "region", "eu.+")}, {}},
      // Nothing that must be there.
      {{MakeMatcher(kEqual, "bar", "")}, some},
      {{MakeMatcher(kNotEqual, "foo", "foovalue1")}, some},
      {{MakeMatcher(kNotRegexp, "bar", "bar.*")}, some},
  };
  for (const auto& [matchers, expected] : cases) {
    SCOPED_TRACE(MatchersToString(matchers));
    EXPECT_EQ(Names(LabelsFor(matchers)), expected);
  }
  EXPECT_EQ(Names(Before(LabelsFor())), Lines());
}

TEST_P(StoreContract, ValuesAreThoseOfTheSeriesThatMatch) {
  Open(Three());
  const Lines both = {"foovalue1", "foovalue2"};
  struct Case {
    const char* label;
    Matchers matchers;
    Lines expected;
  };
  const Case cases[] = {
      {"foo", {}, both},
      {"bar", {}, {"barvalue1"}},
      {"absent", {}, {}},
      {"__name__", {}, {"m"}},
      {"foo", {MakeMatcher(kEqual, "bar", "barvalue1")}, {"foovalue1"}},
      {"foo", {MakeMatcher(kEqual, "bar", "different")}, {}},
      {"foo", {MakeMatcher(kEqual, "bar", "")}, both},
      {"foo", {MakeMatcher(kNotEqual, "bar", "barvalue1")}, both},
      {"foo", {MakeMatcher(kNotEqual, "foo", "foovalue1")}, {"foovalue2"}},
      {"foo", {MakeMatcher(kNotRegexp, "foo", ".*2")}, {"foovalue1"}},
      {"bar", {MakeMatcher(kEqual, "foo", "foovalue2")}, {}},
      {"bar", {MakeMatcher(kNotEqual, "foo", "foovalue2")}, {"barvalue1"}},
      {"foo", {MakeMatcher(kEqual, "region", "eu-west")}, both},
      {"bar", {MakeMatcher(kRegexp, "region", "eu.*")}, {"barvalue1"}},
      {"foo", {MakeMatcher(kEqual, "region", "different")}, {}},
      {"bar", {MakeMatcher(kNotEqual, "region", "eu-west")}, {}},
      // Of an external label: there must be a series.
      {"region", {}, {"eu-west"}},
      {"region", {MakeMatcher(kEqual, "foo", "foovalue1")}, {"eu-west"}},
      {"region", {MakeMatcher(kEqual, "__name__", "m")}, {"eu-west"}},
      {"region", {MakeMatcher(kEqual, "__name__", "nonexistent")}, {}},
      {"region", {MakeMatcher(kEqual, "__name__", "m"), MakeMatcher(kEqual, "bar", "different")}, {}},
      {"region", {MakeMatcher(kNotEqual, "foo", "foovalue1")}, {"eu-west"}},
      {"region", {MakeMatcher(kEqual, "region", "eu-west")}, {"eu-west"}},
      {"region", {MakeMatcher(kNotEqual, "region", "eu-west")}, {}},
      {"region", {MakeMatcher(kRegexp, "region", "us.*")}, {}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.label) + MatchersToString(c.matchers));
    EXPECT_EQ(Values(LabelsFor(c.matchers), c.label), c.expected);
  }
  for (const char* label : {"foo", "bar"}) EXPECT_EQ(Values(Before(LabelsFor()), label), Lines());
  EXPECT_EQ(Values(LabelsFor(), ""), Lines{"InvalidArgument: label name parameter cannot be empty"});
}

TEST_P(StoreContract, ValuesOfALabelThatAnExternalOneReplacesAreTheExternal) {
  Open({kRegion, {One({{"foo", "1"}, {"region", "own"}}), One({{"foo", "2"}})}});
  EXPECT_EQ(Values(LabelsFor(), "region"), Lines{"eu-west"});
  EXPECT_EQ(Values(LabelsFor({MakeMatcher(kEqual, "region", "own")}), "foo"), Lines());
  EXPECT_EQ(Values(LabelsFor({MakeMatcher(kEqual, "region", "eu-west")}), "foo"), (Lines{"1", "2"}));
  EXPECT_EQ(Names(LabelsFor()), (Lines{"__name__", "foo", "region"}));
}

TEST_P(StoreContract, ReplicaLabelsHaveNoNamesAndNoValues) {
  Open({Labels::From({{"cluster", "eu"}, {"replica", "a"}}),
        {One({{"foo", "1"}, {"inner", "x"}}), One({{"foo", "2"}})}});
  LabelsRequest request = LabelsFor();
  request.without_replica_labels = {"inner", "replica"};
  EXPECT_EQ(Names(request), (Lines{"__name__", "cluster", "foo"}));
  EXPECT_EQ(Values(request, "inner"), Lines());
  EXPECT_EQ(Values(request, "replica"), Lines());
  EXPECT_EQ(Values(request, "foo"), (Lines{"1", "2"}));
  request.limit = 2;
  EXPECT_EQ(Names(request), (Lines{"__name__", "cluster"}));
  // Matchers still see them.
  request.matchers = {MakeMatcher(kEqual, "inner", "x"), MakeMatcher(kEqual, "replica", "a")};
  EXPECT_EQ(Values(request, "foo"), Lines{"1"});
}

TEST_P(StoreContract, LimitGivesTheFirstNamesAndValues) {
  ContractData data{kRegion, {}};
  for (int i = 0; i < 40; ++i) {
    std::string n = std::to_string(10 + i);
    data.series.push_back(One({{"l" + n, "1"}, {"v", n}}));
  }
  Open(std::move(data));
  for (const Matchers& matchers :
       {Matchers(), Matchers{MakeMatcher(kEqual, "__name__", "m")}, Matchers{MakeMatcher(kNotEqual, "v", "absent")}}) {
    LabelsRequest request = LabelsFor(matchers);
    EXPECT_EQ(Names(request).size(), 43u);
    EXPECT_EQ(Values(request, "v").size(), 40u);
    request.limit = 3;
    EXPECT_EQ(Names(request), (Lines{"__name__", "l10", "l11"}));
    EXPECT_EQ(Values(request, "v"), (Lines{"10", "11", "12"}));
    EXPECT_EQ(Values(request, "region"), Lines{"eu-west"});
    request.limit = 1000;
    EXPECT_EQ(Names(request).size(), 43u);
    EXPECT_EQ(Values(request, "v").size(), 40u);
  }
}

}  // namespace
}  // namespace gauntlet::storeapi
