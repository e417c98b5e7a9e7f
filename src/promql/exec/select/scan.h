// Scan: the leaf of every evaluation. Pulls undecoded series from the storage and decodes and evaluates them on the
// executor, a batch at a time, with the stages above fused; hands the rows on in the storage's order.
//
// A bounded number of batches is under way. The pulling thread takes part: a batch that no worker has taken up when its
// turn comes is done right there, so that a busy executor delays nobody and cannot deadlock.
//
// Threads: one thread at a time; it uses the executor's.

#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <vector>

#include "promql/exec/rows/operator.h"
#include "promql/exec/rows/stage.h"
#include "storage/storage.h"

namespace gauntlet::promql {

// Makes a row of one series. Shared by all workers.
class SeriesReader {
 public:
  virtual ~SeriesReader() = default;
  virtual Status Open() { return Status(); }
  // `row` has no labels and an unset column; leave the column empty when there is nothing.
  virtual Status Read(const storage::Series& series, Row* row, WorkerScratch* scratch) const = 0;
  virtual void Annotate(AnnotationSet*) const {}
};

class Scan : public Operator {
 public:
  // Asks the storage at once, so that all selectors of a query are under way before the first is read. `scope` counts
  // samples; borrowed.
  Scan(ExecContext& context, const PlanNode& node, const SelectSpec& select, std::unique_ptr<SeriesReader> reader,
       SampleScope* scope);
  ~Scan() override;

  // REQUIRES: Next() has not been called.
  void AddStage(std::unique_ptr<Stage> stage) { stages_.push_back(std::move(stage)); }

  Result<bool> Next(Rows* batch) override;
  size_t held_bytes() const override { return held_bytes_; }

 private:
  struct Slot;
  struct Signal;
  Status Open();
  Status Fill();
  Result<bool> Pull(Slot* slot);
  void Work(Slot* slot) const;
  Status WorkOne(const storage::Series& series, Slot* slot) const;
  void Await(Slot* slot);
  bool WorkIfQueued(Slot* slot) const;
  void WaitFor(const Slot& slot) const;
  Status Count(Slot* slot);

  std::unique_ptr<storage::SeriesSet> set_;
  std::unique_ptr<SeriesReader> reader_;
  std::vector<std::unique_ptr<Stage>> stages_;
  SampleScope* scope_;
  bool opened_ = false, exhausted_ = false;
  Status pull_error_;
  size_t batch_rows_ = 1, window_ = 1;
  size_t held_bytes_ = 0;  // at most so far
  std::shared_ptr<Signal> signal_;
  std::deque<std::shared_ptr<Slot>> slots_;   // under way, in order
  std::vector<std::shared_ptr<Slot>> spare_;  // with their buffers
  std::vector<std::shared_ptr<Slot>> all_;
  std::vector<int64_t> points_;  // yielded so far, by the reader and by each stage
};

// Applies a stage to the rows of a child that is not a scan.
class StageOperator : public Operator {
 public:
  StageOperator(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input,
                std::unique_ptr<Stage> stage, SampleScope* scope);
  Result<bool> Next(Rows* batch) override;

 private:
  std::unique_ptr<Stage> stage_;
  SampleScope* scope_;
  bool opened_ = false, done_ = false;
  int64_t points_ = 0;
  std::vector<WorkerScratch> scratch_;
};

// Fuses the stage into `input` when that is a scan, else puts an operator above it.
std::unique_ptr<Operator> ApplyStage(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input,
                                     std::unique_ptr<Stage> stage, SampleScope* scope);

}  // namespace gauntlet::promql
