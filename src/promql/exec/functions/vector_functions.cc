#include "promql/exec/functions/vector_functions.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>

#include "promql/exec/rows/go_sort.h"
#include "promql/exec/rows/label_ops.h"

namespace gauntlet::promql {
namespace {

// What equality matchers say about a series that is not there; a label matched twice says nothing.
Labels AbsentLabels(const Matchers* selector) {
  LabelsBuilder builder;
  if (selector == nullptr) return builder.Build();
  std::set<std::string_view> named;
  for (const Matcher& m : *selector) {
    if (m.name() == kMetricName) continue;
    if (m.type() == MatchType::kEqual && named.insert(m.name()).second) {
      builder.Set(m.name(), m.value());
    } else {
      builder.Del(m.name());
    }
  }
  return builder.Build();
}

class Absent : public Operator {
 public:
  Absent(ExecContext& context, const PlanNode& node, const Matchers* selector, bool over_time,
         std::unique_ptr<Operator> input)
      : Operator(context, node), labels_(AbsentLabels(selector)), over_time_(over_time) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr || node_.grid.steps == 0) return false;
    Column seen(node_.grid.steps);
    Rows rows;
    while (true) {
      GN_ASSIGN(bool more, child().Next(&rows));
      if (!more) break;
      for (const Row& row : rows) row.column.OrPresence(seen.present());
    }
    CloseChild();
    if (seen.AllFloats()) return false;
    Row row;
    row.labels = std::move(labels_);
    row.drop_name = over_time_;
    row.column = Column(node_.grid.steps);
    row.column.SetAllPresent();
    for (uint32_t w = 0; w < seen.words(); ++w) row.column.present()[w] &= ~seen.present()[w];
    std::fill_n(row.column.values(), node_.grid.steps, 1.0);
    GN_TRY(held_.Set(CountSamples(row.column)));
    batch->push_back(std::move(row));
    return true;
  }

 private:
  Labels labels_;
  const bool over_time_;
};

class Sort : public Operator {
 public:
  Sort(ExecContext& context, const PlanNode& node, SortOrder order, bool descending, std::vector<std::string> labels,
       std::unique_ptr<Operator> input)
      : Operator(context, node), order_(order), descending_(descending), labels_(std::move(labels)) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    if (!node_.grid.instant()) {
      own_.Warn("sort is ineffective for range queries since results are always ordered by labels", node_.pos);
    }
    GN_TRY(Drain(0, batch));
    if (order_ == SortOrder::kByValue) {
      for (Row& row : *batch) row.column.histograms().clear();
      std::erase_if(*batch, [](const Row& row) { return row.column.empty(); });
    }
    if (node_.grid.instant()) {
      order_ == SortOrder::kByValue ? SortByValue(batch) : SortByLabels(batch);
      if (node_.unsure_order && order_ == SortOrder::kByValue) GN_TRY(CheckTies(*batch));
    }
    GN_TRY(held_.Set(CountSamples(*batch)));
    charge_.Clear();
    return !batch->empty();
  }

 private:
  // Equal values come in an order that depends on that of the series.
  Status CheckTies(const Rows& rows) {
    for (size_t i = 1; i < rows.size(); ++i) {
      const double a = rows[i - 1].column.values()[0], b = rows[i].column.values()[0];
      if (a == b || (std::isnan(a) && std::isnan(b))) return context_.NeedsLocal();
    }
    return Status();
  }

  // NaN last, either way. Upstream's comparison says of any two NaN that one is to go behind the other, and nothing of
  // equal values; so the order follows from the steps of its sort.
  void SortByValue(Rows* rows) const {
    auto value = [](const Row& row) { return row.column.values()[0]; };
    if (descending_) {
      GoSort(rows, [value](const Row& x, const Row& y) { return std::isnan(value(y)) || value(y) < value(x); });
    } else {
      GoSort(rows, [value](const Row& x, const Row& y) { return std::isnan(value(y)) || value(y) > value(x); });
    }
  }

  void SortByLabels(Rows* rows) const {
    std::stable_sort(rows->begin(), rows->end(), [this](const Row& x, const Row& y) {
      const Row &a = descending_ ? y : x, &b = descending_ ? x : y;
      for (const std::string& name : labels_) {
        std::string_view va = a.labels.Get(name), vb = b.labels.Get(name);
        if (va != vb) return NaturalLess(va, vb);
      }
      return CompareLabels(a.labels, b.labels) < 0;
    });
  }

  const SortOrder order_;
  const bool descending_;
  const std::vector<std::string> labels_;
};

class Repeat : public Operator {
 public:
  Repeat(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input,
         std::unique_ptr<SampleScope> inner, SampleScope* outer)
      : Operator(context, node), inner_(std::move(inner)), outer_(outer) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    GN_ASSIGN(bool more, child().Next(batch));
    if (!more) {
      CloseChild();
      outer_->AddRepeated(*inner_, node_.grid.steps);
      return false;
    }
    for (Row& row : *batch) {
      Column column(node_.grid.steps);
      if (row.column.Has(0)) {
        std::fill_n(column.values(), node_.grid.steps, row.column.values()[0]);
        column.SetAllPresent();
      }
      for (const HistogramPoint& p : row.column.histograms()) {
        for (uint32_t step = 0; step < node_.grid.steps; ++step) column.histograms().push_back({step, p.histogram});
      }
      row.column = std::move(column);
    }
    points_ += CountSamples(*batch);
    GN_TRY(held_.Set(points_));
    return true;
  }

 private:
  std::unique_ptr<SampleScope> inner_;
  SampleScope* outer_;
  int64_t points_ = 0;
};

class SubqueryInput : public Operator {
 public:
  SubqueryInput(ExecContext& context, const SubqueryNode& node, std::unique_ptr<Operator> input,
                std::unique_ptr<SampleScope> inner, SampleScope* outer, bool is_result)
      : Operator(context, *node.expr), subquery_(node), inner_(std::move(inner)), outer_(outer), is_result_(is_result) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr || subquery_.expr->grid.steps == 0) return false;
    GN_ASSIGN(bool more, child().Next(batch));
    if (!more) {
      CloseChild();
      CountRead();
      if (is_result_) {
        outer_->total += inner_->total;
        if (!outer_->total_per_step.empty()) outer_->total_per_step[0] += inner_->total;
      }
    }
    return more;
  }

 private:
  // What was read for a step inside counts at the first step outside that sees it; not at all in a gap between windows.
  void CountRead() {
    const StepGrid &in = subquery_.expr->grid, &out = subquery_.grid;
    if (out.steps <= 1 || inner_->read_per_step.empty()) {
      outer_->read += inner_->read;
      if (!outer_->read_per_step.empty()) outer_->read_per_step[0] += inner_->read;
      return;
    }
    for (uint32_t i = 0; i < in.steps; ++i) {
      int64_t seen_ms = in.time_ms(i) + subquery_.shift_ms;
      int64_t step = seen_ms > out.start_ms ? (seen_ms - out.start_ms + out.step_ms - 1) / out.step_ms : 0;
      step = std::min<int64_t>(step, out.steps - 1);
      if (seen_ms <= out.time_ms(static_cast<uint32_t>(step)) - subquery_.range_ms) continue;
      outer_->read += inner_->read_per_step[i];
      if (!outer_->read_per_step.empty()) {
        outer_->read_per_step[static_cast<size_t>(step)] += inner_->read_per_step[i];
      }
    }
  }

  const SubqueryNode& subquery_;
  std::unique_ptr<SampleScope> inner_;
  SampleScope* outer_;
  const bool is_result_;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Cuts off the leading run of digits, or of anything else.
std::string_view TakeRun(std::string_view* text) {
  size_t n = 1;
  while (n < text->size() && IsDigit((*text)[n]) == IsDigit((*text)[0])) ++n;
  std::string_view run = text->substr(0, n);
  text->remove_prefix(n);
  return run;
}

}  // namespace

bool NaturalLess(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    std::string_view x = TakeRun(&a), y = TakeRun(&b);
    if (x == y) continue;
    if (IsDigit(x[0]) && IsDigit(y[0])) {
      std::string_view nx = x.substr(std::min(x.find_first_not_of('0'), x.size() - 1));
      std::string_view ny = y.substr(std::min(y.find_first_not_of('0'), y.size() - 1));
      if (nx.size() != ny.size()) return nx.size() < ny.size();
      if (nx != ny) return nx < ny;
      return x.size() > y.size();  // equal numbers: more leading zeros first
    }
    return x < y;
  }
  return a.size() < b.size();
}

std::unique_ptr<Operator> MakeAbsent(ExecContext& context, const PlanNode& node, const Matchers* selector,
                                     bool over_time, std::unique_ptr<Operator> input) {
  return std::make_unique<Absent>(context, node, selector, over_time, std::move(input));
}
std::unique_ptr<Operator> MakeSort(ExecContext& context, const PlanNode& node, SortOrder order, bool descending,
                                   std::vector<std::string> labels, std::unique_ptr<Operator> input) {
  return std::make_unique<Sort>(context, node, order, descending, std::move(labels), std::move(input));
}
std::unique_ptr<Operator> MakeRepeat(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input,
                                     std::unique_ptr<SampleScope> inner, SampleScope* outer) {
  return std::make_unique<Repeat>(context, node, std::move(input), std::move(inner), outer);
}
std::unique_ptr<Operator> MakeSubqueryInput(ExecContext& context, const SubqueryNode& node,
                                            std::unique_ptr<Operator> input, std::unique_ptr<SampleScope> inner,
                                            SampleScope* outer, bool is_result) {
  return std::make_unique<SubqueryInput>(context, node, std::move(input), std::move(inner), outer, is_result);
}

}  // namespace gauntlet::promql
