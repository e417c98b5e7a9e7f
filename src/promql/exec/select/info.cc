// At each step the newest info series of each metric and identity counts. So what a series is called may change from
// step to step: steps are walked on the outside, over numbers that stand for series, identities and outputs.

#include "promql/exec/select/info.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/regex/regex.h"
#include "promql/exec/rows/label_ops.h"
#include "promql/exec/select/instant_select.h"
#include "promql/exec/select/scan.h"

namespace gauntlet::promql {
namespace {

constexpr std::string_view kIdentifyingLabels[] = {"instance", "job"};
constexpr uint32_t kNone = ~uint32_t{0};

// The matchers that choose info metrics by name.
Result<Matchers> NameMatchers(const Matchers& selector) {
  Matchers names;
  bool positive = false;
  for (const Matcher& m : selector) {
    if (m.name() != kMetricName) continue;
    positive = positive || m.type() == MatchType::kEqual || m.type() == MatchType::kRegexp;
    names.push_back(m);
  }
  if (names.empty()) {
    names.push_back(Matcher::Equal(std::string(kMetricName), "target_info"));
  } else if (!positive) {
    GN_ASSIGN(Matcher any_info, Matcher::Make(MatchType::kRegexp, std::string(kMetricName), ".+_info"));
    names.insert(names.begin(), std::move(any_info));
  }
  return names;
}

bool MatchesName(const Matchers& names, LabelsView labels) {
  std::string_view name = labels.Get(kMetricName);
  return std::all_of(names.begin(), names.end(), [&](const Matcher& m) { return m.Matches(name); });
}

// What an info series and the series that it describes have in common.
std::string Identity(LabelsView labels) {
  std::string packed;
  for (std::string_view name : kIdentifyingLabels) {
    if (std::string_view value = labels.Get(name); !value.empty()) PackLabel(packed, name, value);
  }
  return packed;
}

class Info : public Operator {
 public:
  Info(ExecContext& context, const FunctionNode& node, std::unique_ptr<Operator> input, SampleScope* scope)
      : Operator(context, node), scope_(scope) {
    AddChild(std::move(input));
    const PlanNode* info = node.args[1].get();
    if (info->kind == PlanKind::kStepInvariant) info = static_cast<const StepInvariantNode*>(info)->expr.get();
    select_ = static_cast<const VectorSelectNode*>(info);
    for (const Matcher& m : select_->select.matchers) {
      if (m.name() != kMetricName) data_.push_back(m);
    }
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (done_) return false;
    done_ = true;
    Rows base;
    GN_TRY(Drain(0, &base));
    GN_ASSIGN(Matchers names, NameMatchers(select_->select.matchers));
    for (const Row& row : base) is_info_.push_back(MatchesName(names, row.labels));
    GN_TRY(SelectInfo(base, std::move(names)));
    NumberSeries(base);
    for (uint32_t step = 0; step < node_.grid.steps; ++step) {
      GN_TRY(context_.CheckCancel());
      GN_TRY(Combine(base, step, batch));
    }
    GN_TRY(held_.Set(CountSamples(*batch)));
    return !batch->empty();
  }

 private:
  // Reads the info series of the identities in `base`.
  Status SelectInfo(const Rows& base, Matchers matchers) {
    std::map<std::string_view, std::set<std::string_view>> values;
    for (size_t i = 0; i < base.size(); ++i) {
      if (is_info_[i]) continue;
      for (std::string_view name : kIdentifyingLabels) {
        if (std::string_view value = base[i].labels.Get(name); !value.empty()) values[name].insert(value);
      }
    }
    if (values.empty()) return Status();
    for (const auto& [name, among] : values) {
      std::string pattern;
      for (std::string_view value : among) pattern += (pattern.empty() ? "" : "|") + QuoteRegex(value);
      GN_ASSIGN(Matcher m, among.size() == 1 ? Matcher::Equal(std::string(name), std::string(*among.begin()))
                                             : Matcher::Make(MatchType::kRegexp, std::string(name), pattern));
      matchers.push_back(std::move(m));
    }
    matchers.insert(matchers.end(), data_.begin(), data_.end());
    SelectSpec spec = select_->select;
    spec.matchers = std::move(matchers);
    AddChild(
        std::make_unique<Scan>(context_, *select_, spec, MakeInstantReader(*select_, InstantValue::kTimeMs), scope_));
    return Drain(1, &info_);
  }

  // Gives numbers to metrics and to pairs of metric and identity.
  void NumberSeries(const Rows& base) {
    std::map<std::string, uint32_t, std::less<>> metrics;  // by name, which is the order of conflicts
    for (const Row& row : info_) metrics.try_emplace(std::string(row.labels.Get(kMetricName)), 0);
    uint32_t count = 0;
    for (auto& [name, number] : metrics) number = count++;
    std::unordered_map<std::string, uint32_t> identities;
    for (const Row& row : info_) {
      uint32_t identity = identities.try_emplace(Identity(row.labels), identities.size()).first->second;
      group_of_info_.push_back(identity * count + metrics.find(row.labels.Get(kMetricName))->second);
    }
    newest_.resize(identities.size() * count);
    for (const Row& row : base) {
      auto at = identities.find(Identity(row.labels));
      first_group_.push_back(at == identities.end() ? kNone : at->second * count);
    }
    metrics_ = count;
    cache_.resize(base.size());
  }

  // Finds the newest info series of each group at this step.
  Status FindNewest(uint32_t step) {
    std::fill(newest_.begin(), newest_.end(), kNone);
    const uint32_t at = select_->grid.steps == 1 ? 0 : step;
    for (uint32_t i = 0; i < info_.size(); ++i) {
      if (!info_[i].column.Has(at)) continue;
      uint32_t& newest = newest_[group_of_info_[i]];
      if (newest == kNone) {
        newest = i;
        continue;
      }
      double theirs = info_[newest].column.values()[at], ours = info_[i].column.values()[at];
      if (theirs == ours) {
        return Status(Code::kInvalid,
                      fmt::format("found duplicate series for info metric: existing {} @ {:.0f}, new {} @ {:.0f}",
                                  info_[newest].labels.ToString(), theirs, info_[i].labels.ToString(), ours));
      }
      if (ours > theirs) newest = i;
    }
    return Status();
  }

  Status Combine(const Rows& base, uint32_t step, Rows* out) {
    bool found = false;
    for (uint32_t i = 0; i < base.size(); ++i) {
      const Column& column = base[i].column;
      const Histogram* histogram = column.FindHistogram(step);
      if (histogram == nullptr && !column.Has(step)) continue;
      if (!std::exchange(found, true)) GN_TRY(FindNewest(step));
      GN_ASSIGN(uint32_t target, Target(base[i], i, out));
      if (target == kNone) continue;
      Column& into = (*out)[target].column;
      if (last_step_[target] == step) return SameLabelset();
      last_step_[target] = step;
      if (histogram == nullptr) {
        into.Set(step, column.values()[step]);
        continue;
      }
      auto at = std::lower_bound(column.histograms().begin(), column.histograms().end(), step,
                                 [](const HistogramPoint& p, uint32_t s) { return p.step < s; });
      into.histograms().push_back(*at);
    }
    return Status();
  }

  // The output row of base series `i` at the step at hand; kNone when it is left out.
  Result<uint32_t> Target(const Row& row, uint32_t i, Rows* out) {
    Cached& cached = cache_[i];
    chosen_.clear();
    if (!is_info_[i] && first_group_[i] != kNone) {
      chosen_.assign(newest_.begin() + first_group_[i], newest_.begin() + first_group_[i] + metrics_);
    }
    if (cached.known && cached.chosen == chosen_) return cached.target;
    cached.known = true;
    cached.chosen = chosen_;
    cached.target = kNone;
    const bool matched = std::any_of(chosen_.begin(), chosen_.end(), [](uint32_t c) { return c != kNone; });
    if (!is_info_[i] && !matched) {
      bool optional = std::all_of(data_.begin(), data_.end(), [](const Matcher& m) { return m.MatchesEmpty(); });
      if (!optional) return kNone;
    }
    Labels labels = row.labels;
    if (matched) {
      GN_ASSIGN(labels, Enriched(row.labels));
    }
    auto [at, inserted] = targets_.try_emplace(labels, static_cast<uint32_t>(out->size()));
    if (inserted) {
      Row made;
      made.labels = std::move(labels);
      made.drop_name = row.drop_name;
      made.column = Column(node_.grid.steps);
      GN_TRY(charge_.Grow(made.memory_bytes()));
      out->push_back(std::move(made));
      last_step_.push_back(kNone);
    }
    return cached.target = at->second;
  }

  // With the labels of the chosen info series that are wanted and not there yet.
  Result<Labels> Enriched(LabelsView base) {
    LabelsBuilder builder(base);
    std::map<std::string_view, std::string_view> added;
    for (uint32_t c : chosen_) {
      if (c == kNone) continue;
      for (const Label& label : info_[c].labels) {
        if (label.name == kMetricName || !Wanted(label.name) || base.Has(label.name)) continue;
        auto [at, inserted] = added.try_emplace(label.name, label.value);
        if (!inserted && at->second != label.value) {
          return Status(Code::kInvalid, fmt::format("conflicting label: {}", label.name));
        }
        builder.Set(label.name, label.value);
      }
    }
    return builder.Build();
  }

  bool Wanted(std::string_view label) const {
    return data_.empty() ||
           std::any_of(data_.begin(), data_.end(), [&](const Matcher& m) { return m.name() == label; });
  }

  // Where a series went last time, and why.
  struct Cached {
    bool known = false;
    std::vector<uint32_t> chosen;
    uint32_t target = kNone;
  };

  SampleScope* scope_;
  const VectorSelectNode* select_;
  Matchers data_;  // the selector's, without those on names
  std::vector<bool> is_info_;
  Rows info_;                            // values: the time of the sample in milliseconds
  uint32_t metrics_ = 0;                 // info metrics; group = identity * metrics_ + metric
  std::vector<uint32_t> group_of_info_;  // of each info series
  std::vector<uint32_t> first_group_;    // of each base series
  std::vector<uint32_t> newest_;         // of each group, at the step at hand
  std::vector<uint32_t> chosen_;
  std::vector<Cached> cache_;
  std::unordered_map<Labels, uint32_t> targets_;
  std::vector<uint32_t> last_step_;  // of each output row
  bool done_ = false;
};

}  // namespace

std::unique_ptr<Operator> MakeInfo(ExecContext& context, const FunctionNode& node, std::unique_ptr<Operator> input,
                                   SampleScope* scope) {
  return std::make_unique<Info>(context, node, std::move(input), scope);
}

}  // namespace gauntlet::promql
