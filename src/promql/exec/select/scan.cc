#include "promql/exec/select/scan.h"

#include <algorithm>
#include <utility>

#include "base/mutex.h"

namespace gauntlet::promql {
namespace {

// A batch is large enough to be worth handing to a thread, and small enough to stay in its cache.
constexpr size_t kBatchPoints = 32 * 1024;
constexpr size_t kBatchRowsMin = 4, kBatchRowsMax = 256;

enum State : int { kQueued, kRunning, kDone, kAbandoned };

// Adds what the workers counted to the scope.
void AddCounts(WorkerScratch* scratch, SampleScope* scope) {
  scope->total += std::exchange(scratch->total, 0);
  scope->read += std::exchange(scratch->read, 0);
  for (size_t i = 0; i < scratch->total_per_step.size(); ++i) {
    scope->total_per_step[i] += std::exchange(scratch->total_per_step[i], 0);
    scope->read_per_step[i] += std::exchange(scratch->read_per_step[i], 0);
  }
}

void Prepare(WorkerScratch* scratch, const ExecContext& context, const SampleScope& scope) {
  scratch->context = &context;
  scratch->total_per_step.resize(scope.total_per_step.size());
  scratch->read_per_step.resize(scope.read_per_step.size());
}

}  // namespace

struct Scan::Slot {
  explicit Slot(MemoryBudget* budget, std::string_view where) : charge(budget, where) {}
  std::vector<std::unique_ptr<storage::Series>> series;
  Rows rows;
  WorkerScratch scratch;
  std::vector<int64_t> points;
  Status status;
  MemoryCharge charge;
  std::atomic<int> state{kDone};
};

// Shared with the tasks, which may outlive the scan when they come too late to do anything.
struct Scan::Signal {
  Mutex mutex;
  CondVar done;
};

Scan::Scan(ExecContext& context, const PlanNode& node, const SelectSpec& select, std::unique_ptr<SeriesReader> reader,
           SampleScope* scope)
    : Operator(context, node), reader_(std::move(reader)), scope_(scope), signal_(std::make_shared<Signal>()) {
  storage::SelectHints hints;
  hints.start_ms = select.start_ms;
  hints.end_ms = select.end_ms;
  hints.step_ms = select.step_ms;
  hints.range_ms = select.range_ms;
  hints.func = select.func;
  hints.grouping = select.grouping;
  hints.by = select.by;
  set_ = context.querier.Select(hints, select.matchers, context.cancel, context.budget);
}

Scan::~Scan() {
  for (const auto& slot : all_) {
    int queued = kQueued;
    if (!slot->state.compare_exchange_strong(queued, kAbandoned)) WaitFor(*slot);
    // Tasks that come too late may keep the slot for longer than the query's budget lives.
    slot->series.clear();
    slot->rows.clear();
    slot->charge.Clear();
  }
}

Status Scan::Open() {
  opened_ = true;
  GN_TRY(reader_->Open());
  for (const auto& stage : stages_) GN_TRY(stage->Open());
  reader_->Annotate(&below_);
  for (const auto& stage : stages_) stage->Annotate(&below_);
  points_.assign(stages_.size() + 1, 0);
  size_t steps = std::max(1u, node_.grid.steps);
  batch_rows_ = std::clamp(kBatchPoints / steps, kBatchRowsMin, kBatchRowsMax);
  window_ = context_.executor.width() <= 1 ? 1 : context_.executor.width() + 1;
  return Status();
}

Result<bool> Scan::Next(Rows* batch) {
  batch->clear();
  if (!opened_) GN_TRY(Open());
  while (true) {
    GN_TRY(context_.CheckCancel());
    GN_TRY(Fill());
    if (slots_.empty()) {
      GN_TRY(pull_error_);
      GN_TRY(held_.Set(points_.back()));
      return false;
    }
    std::shared_ptr<Slot> slot = std::move(slots_.front());
    slots_.pop_front();
    Await(slot.get());
    own_.Merge(slot->scratch.annotations);
    slot->scratch.annotations = AnnotationSet();
    GN_TRY(slot->status);
    GN_TRY(Count(slot.get()));
    batch->swap(slot->rows);
    slot->rows.clear();
    slot->charge.Clear();
    spare_.push_back(std::move(slot));
    if (!batch->empty()) return true;
  }
}

// Puts batches under way until the window is full.
Status Scan::Fill() {
  while (slots_.size() < window_ && !exhausted_) {
    std::shared_ptr<Slot> slot;
    if (spare_.empty()) {
      slot = std::make_shared<Slot>(context_.budget, node_.title);
      all_.push_back(slot);
    } else {
      slot = std::move(spare_.back());
      spare_.pop_back();
    }
    Result<bool> more = Pull(slot.get());
    if (!more.ok()) {
      // What came before the error is evaluated first: its own errors are the earlier ones.
      exhausted_ = true;
      pull_error_ = more.status();
      if (context_.cancel.stopped()) {
        pull_error_ = context_.Stopped();
      } else if (pull_error_.code() != Code::kExhausted) {
        pull_error_.Wrap("expanding series");
      }
    } else if (!*more) {
      exhausted_ = true;
      own_.Add(set_->annotations());
    }
    size_t held = slot->charge.bytes();
    for (const auto& under_way : slots_) held += under_way->charge.bytes();
    held_bytes_ = std::max(held_bytes_, held);
    if (slot->series.empty()) {
      slot->charge.Clear();
      spare_.push_back(std::move(slot));
      continue;
    }
    if (window_ == 1) {
      slot->state = kRunning;
      Work(slot.get());
      slot->state = kDone;
    } else {
      // Only now, with its series in it: a task of the slot's last use may still come, and takes what is queued.
      slot->state = kQueued;
      context_.executor.Run([this, slot, signal = signal_] {
        int queued = kQueued;
        if (!slot->state.compare_exchange_strong(queued, kRunning)) return;
        Work(slot.get());
        MutexLock lock(signal->mutex);
        slot->state = kDone;
        signal->done.NotifyAll();
      });
    }
    slots_.push_back(std::move(slot));
  }
  return Status();
}

// Takes up to a batch of series; false when the set ended (the slot may still have some).
Result<bool> Scan::Pull(Slot* slot) {
  size_t bytes = 0;
  size_t row_bytes = sizeof(Row) + (node_.grid.steps + Column::WordCount(node_.grid.steps)) * sizeof(double);
  bool more = true;
  while (slot->series.size() < batch_rows_) {
    Result<std::unique_ptr<storage::Series>> next = set_->Next();
    if (!next.ok()) return next.status();
    more = *next != nullptr;
    if (!more) break;
    bytes += (*next)->memory_bytes() + (*next)->labels().packed().size() + row_bytes;
    slot->series.push_back(*std::move(next));
  }
  GN_TRY(slot->charge.Grow(bytes));
  return more;
}

void Scan::Work(Slot* slot) const {
  slot->points.assign(stages_.size() + 1, 0);
  Prepare(&slot->scratch, context_, *scope_);
  slot->status = Status();
  for (auto& series : slot->series) {
    slot->status = WorkOne(*series, slot);
    if (!slot->status.ok()) break;
    series.reset();
  }
  slot->series.clear();
}

Status Scan::WorkOne(const storage::Series& series, Slot* slot) const {
  GN_TRY(context_.CheckCancel());
  Row row;
  GN_TRY(reader_->Read(series, &row, &slot->scratch));
  slot->points[0] += CountSamples(row.column);
  for (size_t i = 0; i < stages_.size(); ++i) {
    if (row.column.empty()) return Status();
    GN_TRY(slot->scratch.CheckCancelBehind(row.column.steps()));
    GN_TRY(stages_[i]->Apply(&row, &slot->scratch));
    slot->points[i + 1] += CountSamples(row.column);
  }
  if (!row.column.empty()) slot->rows.push_back(std::move(row));
  return Status();
}

// Returns once the slot is done. Nobody waits for a batch that no thread has begun; and while another thread is at it,
// the batches behind it are worth more than waiting.
void Scan::Await(Slot* slot) {
  if (WorkIfQueued(slot)) return;
  for (const auto& behind : slots_) {
    if (slot->state != kRunning) return;
    WorkIfQueued(behind.get());
  }
  WaitFor(*slot);
}

bool Scan::WorkIfQueued(Slot* slot) const {
  int queued = kQueued;
  if (!slot->state.compare_exchange_strong(queued, kRunning)) return false;
  Work(slot);
  slot->state = kDone;
  return true;
}

void Scan::WaitFor(const Slot& slot) const {
  MutexLock lock(signal_->mutex);
  while (slot.state == kRunning) signal_->done.Wait(signal_->mutex);
}

// Upstream evaluates stage by stage, holding a stage's input until its output is whole.
Status Scan::Count(Slot* slot) {
  AddCounts(&slot->scratch, scope_);
  for (size_t i = 0; i < points_.size(); ++i) points_[i] += slot->points[i];
  int64_t held = points_[0] + slot->scratch.window_max;
  for (size_t i = 0; i + 1 < points_.size(); ++i) held = std::max(held, points_[i] + points_[i + 1]);
  return held_.Set(held);
}

StageOperator::StageOperator(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input,
                             std::unique_ptr<Stage> stage, SampleScope* scope)
    : Operator(context, node), stage_(std::move(stage)), scope_(scope) {
  AddChild(std::move(input));
}

Result<bool> StageOperator::Next(Rows* batch) {
  batch->clear();
  if (!opened_) {
    opened_ = true;
    Status status = stage_->Open();
    if (!status.ok()) {
      if (stage_->input_first()) GN_TRY(Exhaust(0));
      return status;
    }
    stage_->Annotate(&below_);
  }
  while (!done_) {
    GN_TRY(context_.CheckCancel());
    GN_ASSIGN(bool more, child().Next(batch));
    if (!more) {
      done_ = true;
      CloseChild();
      break;
    }
    // Chunks of rows, one scratch each; results do not depend on how they are cut.
    size_t chunk = std::max<size_t>(1, 4096 / std::max(1u, node_.grid.steps));
    size_t chunks = std::min((batch->size() + chunk - 1) / chunk, context_.executor.width());
    if (scratch_.size() < chunks) scratch_.resize(chunks);
    std::vector<Status> statuses(chunks);
    auto work = [&](size_t c) {
      Prepare(&scratch_[c], context_, *scope_);
      size_t end = batch->size() * (c + 1) / chunks;
      for (size_t i = batch->size() * c / chunks; i < end && statuses[c].ok(); ++i) {
        statuses[c] = context_.CheckCancel();
        if (statuses[c].ok()) statuses[c] = stage_->Apply(&(*batch)[i], &scratch_[c]);
      }
    };
    if (chunks == 1) {
      work(0);
    } else {
      ParallelFor(context_.executor, chunks, work);
    }
    int64_t window_max = 0;
    for (size_t c = 0; c < chunks; ++c) {
      AddCounts(&scratch_[c], scope_);
      window_max = std::max(window_max, scratch_[c].window_max);
      own_.Merge(scratch_[c].annotations);
      scratch_[c].annotations = AnnotationSet();
    }
    for (const Status& status : statuses) GN_TRY(status);
    std::erase_if(*batch, [](const Row& row) { return row.column.empty(); });
    points_ += CountSamples(*batch);
    GN_TRY(held_.Set(points_ + window_max));
    if (!batch->empty()) return true;
  }
  GN_TRY(held_.Set(points_));
  return false;
}

std::unique_ptr<Operator> ApplyStage(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input,
                                     std::unique_ptr<Stage> stage, SampleScope* scope) {
  // A scan on another grid (below a subquery) or in another scope counts for itself.
  if (auto* scan = dynamic_cast<Scan*>(input.get()); scan != nullptr && scan->node().grid == node.grid) {
    scan->AddStage(std::move(stage));
    return input;
  }
  return std::make_unique<StageOperator>(context, node, std::move(input), std::move(stage), scope);
}

}  // namespace gauntlet::promql
