// Distributed mode: the recorded queries over data that two leaves share, evaluated with and without them. The leaves
// are real servers of the Query API on loopback.
//
// PRINT_FAILURES=1 prints all differences.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "api/envelope.h"
#include "api/memory_reply.h"
#include "api/query_handlers.h"
#include "api/result_json.h"
#include "api/testing/golden_block.h"
#include "base/hash.h"
#include "json/reader.h"
#include "model/float_text.h"
#include "promql/engine/engine.h"
#include "query/leaf_queries.h"
#include "query/query_service.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::api {
namespace {

promql::EngineOptions AllFeatures() {
  promql::EngineOptions options;
  options.experimental_functions = options.extended_range_selectors = options.binop_fill_modifiers = true;
  return options;
}

class MemoryQueryable : public storage::Queryable {
 public:
  explicit MemoryQueryable(storage::MemoryStorage& storage) : storage_(storage) {}
  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) override {
    return storage_.MakeQuerier(mint_ms, maxt_ms);
  }

 private:
  storage::MemoryStorage& storage_;
};

query::DataSource SourceOf(storage::MemoryStorage& storage) {
  return [&storage](const query::SelectScope&, query::FanoutReport*) {
    return std::make_unique<MemoryQueryable>(storage);
  };
}

// A querier with series of its own, asked over gRPC.
class LeafServer {
 public:
  explicit LeafServer(Executor& executor) : engine_(AllFeatures(), executor, nullptr, SystemClock()) {
    rpc::RegisterQuery(server_, &methods_);
    net::GrpcServerOptions options;
    auto started = net::GrpcServer::Start(options, methods_, nullptr, executor);
    EXPECT_TRUE(started.ok());
    grpc_ = *std::move(started);
    net::GrpcChannelOptions channel;
    channel.addresses = {address()};
    channel_ = *net::GrpcChannel::Make(channel);
    client_ = rpc::MakeQueryClient(*channel_);
  }
  void Stop() {
    grpc_->Shutdown(std::chrono::milliseconds(0));
    grpc_.reset();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(grpc_->port()); }
  std::shared_ptr<rpc::QueryService> client() { return {client_, client_.get()}; }
  storage::MemoryStorage& storage() { return storage_; }

 private:
  storage::MemoryStorage storage_;
  promql::Engine engine_;
  telemetry::Registry registry_;
  server::Gate gate_{0, "leaf", registry_};
  query::QueryServer server_{{}, engine_, SourceOf(storage_), {}, gate_};
  rpc::MethodMap methods_;
  std::unique_ptr<net::GrpcServer> grpc_;
  std::shared_ptr<net::GrpcChannel> channel_;
  std::shared_ptr<rpc::QueryService> client_;
};

int64_t Milliseconds(json::Value seconds) { return static_cast<int64_t>(std::llround(*seconds.Double() * 1000)); }

// Texts of floats that are as good as equal, where another order of adding is allowed.
bool Near(std::string_view a, std::string_view b) {
  if (a == b) return true;
  auto x = ParseFloat(a), y = ParseFloat(b);
  if (!x.ok() || !y.ok()) return false;
  return std::fabs(*x - *y) <= 1e-12 * std::max(std::fabs(*x), std::fabs(*y));
}

bool Near(json::Value a, json::Value b) {
  if (a.is_array() || a.is_object()) {
    if (a.is_array() != b.is_array() || a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (a.is_object() && a.key(i) != b.key(i)) return false;
      if (!Near(a[i], b[i])) return false;
    }
    return true;
  }
  if (auto text = a.String()) return b.String() && Near(*text, *b.String());
  return a.Double() == b.Double() && a.Bool() == b.Bool();
}

std::string MetricOf(json::Value series) {
  json::Value metric = series.Get("metric");
  std::string text;
  for (size_t i = 0; i < metric.size(); ++i) text += fmt::format("{}={:?},", metric.key(i), *metric[i].String());
  return text;
}

std::set<std::string> Messages(json::Value array) {
  std::set<std::string> out;
  for (size_t i = 0; i < array.size(); ++i) out.emplace(*array[i].String());
  return out;
}

// Nothing when the answers are the same. Series in the order of the answer where that means something.
std::string Difference(json::Value local, json::Value distributed, bool ordered) {
  if (local.Get("status").String() != distributed.Get("status").String()) return "status";
  if (local.Get("error").String() != distributed.Get("error").String()) return "error";
  for (const char* kind : {"warnings", "infos"}) {
    if (Messages(local.Get(kind)) != Messages(distributed.Get(kind))) return kind;
  }
  json::Value a = local.Get("data"), b = distributed.Get("data");
  if (a.Get("resultType").String() != b.Get("resultType").String()) return "resultType";
  json::Value x = a.Get("result"), y = b.Get("result");
  if (x.size() != y.size()) return fmt::format("{} series instead of {}", y.size(), x.size());
  if (a.Get("resultType").String() != "vector" && a.Get("resultType").String() != "matrix") {
    return Near(x, y) ? "" : "value";
  }
  std::map<std::string, size_t> places;
  for (size_t i = 0; i < y.size(); ++i) places[MetricOf(y[i])] = i;
  for (size_t i = 0; i < x.size(); ++i) {
    auto place = places.find(MetricOf(x[i]));
    if (place == places.end()) return "no series " + MetricOf(x[i]);
    if (ordered && place->second != i) return "order";
    if (!Near(x[i], y[place->second])) return "values of " + MetricOf(x[i]);
  }
  return "";
}

class DistributedQueries : public testing::Test {
 protected:
  DistributedQueries() : engine_(AllFeatures(), executor_, nullptr, SystemClock()) {}

  // Series are dealt out by a hash of their labels, and say by one more where they are.
  bool Load() {
    for (const char* block : {"float-2h", "hist-2h", "many-2h"}) {
      for (bool all : {true, false}) {
        auto place = [&](Labels* labels) -> storage::MemoryStorage* {
          const bool first = XxHash64(labels->ToString()) % 2 == 0;
          LabelsBuilder builder(*labels);
          builder.Set("shard", first ? "a" : "b");
          *labels = builder.Build();
          return all ? &all_ : first ? &a_.storage() : &b_.storage();
        };
        if (!LoadBlock(block, place)) return false;
      }
    }
    return true;
  }

  std::unique_ptr<promql::RemoteEvaluator> Leaves(const query::SelectScope& scope = {}) {
    promql::Leaves leaves;
    leaves.leaves = {{"leaf-a", true, {{Labels::From({{"shard", "a"}}), kMinTimeMs, kMaxTimeMs}}},
                     {"leaf-b", true, {{Labels::From({{"shard", "b"}}), kMinTimeMs, kMaxTimeMs}}}};
    return query::MakeLeafQueries(std::move(leaves), {a_.client(), b_.client()}, {}, scope, executor_);
  }

  struct Answer {
    std::string body, plan;
  };
  Answer Ask(const std::string& query, int64_t start_ms, int64_t end_ms, int64_t step_ms,
             promql::RemoteEvaluator* leaves, const Cancel& cancel = Cancel()) {
    promql::QueryOptions options;
    options.remote = leaves;
    auto made = step_ms > 0 ? engine_.NewRangeQuery(all_, options, query, start_ms, end_ms, step_ms)
                            : engine_.NewInstantQuery(all_, options, query, start_ms);
    MemoryReply reply;
    if (!made.ok()) {
      ReplyBadParameter(reply, "query", made.status());
      return {reply.body(), ""};
    }
    promql::QueryResult result = (*made)->Exec(cancel);
    if (!result.status.ok()) {
      ReplyError(reply, EvaluationErrorType(result.status), result.status.message());
    } else {
      ReplyData(reply, result.annotations, [&](JsonReply& json) {
        json.writer().BeginObject();
        WriteResult(json, result, 0);
        json.writer().EndObject();
      });
    }
    return {reply.body(), ExplanationText((*made)->Explain())};
  }

  ThreadPool executor_{"query", 16};
  LeafServer a_{executor_}, b_{executor_};
  storage::MemoryStorage all_;
  promql::Engine engine_;
};

TEST_F(DistributedQueries, AnswerAsLocalOnes) {
  if (!Load()) GTEST_SKIP() << "no golden data beside the repository";
  const auto leaves = Leaves();
  int asked = 0, distributed = 0;
  for (const std::string& line : tsdb::GoldenLines("promql/queries.jsonl.gz")) {
    auto document = json::Document::Parse(line);
    ASSERT_TRUE(document.ok());
    json::Value recorded = document->root();
    const std::string query(*recorded.Get("query").String());
    const bool range = recorded.Get("kind").String() == "range";
    const int64_t start = Milliseconds(recorded.Get(range ? "start" : "time"));
    const int64_t end = range ? Milliseconds(recorded.Get("end")) : start;
    const int64_t step = range ? Milliseconds(recorded.Get("step")) : 0;
    if (range && (end < start || step <= 0 || (end - start) / step > 11'000)) continue;  // the handler's to refuse
    Answer local = Ask(query, start, end, step, nullptr), remote = Ask(query, start, end, step, leaves.get());
    ++asked;
    distributed += remote.plan.find("remote at") != std::string::npos;
    if (local.body == remote.body) continue;
    auto x = json::Document::Parse(local.body), y = json::Document::Parse(remote.body);
    ASSERT_TRUE(x.ok() && y.ok());
    const bool ordered =
        !range && (query.starts_with("sort") || query.starts_with("topk") || query.starts_with("bottomk"));
    std::string difference = Difference(x->root(), y->root(), ordered);
    EXPECT_EQ(difference, "") << query << " " << start << "\n"
                              << remote.plan << local.body.substr(0, 1500) << "\n"
                              << remote.body.substr(0, 1500);
  }
  fmt::print("{} queries, {} with parts evaluated by leaves\n", asked, distributed);
  EXPECT_GT(distributed, 600);
}

TEST_F(DistributedQueries, ALeafThatIsGoneIsAWarningOrTheError) {
  for (int64_t t = 1'000'000; t <= 2'000'000; t += 15'000) {
    a_.storage().Append(Labels::From({{"__name__", "x"}, {"shard", "a"}}), t, 1);
    b_.storage().Append(Labels::From({{"__name__", "x"}, {"shard", "b"}}), t, 2);
  }
  EXPECT_NE(Ask("sum(x)", 1'500'000, 0, 0, Leaves().get()).body.find(R"("3")"), std::string::npos);
  b_.Stop();
  query::SelectScope scope;
  scope.partial_response = storeapi::PartialResponse::kWarn;
  std::string partial = Ask("sum(x)", 1'500'000, 0, 0, Leaves(scope).get()).body;
  EXPECT_NE(partial.find(R"("1")"), std::string::npos) << partial;
  EXPECT_NE(partial.find("remote query error (leaf-b): rpc error: code = Unavailable"), std::string::npos) << partial;
  scope.partial_response = storeapi::PartialResponse::kAbort;
  std::string whole = Ask("sum(x)", 1'500'000, 0, 0, Leaves(scope).get()).body;
  EXPECT_NE(whole.find(R"("errorType":"execution")"), std::string::npos) << whole;
}

TEST_F(DistributedQueries, WhatALeafRefusesIsEvaluatedHere) {
  for (const char* pod : {"1", "2"}) {
    const Labels labels = Labels::From({{"__name__", "x"}, {"pod", pod}, {"shard", "a"}});
    a_.storage().Append(labels, 1'000'000, 1);
    all_.Append(labels, 1'000'000, 1);
  }
  // Two series become one: an error in the leaf, and the same error here.
  const std::string query = "sum(label_replace(x, \"pod\", \"\", \"\", \"\"))";
  EXPECT_EQ(Ask(query, 1'000'000, 0, 0, Leaves().get()).body, Ask(query, 1'000'000, 0, 0, nullptr).body);
}

TEST_F(DistributedQueries, TheCancelReachesTheLeaves) {
  a_.storage().Append(Labels::From({{"__name__", "x"}, {"shard", "a"}}), 1'000'000, 1);
  CancelSource source;
  source.Stop();
  std::string body = Ask("sum(x)", 1'000'000, 0, 0, Leaves().get(), source.cancel()).body;
  EXPECT_NE(body.find(R"("errorType":"canceled")"), std::string::npos) << body;
}

}  // namespace
}  // namespace gauntlet::api
