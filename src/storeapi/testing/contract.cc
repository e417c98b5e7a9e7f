#include "storeapi/testing/contract.h"

#include <algorithm>
#include <map>
#include <ostream>

#include "base/check.h"
#include "storeapi/shard_filter.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::storeapi {
namespace {

constexpr int64_t kDayMs = 24 * kHourMs;

// Labels as a client sees them: external ones win, `without` ones go.
Labels FinalLabels(const Labels& own, const Labels& external, const std::vector<std::string>& without) {
  LabelsBuilder builder(own);
  for (const Label& label : external) builder.Set(label.name, label.value);
  for (const std::string& name : without) builder.Del(name);
  return builder.Build();
}

void Decode(const wire::ChunkView& chunk, AnsweredSeries* series) {
  series->chunks.push_back({chunk.min_time_ms, chunk.max_time_ms, chunk.aggregate});
  Samples samples;
  Status decoded = tsdb::DecodeChunk({static_cast<tsdb::Encoding>(chunk.encoding), chunk.data}, &samples);
  EXPECT_TRUE(decoded.ok()) << decoded.message();
  for (size_t i = 0; i < samples.size(); ++i) series->samples.emplace_back(samples.times_ms[i], samples.values[i]);
}

std::vector<std::string> ValuesOf(const net::GrpcStatus& status, wire::LabelsResponse response) {
  if (!status.ok()) return {std::string(net::GrpcCodeText(status.code)) + ": " + status.message};
  EXPECT_TRUE(response.warnings.empty()) << response.warnings[0];
  return std::move(response.values);
}

}  // namespace

Matcher MakeMatcher(MatchType type, const char* name, const char* value) {
  auto matcher = Matcher::Make(type, name, value);
  GN_CHECK(matcher.ok());
  return *std::move(matcher);
}

void PrintTo(const ContractParam& param, std::ostream* out) { *out << param.name; }

std::vector<std::string> ContractAnswer::label_sets() const {
  std::vector<std::string> sets;
  for (const AnsweredSeries& one : series) sets.push_back(one.labels.ToString());
  return sets;
}

void StoreContract::SetUp() {
  subject_ = GetParam().make();
  if (std::string why = subject_->SkipReason(); !why.empty()) GTEST_SKIP() << why;
}

void StoreContract::TearDown() {
  channel_.reset();
  server_.reset();
  subject_.reset();
}

void StoreContract::Open(ContractData data) {
  data_ = std::move(data);
  auto store = subject_->Open(data_);
  ASSERT_TRUE(store.ok()) << store.status().message();
  server_ = std::make_unique<StoreServer>(**store, StoreServerOptions{});
  rpc::MethodMap methods;
  rpc::RegisterStore(*server_, &methods);
  channel_ = std::make_unique<rpc::LoopbackChannel>(std::move(methods), pool_);
}

ContractAnswer StoreContract::Series(const SeriesRequest& request) {
  ContractAnswer answer;
  auto stream = rpc::StoreClient(*channel_).Series(request, {});
  std::string frame;
  wire::SeriesReader reader;
  while (true) {
    Result<bool> next = stream->Next(&frame);
    if (!next.ok() || !*next) break;
    reader.Reset(frame);
    while (true) {
      auto more = reader.Next();
      EXPECT_TRUE(more.ok()) << more.status().message();
      if (!more.ok() || !*more) break;
      if (reader.kind() == wire::SeriesReader::Kind::kWarning) answer.warnings.emplace_back(reader.text());
      if (reader.kind() != wire::SeriesReader::Kind::kSeries) continue;
      // A series may come in several pieces, one after the other.
      Labels labels(reader.labels());
      if (answer.series.empty() || !(answer.series.back().labels == labels)) {
        answer.series.emplace_back();
        answer.series.back().labels = std::move(labels);
        answer.series.back().frame = answer.frames;
      }
      for (const wire::ChunkView& chunk : reader.chunks()) Decode(chunk, &answer.series.back());
    }
    ++answer.frames;
  }
  answer.status = stream->status();
  return answer;
}

std::vector<std::string> StoreContract::Names(const LabelsRequest& request) {
  wire::LabelsResponse response;
  net::GrpcStatus status = rpc::StoreClient(*channel_).LabelNames(request, &response, {});
  return ValuesOf(status, std::move(response));
}

std::vector<std::string> StoreContract::Values(LabelsRequest request, std::string label) {
  request.label = std::move(label);
  wire::LabelsResponse response;
  net::GrpcStatus status = rpc::StoreClient(*channel_).LabelValues(request, &response, {});
  return ValuesOf(status, std::move(response));
}

SeriesRequest StoreContract::RequestFor(Matchers matchers) {
  SeriesRequest request;
  request.min_time_ms = kContractStartMs - kDayMs;
  request.max_time_ms = kContractStartMs + 2 * kDayMs;
  request.matchers = std::move(matchers);
  request.aggregates = {wire::Aggregate::kRaw};
  return request;
}

LabelsRequest StoreContract::LabelsFor(Matchers matchers) {
  LabelsRequest request;
  request.start_ms = kContractStartMs - kDayMs;
  request.end_ms = kContractStartMs + 2 * kDayMs;
  request.matchers = std::move(matchers);
  return request;
}

std::vector<std::string> StoreContract::Expected(const SeriesRequest& request) const {
  std::vector<Labels> sets;
  ShardFilter shard(request.shard);
  for (const ContractSeries& series : data_.series) {
    bool in_range = std::any_of(series.samples.begin(), series.samples.end(), [&](const auto& sample) {
      return sample.first >= request.min_time_ms && sample.first <= request.max_time_ms;
    });
    if (!in_range || !MatchesAll(request.matchers, FinalLabels(series.labels, data_.external, {}))) continue;
    Labels labels = FinalLabels(series.labels, data_.external, request.without_replica_labels);
    if (shard.Matches(labels)) sets.push_back(std::move(labels));
  }
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  if (request.limit > 0 && sets.size() > static_cast<size_t>(request.limit)) sets.resize(request.limit);
  std::vector<std::string> expected;
  for (const Labels& labels : sets) expected.push_back(labels.ToString());
  return expected;
}

}  // namespace gauntlet::storeapi
