// The contract of Series.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "storeapi/testing/contract.h"

namespace gauntlet::storeapi {
namespace {

using enum MatchType;
using Lines = std::vector<std::string>;

const Labels kRegion = Labels::From({{"region", "eu-west"}});

ContractSeries One(std::vector<std::pair<std::string, std::string>> labels, int64_t at_ms = kContractStartMs) {
  labels.emplace_back("__name__", "m");
  return {Labels::From(labels), {{at_ms, 1}}};
}

// The series that upstream's matrix of matchers is about.
ContractData Matrix() {
  return {kRegion,
          {One({{"n", "1"}}), One({{"n", "1"}, {"i", "a"}}), One({{"n", "1"}, {"i", "b"}}), One({{"n", "2"}}),
           One({{"n", "2.5"}})}};
}

// 200 series whose order changes when external labels are added or inner ones removed: many are the beginning of
// others, and names lie on both sides of those of the external labels.
ContractData Many() {
  ContractData data{Labels::From({{"cluster", "eu"}, {"replica", "r1"}}), {}};
  for (int i = 0; i < 50; ++i) {
    std::string n = std::to_string(i % 17) + "x" + std::to_string(i);
    data.series.push_back(One({{"n", n}}));
    data.series.push_back(One({{"a", n}, {"z", "last"}}));
    data.series.push_back(One({{"n", n}, {"q", "1"}}));
    data.series.push_back(One({{"n", n}, {"zone", std::to_string(i % 3)}}));
  }
  return data;
}

TEST_P(StoreContract, MatchersOfAllKinds) {
  Open(Matrix());
  const Lines n1 = {R"({__name__="m", i="a", n="1", region="eu-west"})",
                    R"({__name__="m", i="b", n="1", region="eu-west"})", R"({__name__="m", n="1", region="eu-west"})"};
  const Lines n2 = {R"({__name__="m", n="2", region="eu-west"})"},
              n25 = {R"({__name__="m", n="2.5", region="eu-west"})"};
  auto join = [](std::initializer_list<Lines> parts) {
    Lines all;
    for (const Lines& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  const Lines without_i = join({{n1[2]}, n2, n25});
  struct Case {
    Matchers matchers;
    Lines expected;
  };
  const Matcher one = MakeMatcher(kEqual, "n", "1"), name = MakeMatcher(kEqual, "__name__", "m");
  const Case cases[] = {
      {{one}, n1},
      {{one, MakeMatcher(kEqual, "i", "a")}, {n1[0]}},
      {{one, MakeMatcher(kEqual, "i", "")}, {n1[2]}},
      {{one, MakeMatcher(kEqual, "missing", "")}, n1},
      {{MakeMatcher(kEqual, "missing", "x")}, {}},
      {{name, MakeMatcher(kNotEqual, "n", "1")}, join({n2, n25})},
      {{MakeMatcher(kNotEqual, "i", "")}, {n1[0], n1[1]}},
      {{name, MakeMatcher(kNotEqual, "missing", "")}, {}},
      {{one, MakeMatcher(kNotEqual, "i", "a")}, {n1[1], n1[2]}},
      {{MakeMatcher(kRegexp, "n", "^1$")}, n1},
      {{one, MakeMatcher(kRegexp, "i", "^a$")}, {n1[0]}},
      {{one, MakeMatcher(kRegexp, "i", "a?")}, {n1[0], n1[2]}},
      {{name, MakeMatcher(kRegexp, "i", "")}, without_i},
      {{one, MakeMatcher(kRegexp, "i", ".*")}, n1},
      {{one, MakeMatcher(kRegexp, "i", ".+")}, {n1[0], n1[1]}},
      {{name, MakeMatcher(kRegexp, "i", "(a|b|c)?")}, join({n1, n2, n25})},
      {{MakeMatcher(kRegexp, "n", "1|2")}, join({n1, n2})},
      {{MakeMatcher(kRegexp, "n", "2.*")}, join({n2, n25})},
      {{MakeMatcher(kRegexp, "n", "2\\.5")}, n25},
      {{MakeMatcher(kRegexp, "n", "")}, {}},
      {{name, MakeMatcher(kNotRegexp, "n", "^1$")}, join({n2, n25})},
      {{name, MakeMatcher(kNotRegexp, "n", "1|2")}, n25},
      {{name, MakeMatcher(kNotRegexp, "i", "")}, {n1[0], n1[1]}},
      {{name, MakeMatcher(kNotRegexp, "i", ".*")}, {}},
      {{name, MakeMatcher(kNotRegexp, "i", ".+")}, without_i},
      {{one, MakeMatcher(kNotRegexp, "i", "^a$")}, {n1[1], n1[2]}},
      {{one, MakeMatcher(kNotRegexp, "i", "^a?$")}, {n1[1]}},
      {{one, MakeMatcher(kNotEqual, "i", "a"), MakeMatcher(kNotEqual, "i", "b")}, {n1[2]}},
      {{one, MakeMatcher(kRegexp, "i", "a|b"), MakeMatcher(kNotRegexp, "i", "b|c")}, {n1[0]}},
      {{one, one}, n1},
      {{one, MakeMatcher(kEqual, "n", "2")}, {}},
      // Nothing that must be there.
      {{MakeMatcher(kNotEqual, "n", "1")}, join({n2, n25})},
      {{MakeMatcher(kNotEqual, "i", "a"), MakeMatcher(kNotRegexp, "n", "2.*")}, {n1[1], n1[2]}},
      {{MakeMatcher(kEqual, "i", "")}, without_i},
  };
  for (const Case& c : cases) {
    for (bool skip_chunks : {false, true}) {
      SCOPED_TRACE(MatchersToString(c.matchers) + (skip_chunks ? " without chunks" : ""));
      SeriesRequest request = RequestFor(c.matchers);
      request.skip_chunks = skip_chunks;
      ContractAnswer answer = Series(request);
      EXPECT_TRUE(answer.status.ok()) << answer.status.message;
      EXPECT_TRUE(answer.warnings.empty()) << answer.warnings[0];
      EXPECT_EQ(answer.label_sets(), c.expected);
      EXPECT_EQ(Expected(request), c.expected);
    }
  }
}

TEST_P(StoreContract, MatchersOnExternalLabelsChooseAllOrNothing) {
  Open(Matrix());
  const Matcher two = MakeMatcher(kEqual, "n", "2");
  const Lines all = {R"({__name__="m", n="2", region="eu-west"})"};
  const std::pair<Matcher, bool> cases[] = {
      {MakeMatcher(kEqual, "region", "eu-west"), true}, {MakeMatcher(kEqual, "region", "different"), false},
      {MakeMatcher(kEqual, "region", ""), false},       {MakeMatcher(kNotEqual, "region", "eu-west"), false},
      {MakeMatcher(kNotEqual, "region", ""), true},     {MakeMatcher(kNotEqual, "region", "different"), true},
      {MakeMatcher(kRegexp, "region", "eu.*"), true},   {MakeMatcher(kRegexp, "region", "eu"), false},
      {MakeMatcher(kRegexp, "region", ".+"), true},     {MakeMatcher(kNotRegexp, "region", "eu.*"), false},
      {MakeMatcher(kNotRegexp, "region", "us.*"), true}};
  for (const auto& [matcher, matches] : cases) {
    SCOPED_TRACE(matcher.ToString());
    ContractAnswer answer = Series(RequestFor({two, matcher}));
    EXPECT_TRUE(answer.status.ok()) << answer.status.message;
    EXPECT_EQ(answer.label_sets(), matches ? all : Lines());
  }
}

TEST_P(StoreContract, ExternalLabelsWinOverOwn) {
  Open({kRegion, {One({{"foo", "1"}, {"region", "own"}}), One({{"foo", "2"}}), One({{"foo", "3"}, {"region", ""}})}});
  for (bool skip_chunks : {false, true}) {
    SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
    request.skip_chunks = skip_chunks;
    EXPECT_EQ(Series(request).label_sets(),
              (Lines{R"({__name__="m", foo="1", region="eu-west"})", R"({__name__="m", foo="2", region="eu-west"})",
                     R"({__name__="m", foo="3", region="eu-west"})"}));
    request.matchers.push_back(MakeMatcher(kEqual, "region", "own"));
    EXPECT_EQ(Series(request).label_sets(), Lines());
  }
}

TEST_P(StoreContract, OnlySeriesWithSamplesInTheRange) {
  ContractData data{kRegion, {}};
  for (int hour : {0, 8, 16}) {
    data.series.push_back(One({{"hour", std::to_string(100 + hour)}}, kContractStartMs + hour * kHourMs));
  }
  Open(std::move(data));
  const int64_t at = kContractStartMs + 8 * kHourMs;
  struct Case {
    int64_t start_ms, end_ms;
    size_t count;
  };
  const Case cases[] = {{at, at, 1},
                        {at - kHourMs, at, 1},
                        {at, at + kHourMs, 1},
                        {kContractStartMs, at, 2},
                        {kContractStartMs - 48 * kHourMs, kContractStartMs - 24 * kHourMs, 0},
                        {at + 24 * kHourMs, at + 48 * kHourMs, 0},
                        {at + 1, at - 1, 0},  // inverted
                        {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), 3}};
  for (const Case& c : cases) {
    SCOPED_TRACE(std::to_string(c.start_ms) + ".." + std::to_string(c.end_ms));
    SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
    request.min_time_ms = c.start_ms;
    request.max_time_ms = c.end_ms;
    ContractAnswer answer = Series(request);
    EXPECT_TRUE(answer.status.ok()) << answer.status.message;
    EXPECT_EQ(answer.series.size(), c.count);
    EXPECT_EQ(answer.label_sets(), Expected(request));
  }
}

TEST_P(StoreContract, SamplesAreThoseStored) {
  ContractData data{kRegion, {One({{"kind", "special"}}), One({{"kind", "long"}})}};
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const double specials[] = {0.1, -0.0, kInf, -kInf, std::nan(""), 1.7976931348623157e308, 5e-324, 1e16, -3};
  data.series[0].samples.clear();
  for (size_t i = 0; i < std::size(specials); ++i)
    data.series[0].samples.emplace_back(kContractStartMs + static_cast<int64_t>(i) * 15'001, specials[i]);
  // More than one chunk, and more than one block.
  data.series[1].samples.clear();
  for (int i = 0; i < 900; ++i) data.series[1].samples.emplace_back(kContractStartMs + i * 15'000, i * 0.1);
  Open(data);
  ContractAnswer answer = Series(RequestFor({MakeMatcher(kEqual, "__name__", "m")}));
  ASSERT_EQ(answer.series.size(), 2u);
  for (size_t s : {0, 1}) {
    const AnsweredSeries& got = answer.series[1 - s];
    const auto& want = data.series[s].samples;
    ASSERT_EQ(got.samples.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(got.samples[i].first, want[i].first);
      EXPECT_TRUE(got.samples[i].second == want[i].second ||
                  (std::isnan(got.samples[i].second) && std::isnan(want[i].second)))
          << got.samples[i].second << " for " << want[i].second;
      EXPECT_EQ(std::signbit(got.samples[i].second), std::signbit(want[i].second)) << want[i].second;
    }
    for (size_t i = 0; i < got.chunks.size(); ++i) {
      EXPECT_LE(got.chunks[i].mint_ms, got.chunks[i].maxt_ms);
      if (i > 0) {
        EXPECT_LT(got.chunks[i - 1].maxt_ms, got.chunks[i].mint_ms);
      }
    }
    EXPECT_EQ(got.chunks.front().mint_ms, want.front().first);
    EXPECT_EQ(got.chunks.back().maxt_ms, want.back().first);
  }
}

TEST_P(StoreContract, ARangeGivesAtLeastItsSamples) {
  ContractData data{kRegion, {One({{"kind", "long"}})}};
  data.series[0].samples.clear();
  for (int i = 0; i < 900; ++i) data.series[0].samples.emplace_back(kContractStartMs + i * 15'000, i);
  Open(std::move(data));
  SeriesRequest request = RequestFor({MakeMatcher(kEqual, "kind", "long")});
  request.min_time_ms = kContractStartMs + 450 * 15'000;
  request.max_time_ms = kContractStartMs + 470 * 15'000;
  ContractAnswer answer = Series(request);
  ASSERT_EQ(answer.series.size(), 1u);
  size_t inside = 0;
  for (const auto& [time, value] : answer.series[0].samples) {
    if (time < request.min_time_ms || time > request.max_time_ms) continue;
    ++inside;
    EXPECT_EQ(value, static_cast<double>((time - kContractStartMs) / 15'000));
  }
  EXPECT_EQ(inside, 21u);
  EXPECT_LT(answer.series[0].samples.size(), 900u) << "the whole series for a part of it";
}

TEST_P(StoreContract, SeriesComeInTheOrderOfTheirFinalLabels) {
  Open(Many());
  for (bool skip_chunks : {false, true}) {
    SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
    request.skip_chunks = skip_chunks;
    ContractAnswer answer = Series(request);
    EXPECT_TRUE(answer.status.ok()) << answer.status.message;
    EXPECT_EQ(answer.series.size(), 200u);
    EXPECT_EQ(answer.label_sets(), Expected(request));
    for (const AnsweredSeries& series : answer.series) EXPECT_EQ(series.samples.size(), skip_chunks ? 0u : 1u);
  }
}

TEST_P(StoreContract, ReplicaLabelsAreLeftOutAndTheOrderMadeAnew) {
  Open(Many());
  for (const Lines& without : {Lines{"replica"}, Lines{"cluster", "replica"}, Lines{"n"}, Lines{"a", "replica"},
                               Lines{"absent"}, Lines{"q", "zone"}}) {
    for (bool skip_chunks : {false, true}) {
      SCOPED_TRACE(without[0] + (skip_chunks ? " without chunks" : ""));
      SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
      request.skip_chunks = skip_chunks;
      request.without_replica_labels = without;
      ContractAnswer answer = Series(request);
      EXPECT_TRUE(answer.status.ok()) << answer.status.message;
      EXPECT_EQ(answer.label_sets(), Expected(request));
      size_t samples = 0;
      for (const AnsweredSeries& series : answer.series) samples += series.chunks.size();
      // Series that became the same have the chunks of all; exact copies may come once.
      if (!skip_chunks) {
        EXPECT_GE(samples, answer.series.size());
      }
    }
  }
}

TEST_P(StoreContract, SeriesThatBecomeOneKeepTheChunksOfBoth) {
  Open({Labels::From({{"cluster", "eu"}}),
        {{Labels::From({{"__name__", "m"}, {"replica", "a"}}), {{kContractStartMs, 1}, {kContractStartMs + 15'000, 2}}},
         {Labels::From({{"__name__", "m"}, {"replica", "b"}}), {{kContractStartMs + 100, 3}}}}});
  SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
  request.without_replica_labels = {"replica"};
  ContractAnswer answer = Series(request);
  EXPECT_EQ(answer.label_sets(), (Lines{R"({__name__="m", cluster="eu"})"}));
  std::multiset<double> values;
  for (const auto& sample : answer.series.at(0).samples) values.insert(sample.second);
  EXPECT_EQ(values, (std::multiset<double>{1, 2, 3}));
}

TEST_P(StoreContract, LimitGivesTheFirstSeries) {
  Open(Many());
  for (int64_t limit : {1, 7, 199, 200, 1000}) {
    for (bool skip_chunks : {false, true}) {
      for (const Lines& without : {Lines{}, Lines{"replica"}, Lines{"n", "replica"}}) {
        SCOPED_TRACE(std::to_string(limit) + (skip_chunks ? " without chunks" : ""));
        SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
        request.limit = limit;
        request.skip_chunks = skip_chunks;
        request.without_replica_labels = without;
        ContractAnswer answer = Series(request);
        EXPECT_TRUE(answer.status.ok()) << answer.status.message;
        EXPECT_EQ(answer.label_sets(), Expected(request));
      }
    }
  }
}

TEST_P(StoreContract, ShardsAreThePartsOfTheWhole) {
  Open(Many());
  for (bool by : {true, false}) {
    for (const Lines& names : {Lines{"n"}, Lines{"zone", "cluster"}, Lines{}}) {
      for (const Lines& without : {Lines{}, Lines{"replica"}}) {
        size_t total = 0;
        for (int64_t index = 0; index < 3; ++index) {
          SCOPED_TRACE((by ? "by " : "without ") + (names.empty() ? "" : names[0]) + " " + std::to_string(index));
          SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
          request.shard = {index, 3, by, names};
          request.without_replica_labels = without;
          ContractAnswer answer = Series(request);
          EXPECT_TRUE(answer.status.ok()) << answer.status.message;
          EXPECT_EQ(answer.label_sets(), Expected(request));
          total += answer.series.size();
          request.limit = 5;
          EXPECT_EQ(Series(request).label_sets(), Expected(request));
          request.skip_chunks = true;
          EXPECT_EQ(Series(request).label_sets(), Expected(request));
        }
        EXPECT_EQ(total, 200u);
      }
    }
  }
}

TEST_P(StoreContract, BatchesChangeFramesNotSeries) {
  Open(Many());
  SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
  const Lines expected = Expected(request);
  for (int64_t batch : {0, 1, 4, 64, 1'000'000}) {
    SCOPED_TRACE(batch);
    request.batch_size = batch;
    ContractAnswer answer = Series(request);
    EXPECT_EQ(answer.label_sets(), expected);
    std::vector<size_t> per_frame(answer.frames);
    for (const AnsweredSeries& series : answer.series) ++per_frame[series.frame];
    EXPECT_LE(*std::max_element(per_frame.begin(), per_frame.end()), static_cast<size_t>(std::max<int64_t>(batch, 1)));
    if (batch == 64) {
      EXPECT_LE(answer.frames, 10u);
    }
  }
}

TEST_P(StoreContract, RawDataIsRawWhateverAggregatesAreAsked) {
  using enum wire::Aggregate;
  Open(Matrix());
  for (const std::vector<wire::Aggregate>& aggregates :
       {std::vector<wire::Aggregate>{}, {kRaw}, {kCount, kSum}, {kMin}, {kMax}, {kCounter}}) {
    for (int64_t resolution : {0, 300'000}) {
      SeriesRequest request = RequestFor({MakeMatcher(kEqual, "n", "1")});
      request.aggregates = aggregates;
      request.max_resolution_ms = resolution;
      ContractAnswer answer = Series(request);
      ASSERT_EQ(answer.series.size(), 3u);
      ASSERT_EQ(answer.series[0].chunks.size(), 1u);
      EXPECT_EQ(answer.series[0].chunks[0].aggregate, kRaw);
      EXPECT_EQ(answer.series[0].samples.size(), 1u);
    }
  }
}

TEST_P(StoreContract, HintsDoNotChangeTheSeries) {
  Open(Matrix());
  SeriesRequest request = RequestFor({MakeMatcher(kEqual, "n", "1")});
  const Lines expected = Expected(request);
  request.hints = wire::EncodeRequestHints(wire::HintsOf::kSeries, {.block_matchers = {}, .enable_query_stats = true});
  EXPECT_EQ(Series(request).label_sets(), expected);
  request.hints.clear();
  request.step_ms = 15'000;
  request.range_ms = 300'000;
  request.query_hints = wire::QueryHints{.step_ms = 15'000,
                                         .func = "rate",
                                         .by = true,
                                         .grouping = {"i"},
                                         .range_ms = 300'000,
                                         .projection_labels = {},
                                         .projection_include = false,
                                         .series_hash_label = ""};
  EXPECT_EQ(Series(request).label_sets(), expected);
}

TEST_P(StoreContract, TheStrategyDoesNotChangeAWholeAnswer) {
  Open(Matrix());
  SeriesRequest request = RequestFor({MakeMatcher(kEqual, "n", "1")});
  const Lines expected = Expected(request);
  request.partial_response = PartialResponse::kAbort;
  EXPECT_EQ(Series(request).label_sets(), expected);
  request.partial_response_disabled = true;
  ContractAnswer answer = Series(request);
  EXPECT_TRUE(answer.status.ok()) << answer.status.message;
  EXPECT_EQ(answer.label_sets(), expected);
}

TEST_P(StoreContract, ARequestOfNoMatchersIsRefused) {
  Open(Matrix());
  if (is_bucket()) {
    EXPECT_TRUE(Series(RequestFor({})).series.empty());
    SeriesRequest external = RequestFor({MakeMatcher(kEqual, "region", "eu-west")});
    EXPECT_EQ(Series(external).label_sets(), Expected(external));
    return;
  }
  for (const Matchers& matchers : {Matchers(), Matchers{MakeMatcher(kEqual, "region", "eu-west")}}) {
    SeriesRequest request = RequestFor(matchers);
    request.partial_response = PartialResponse::kAbort;
    ContractAnswer answer = Series(request);
    EXPECT_EQ(answer.status.code, net::GrpcCode::kInvalidArgument);
    EXPECT_NE(answer.status.message.find("no matchers specified"), std::string::npos) << answer.status.message;
    EXPECT_TRUE(answer.series.empty());
  }
}

TEST_P(StoreContract, ABadRegexpIsRefused) {
  Open(Matrix());
  std::string bytes = wire::EncodeSeriesRequest(RequestFor({MakeMatcher(kRegexp, "n", "abc")}));
  size_t at = bytes.find("abc");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 3, "ab(");
  auto call = channel_->Start("/thanos.Store/Series", {}, Cancel());
  ASSERT_TRUE(call->Write(bytes).ok());
  ASSERT_TRUE(call->WritesDone().ok());
  std::string frame;
  auto more = call->Read(&frame);
  EXPECT_FALSE(more.ok() && *more);
  net::GrpcStatus status = call->Finish();
  EXPECT_EQ(status.code, net::GrpcCode::kInvalidArgument);
  EXPECT_NE(status.message.find("missing closing )"), std::string::npos) << status.message;
}

TEST_P(StoreContract, LongAndForeignValuesPassUnchanged) {
  const std::string values[] = {std::string(254, 'a'), std::string(255, 'b'), std::string(20'000, 'c'),
                                "\xc3\xa9\xe4\xb8\x96", "a\"quoted\" \\ back"};
  ContractData data{kRegion, {}};
  for (const std::string& value : values) data.series.push_back(One({{"v", value}}));
  Open(std::move(data));
  for (const std::string& value : values) {
    ContractAnswer answer = Series(RequestFor({Matcher::Equal("v", value)}));
    ASSERT_EQ(answer.series.size(), 1u) << value.substr(0, 20);
    EXPECT_EQ(answer.series[0].labels.Get("v"), value);
  }
  SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
  EXPECT_EQ(Series(request).label_sets(), Expected(request));
}

TEST_P(StoreContract, AReaderThatGoesLeavesTheStoreAsItWas) {
  Open(Many());
  SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
  for (int i = 0; i < 3; ++i) {
    auto stream = rpc::StoreClient(*channel_).Series(request, {});
    std::string frame;
    ASSERT_TRUE(*stream->Next(&frame));
  }
  EXPECT_EQ(Series(request).label_sets(), Expected(request));
}

TEST_P(StoreContract, ManyMayAskAtOnce) {
  Open(Many());
  SeriesRequest request = RequestFor({MakeMatcher(kEqual, "__name__", "m")});
  const Lines expected = Expected(request);
  std::vector<ContractAnswer> answers(4);
  std::vector<std::thread> threads;
  for (ContractAnswer& answer : answers) threads.emplace_back([&] { answer = Series(request); });
  for (std::thread& thread : threads) thread.join();
  for (const ContractAnswer& answer : answers) EXPECT_EQ(answer.label_sets(), expected);
}

}  // namespace
}  // namespace gauntlet::storeapi
