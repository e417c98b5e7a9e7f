// count_values: one series per group and distinct value, counting the series that have it.

#include <cstring>
#include <map>
#include <unordered_map>

#include "base/hash.h"
#include "model/float_text.h"
#include "promql/exec/aggregate/aggregate.h"
#include "promql/exec/rows/label_ops.h"

namespace gauntlet::promql {
namespace {

class CountValues : public Operator {
 public:
  CountValues(ExecContext& context, const AggregateNode& node, std::string label, std::unique_ptr<Operator> input)
      : Operator(context, node), label_(std::move(label)), names_(node.grouping), without_(node.without) {
    if (!without_) {
      names_.push_back(label_);
      std::sort(names_.begin(), names_.end());
    }
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    if (!IsValidUtf8(label_)) return Status(Code::kInvalid, "invalid label name " + GoQuote(label_));
    Rows input;
    while (true) {
      GN_TRY(context_.CheckCancel());
      GN_ASSIGN(bool more, child().Next(&input));
      if (!more) break;
      for (const Row& row : input) GN_TRY(Add(row));
    }
    CloseChild();
    batch->swap(rows_);
    GN_TRY(held_.Set(CountSamples(*batch)));
    charge_.Clear();
    return !batch->empty();
  }

 private:
  Status Add(const Row& row) {
    for (const HistogramPoint& p : row.column.histograms()) {
      if (p.histogram->uses_custom_buckets() && p.histogram->zero_count != 0) {
        // NaN, of a product with Inf. Upstream ends so too.
        return Status(Code::kInvalid, "histograms with custom buckets have no zero bucket");
      }
      GN_ASSIGN(size_t index, FindRow(row.labels, HistogramString(*p.histogram)));
      Column& column = rows_[index].column;
      column.Set(p.step, column.values()[p.step] + 1);
    }
    // Values repeat: the result's row is looked up once per distinct value of a series.
    std::unordered_map<uint64_t, size_t> found;
    Status status;
    auto add = [&](uint32_t step) {
      if (!status.ok()) return;
      double value = row.column.values()[step];
      auto [at, inserted] = found.try_emplace(std::bit_cast<uint64_t>(value));
      if (inserted) {
        Result<size_t> index = FindRow(row.labels, FormatFloatF(value));
        if (!index.ok()) {
          status = index.status();
          return;
        }
        at->second = *index;
      }
      Column& column = rows_[at->second].column;
      column.Set(step, column.values()[step] + 1);
    };
    GN_TRY(context_.InBlocks(row.column.steps(), [&](uint32_t begin, uint32_t end) {
      ForEachBit(row.column.present() + begin / 64, Column::WordCount(end - begin),
                 [&](uint32_t i) { add(begin + i); });
    }));
    return status;
  }

  Result<size_t> FindRow(LabelsView labels, const std::string& value) {
    builder_.Reset(labels);
    builder_.Set(label_, value);
    Labels with = builder_.Build();
    without_ ? RemoveLabels(with, names_, &key_) : KeepLabels(with, names_, &key_);
    auto [at, inserted] = index_.try_emplace(key_, rows_.size());
    if (inserted) {
      Row& row = rows_.emplace_back();
      row.labels = Labels::FromPacked(key_);
      row.column = Column(node_.grid.steps);
      GN_TRY(charge_.Grow(row.memory_bytes() + key_.size() + 64));
    }
    return at->second;
  }

  const std::string label_;
  std::vector<std::string> names_;
  const bool without_;
  LabelsBuilder builder_;
  std::string key_;
  std::unordered_map<std::string, size_t> index_;
  Rows rows_;
};

}  // namespace

std::unique_ptr<Operator> MakeCountValues(ExecContext& context, const AggregateNode& node, std::string label,
                                          std::unique_ptr<Operator> input) {
  return std::make_unique<CountValues>(context, node, std::move(label), std::move(input));
}

}  // namespace gauntlet::promql
