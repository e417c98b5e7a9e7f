#include "promql/exec/shared_rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace gauntlet::promql {

Status SharedRows::Fill() {
  if (std::exchange(filled_, true)) return status_;
  auto fill = [this]() -> Status {
    Rows batch;
    while (true) {
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(bool more, input_->Next(&batch));
      if (!more) return Status();
      size_t bytes = 0;
      for (const Row& row : batch) bytes += row.memory_bytes();
      GN_TRY(charge_.Grow(bytes));
      rows_.insert(rows_.end(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
    }
  };
  status_ = fill();
  input_->Annotate(&annotations_);
  input_.reset();
  return status_;
}

class SharedReader : public Operator {
 public:
  SharedReader(ExecContext& context, std::shared_ptr<SharedRows> shared, SampleScope* scope)
      : Operator(context, shared->node_), shared_(std::move(shared)), scope_(scope) {}

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (ended_) return false;
    Status status = shared_->Fill();
    if (next_ == 0) {
      below_.Merge(shared_->annotations_);
      AddCounts(*shared_->scope_);
    }
    GN_TRY(status);
    Rows& rows = shared_->rows_;
    const bool last = shared_->reads_left_ == 1;  // nobody else comes: takes the rows themselves
    for (; next_ < rows.size() && batch->size() < kBatchRows; ++next_) {
      batch->push_back(last ? std::move(rows[next_]) : Copy(rows[next_]));
    }
    if (!batch->empty()) return true;
    ended_ = true;
    if (--shared_->reads_left_ == 0) {
      rows.clear();
      shared_->charge_.Clear();
    }
    return false;
  }

 private:
  static constexpr size_t kBatchRows = 64;

  static Row Copy(const Row& row) {
    Row copy;
    copy.labels = row.labels;
    copy.drop_name = row.drop_name;
    copy.column = row.column.Copy();
    return copy;
  }

  void AddCounts(const SampleScope& inner) {
    scope_->total += inner.total;
    scope_->read += inner.read;
    for (size_t i = 0; i < std::min(scope_->total_per_step.size(), inner.total_per_step.size()); ++i) {
      scope_->total_per_step[i] += inner.total_per_step[i];
      scope_->read_per_step[i] += inner.read_per_step[i];
    }
  }

  const std::shared_ptr<SharedRows> shared_;
  SampleScope* const scope_;
  size_t next_ = 0;
  bool ended_ = false;
};

std::unique_ptr<Operator> ReadShared(ExecContext& context, std::shared_ptr<SharedRows> shared, SampleScope* scope) {
  return std::make_unique<SharedReader>(context, std::move(shared), scope);
}

}  // namespace gauntlet::promql
