#include "api/result_json.h"

#include <gtest/gtest.h>

#include "api/memory_reply.h"
#include "base/executor.h"

namespace gauntlet::api {
namespace {

std::string Written(const promql::QueryResult& result, int64_t limit = 0, Executor* executor = nullptr) {
  MemoryReply reply;
  JsonReply json(reply);
  json.writer().BeginObject();
  WriteResult(json, result, limit, executor);
  json.writer().EndObject();
  json.Send();
  return reply.body();
}

promql::Row MakeRow(const char* name, std::vector<std::pair<uint32_t, double>> points, uint32_t steps) {
  promql::Row row;
  row.labels = Labels::From({{"__name__", name}});
  row.column = promql::Column(steps);
  for (auto [step, v] : points) row.column.Set(step, v);
  return row;
}

TEST(ResultJson, ScalarsAndStrings) {
  promql::QueryResult result;
  result.type = promql::ValueType::kScalar;
  result.grid.start_ms = 4000;
  result.scalar = 2;
  EXPECT_EQ(Written(result), R"({"resultType":"scalar","result":[4,"2"]})");
  result.type = promql::ValueType::kString;
  result.string = "a\"b";
  EXPECT_EQ(Written(result), R"({"resultType":"string","result":[4,"a\"b"]})");
}

TEST(ResultJson, RangesSkipAbsentSteps) {
  promql::QueryResult result;
  result.type = promql::ValueType::kMatrix;
  result.grid = {1500, 1000, 3};
  result.rows.push_back(MakeRow("up", {{0, 1}, {2, 0.5}}, 3));
  EXPECT_EQ(Written(result),
            R"({"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1.500,"1"],[3.500,"0.5"]]}]})");
}

TEST(ResultJson, ManySeriesWrittenOnThreadsKeepTheirOrder) {
  promql::QueryResult result;
  result.type = promql::ValueType::kMatrix;
  result.grid = {1500, 1000, 500};
  for (int i = 0; i < 205; ++i) {
    promql::Row& row = result.rows.emplace_back();
    row.labels = Labels::From({{"i", std::to_string(i)}});
    row.column = promql::Column(500);
    for (uint32_t step = static_cast<uint32_t>(i % 7); step < 500; ++step) row.column.Set(step, i + step / 8.0);
  }
  ThreadPool pool("test", 3);
  EXPECT_EQ(Written(result, 0, &pool), Written(result));
  EXPECT_EQ(Written(result, 33, &pool), Written(result, 33));
}

TEST(ResultJson, VectorsAreCutAtTheLimit) {
  promql::QueryResult result;
  result.type = promql::ValueType::kVector;
  result.rows.push_back(MakeRow("a", {{0, 1}}, 1));
  result.rows.push_back(MakeRow("b", {{0, 2}}, 1));
  EXPECT_TRUE(IsCut(result, 1));
  EXPECT_FALSE(IsCut(result, 2));
  EXPECT_EQ(Written(result, 1), R"({"resultType":"vector","result":[{"metric":{"__name__":"a"},"value":[0,"1"]}]})");
  result.rows.clear();
  EXPECT_EQ(Written(result), R"({"resultType":"vector","result":[]})");
}

TEST(ResultJson, ExplanationsAreTrees) {
  promql::Explanation explanation;
  explanation.name = "sum";
  explanation.children.emplace_back();
  explanation.children[0].name = "select up";
  explanation.children[0].cost =
      promql::OperatorCost{.total_seconds = 0.5, .self_seconds = 0.25, .series = 2, .samples = 8, .peak_bytes = 99};
  std::string out;
  json::Writer writer(&out);
  WriteExplanation(writer, explanation);
  EXPECT_EQ(
      out,
      R"({"name":"sum","children":[{"name":"select up","executionTime":"0.25s","totalTime":"0.5s","series":2,"samples":8,"bytes":99}]})");
}

TEST(ResultJson, HistogramsSayTheirBucketsWithTheirBorders) {
  Histogram histogram;
  histogram.schema = 0;
  histogram.count = 6;
  histogram.sum = 3.5;
  histogram.zero_threshold = 0.001;
  histogram.zero_count = 1;
  histogram.positive_spans = {{0, 2}};
  histogram.positive_buckets = {2, 0};
  histogram.negative_spans = {{1, 1}};
  histogram.negative_buckets = {3};
  std::string out;
  json::Writer writer(&out);
  WriteHistogram(writer, histogram);
  EXPECT_EQ(out,
            R"({"count":"6","sum":"3.5","buckets":[[1,"-2","-1","3"],[3,"-0.001","0.001","1"],[0,"0.5","1","2"]]})");
}

}  // namespace
}  // namespace gauntlet::api
