// A busy executor: tasks of batches that the pulling thread has done itself come late, when their slots are in use
// again. No series may be lost, doubled or leaked by that.

#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "promql/engine/engine.h"
#include "storage/memory_storage.h"

namespace gauntlet::promql {
namespace {

// Keeps tasks until it is told to run them.
class LateExecutor : public Executor {
 public:
  void Run(std::function<void()> task) override { held_.push_back(std::move(task)); }
  size_t width() const override { return 4; }
  void RunHeld() {
    for (; !held_.empty(); held_.pop_front()) held_.front()();
  }

 private:
  std::deque<std::function<void()>> held_;
};

// Series of memory; at every `period`-th that is pulled, the tasks held so far run.
class LateStorage : public storage::Queryable {
 public:
  LateStorage(storage::Queryable& inner, LateExecutor& executor, int period)
      : inner_(inner), executor_(executor), period_(period) {}

  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) override {
    GN_ASSIGN(auto querier, inner_.MakeQuerier(mint_ms, maxt_ms));
    return std::unique_ptr<storage::Querier>(std::make_unique<LateQuerier>(std::move(querier), *this));
  }

 private:
  class LateSet : public storage::SeriesSet {
   public:
    LateSet(std::unique_ptr<storage::SeriesSet> inner, LateStorage& storage)
        : inner_(std::move(inner)), storage_(storage) {}
    Result<std::unique_ptr<storage::Series>> Next() override {
      if (++pulled_ % storage_.period_ == 0) storage_.executor_.RunHeld();
      return inner_->Next();
    }
    const Annotations& annotations() const override { return inner_->annotations(); }

   private:
    std::unique_ptr<storage::SeriesSet> inner_;
    LateStorage& storage_;
    int pulled_ = 0;
  };

  class LateQuerier : public storage::Querier {
   public:
    LateQuerier(std::unique_ptr<storage::Querier> inner, LateStorage& storage)
        : inner_(std::move(inner)), storage_(storage) {}
    std::unique_ptr<storage::SeriesSet> Select(const storage::SelectHints& hints, std::span<const Matcher> matchers,
                                               const Cancel& cancel, MemoryBudget* budget) override {
      return std::make_unique<LateSet>(inner_->Select(hints, matchers, cancel, budget), storage_);
    }
    Result<storage::Strings> LabelNames(std::span<const Matcher> matchers, int64_t limit,
                                        const Cancel& cancel) override {
      return inner_->LabelNames(matchers, limit, cancel);
    }
    Result<storage::Strings> LabelValues(const std::string& name, std::span<const Matcher> matchers, int64_t limit,
                                         const Cancel& cancel) override {
      return inner_->LabelValues(name, matchers, limit, cancel);
    }

   private:
    std::unique_ptr<storage::Querier> inner_;
    LateStorage& storage_;
  };

  storage::Queryable& inner_;
  LateExecutor& executor_;
  const int period_;
};

std::vector<std::string> LabelsOf(const QueryResult& result) {
  std::vector<std::string> labels;
  for (const Row& row : result.rows) labels.push_back(row.labels.ToString());
  return labels;
}

class LateTasks : public ::testing::Test {
 protected:
  static constexpr int kSeries = 4000;
  LateTasks() {
    for (int i = 0; i < kSeries; ++i)
      storage_.Append(Labels::From({{"__name__", "m"}, {"n", std::to_string(i)}}), 1000, i);
  }
  storage::MemoryStorage storage_;
};

TEST_F(LateTasks, LoseNoSeriesAndKeepTheirOrder) {
  InlineExecutor inline_executor;
  Engine plain({}, inline_executor, nullptr, SystemClock());
  const std::vector<std::string> expected = LabelsOf((*plain.NewInstantQuery(storage_, {}, "m", 2000))->Exec(Cancel()));
  ASSERT_EQ(expected.size(), static_cast<size_t>(kSeries));
  for (int period : {1, 100, 257, 1500, 3000, 3900, kSeries - 3, kSeries}) {
    SCOPED_TRACE(period);
    LateExecutor executor;
    LateStorage late(storage_, executor, period);
    MemoryBudget process("process", 0);
    Engine engine({}, executor, &process, SystemClock());
    {
      QueryResult result = (*engine.NewInstantQuery(late, {}, "m", 2000))->Exec(Cancel());
      ASSERT_TRUE(result.status.ok()) << result.status.message();
      EXPECT_EQ(LabelsOf(result), expected);
    }
    EXPECT_EQ(process.used_bytes(), 0u);
    executor.RunHeld();
  }
}

TEST_F(LateTasks, OfAQueryThatFailedHoldNothingOfIt) {
  LateExecutor executor;
  LateStorage late(storage_, executor, kSeries + 2);
  MemoryBudget process("process", 0);
  EngineOptions options;
  options.query_memory_bytes = 400'000;  // some batches, not all
  Engine engine(options, executor, &process, SystemClock());
  {
    QueryResult result = (*engine.NewInstantQuery(late, {}, "m", 2000))->Exec(Cancel());
    EXPECT_EQ(result.status.code(), Code::kExhausted) << result.status.message();
  }
  EXPECT_EQ(process.used_bytes(), 0u);
  executor.RunHeld();
}

}  // namespace
}  // namespace gauntlet::promql
