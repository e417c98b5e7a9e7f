// Both sides are held whole: which samples pair up, and whether a match group is ambiguous, can depend on any of them.
//
// Upstream goes step by step and stops at the first step with a fault. Here the faults of all groups are found first,
// with the step of each; what upstream would have done before that step is done before the earliest is reported.

#include "promql/exec/binary/binary_vector.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <utility>

#include "promql/exec/binary/binary_kernels.h"
#include "promql/exec/binary/matching.h"
#include "promql/exec/binary/series_pair.h"
#include "promql/exec/rows/grouping.h"
#include "promql/exec/rows/merge.h"

namespace gauntlet::promql {
namespace {

using Bits = StepBits;
constexpr uint32_t kNever = std::numeric_limits<uint32_t>::max();

uint32_t FirstBit(const Bits& bits) {
  for (size_t w = 0; w < bits.size(); ++w) {
    if (bits[w] != 0) return static_cast<uint32_t>(w * 64 + static_cast<size_t>(std::countr_zero(bits[w])));
  }
  return kNever;
}

// One side's rows, each with the steps where it has a float or a histogram.
struct Side {
  Rows rows;
  std::vector<Bits> present;
  Bits any;

  // `poll`: its status, now and then, told of how many words more were seen.
  template <typename Poll>
  Status Index(uint32_t words, Poll poll) {
    any.assign(words, 0);
    present.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      GN_TRY(poll(words));
      present[i].assign(words, 0);
      rows[i].column.OrPresence(present[i].data());
      for (uint32_t w = 0; w < words; ++w) any[w] |= present[i][w];
    }
    return Status();
  }
};

struct MatchGroup {
  std::vector<uint32_t> many, one;  // rows
};

struct Fault {
  uint32_t step = kNever;
  Status status;
  void Take(uint32_t other_step, Status other) {
    if (other_step >= step) return;
    step = other_step;
    status = std::move(other);
  }
};

class BinaryVector : public Operator {
 public:
  BinaryVector(ExecContext& context, const BinaryNode& node, std::unique_ptr<Operator> lhs,
               std::unique_ptr<Operator> rhs)
      : Operator(context, node),
        binary_(node),
        matching_(*node.matching),
        swapped_(node.matching->card == MatchCardinality::kOneToMany),
        names_(SortedMatchNames(matching_)),
        words_(Column::WordCount(node.grid.steps)) {
    AddChild(std::move(lhs));
    AddChild(std::move(rhs));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    Side lhs, rhs;
    GN_TRY(Drain(0, &lhs.rows));
    GN_TRY(Drain(1, &rhs.rows));
    many_ = std::move(swapped_ ? rhs : lhs);
    one_ = std::move(swapped_ ? lhs : rhs);
    GN_TRY(Join(batch));
    many_ = Side();
    one_ = Side();
    GN_TRY(held_.Set(CountSamples(*batch)));
    charge_.Clear();
    return !batch->empty();
  }

 private:
  Status Join(Rows* out) {
    auto poll = [this](uint64_t words) { return Poll(words); };
    GN_TRY(many_.Index(words_, poll));
    GN_TRY(one_.Index(words_, poll));
    FindActive();
    GN_TRY(MakeGroups());
    GN_TRY(context_.CheckCancel());
    Fault fault;
    GN_TRY(FindDuplicates(&fault));
    // What upstream does at a fault's step comes after its check for duplicates, so that one wins at equal steps.
    GN_TRY(FindMultipleMatches(&fault));
    if (fault.step != kNever) {
      // Only what comes before it can still be at fault earlier.
      for (uint32_t step = fault.step; step < node_.grid.steps; ++step) {
        active_[step / 64] &= ~(uint64_t{1} << (step % 64));
      }
    }
    GN_TRY(MakeRows(out));
    bool keep_equal = node_.grid.instant() && context_.options.delayed_name_removal;
    if (!keep_equal) GN_TRY(MergeSameLabels(context_, out, MergedName::kOfFirstStep));
    return fault.status;
  }

  // Whether the query is over, after about so many words of bits.
  Status Poll(uint64_t words) {
    constexpr uint64_t kRow = 64;  // what a row costs beside its bits
    polled_ += words + kRow;
    if (polled_ < kPollSteps) return Status();
    polled_ = 0;
    return context_.CheckCancel();
  }

  // The steps at which upstream looks at the vectors at all.
  void FindActive() {
    bool fills = matching_.fill_left || matching_.fill_right;
    active_.resize(words_);
    for (uint32_t w = 0; w < words_; ++w) {
      active_[w] = fills ? many_.any[w] | one_.any[w] : many_.any[w] & one_.any[w];
    }
  }

  Status MakeGroups() {
    Grouping grouping(names_, !matching_.on);
    auto add = [&](const Rows& rows, std::vector<uint32_t> MatchGroup::* side) -> Status {
      for (uint32_t i = 0; i < rows.size(); ++i) {
        GN_TRY(Poll(0));
        uint32_t group = grouping.Find(rows[i].labels);
        if (group == groups_.size()) groups_.emplace_back();
        (groups_[group].*side).push_back(i);
      }
      return Status();
    };
    GN_TRY(add(many_.rows, &MatchGroup::many));
    return add(one_.rows, &MatchGroup::one);
  }

  // Two series of the "one" side in a group at one step.
  Status FindDuplicates(Fault* fault) {
    uint32_t first_step = kNever;
    for (const MatchGroup& group : groups_) {
      if (group.one.size() < 2) continue;
      Bits seen(words_), twice(words_);
      for (uint32_t row : group.one) {
        GN_TRY(Poll(words_));
        for (uint32_t w = 0; w < words_; ++w) {
          uint64_t now = one_.present[row][w] & active_[w];
          twice[w] |= seen[w] & now;
          seen[w] |= now;
        }
      }
      first_step = std::min(first_step, FirstBit(twice));
    }
    if (first_step != kNever) fault->Take(first_step, DescribeDuplicate(first_step));
    return Status();
  }

  // The first row, in order, that meets an earlier one of its group at the step.
  Status DescribeDuplicate(uint32_t step) const {
    uint32_t best = kNever, other = 0;
    for (const MatchGroup& group : groups_) {
      uint32_t earlier = kNever;
      for (uint32_t row : group.one) {
        if (!(one_.present[row][step / 64] >> (step % 64) & 1)) continue;
        if (earlier == kNever) {
          earlier = row;
        } else if (row < best) {
          best = row;
          other = earlier;
        }
      }
    }
    std::string a = one_.rows[best].labels.ToString(), b = one_.rows[other].labels.ToString();
    if (a > b) std::swap(a, b);
    return Status(Code::kInvalid,
                  fmt::format("found duplicate series for the match group {} on the {} hand-side of the operation: "
                              "[{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                              MatchGroupLabels(one_.rows[best].labels, names_, matching_.on).ToString(),
                              swapped_ ? "left" : "right", a, b));
  }

  // Two results of a group at one step, which one-to-one never allows, and grouping only with different labels.
  Status FindMultipleMatches(Fault* fault) {
    const bool one_to_one = matching_.card == MatchCardinality::kOneToOne;
    for (const MatchGroup& group : groups_) {
      if (group.many.size() < 2) continue;
      if (group.one.empty() && !matching_.fill_right) continue;
      // By result labels; one entry when one to one.
      std::unordered_map<std::string, Bits> matched;
      ResultLabels names(matching_, names_, DropsMetadata());
      for (uint32_t row : group.many) {
        Status over;
        ForEachPartner(group, row, [&](const Row* one, const Bits& both) {
          if (over.ok()) over = Poll(3 * words_);
          if (!over.ok()) return;
          std::string key;
          if (!one_to_one) {
            LabelsView with = one != nullptr ? one->labels.view() : LabelsView();
            Labels fill_labels;
            if (one == nullptr) with = fill_labels = MatchGroupLabels(many_.rows[row].labels, names_, matching_.on);
            key = names.Make(many_.rows[row].labels, with).packed();
          }
          Bits& seen = matched.try_emplace(std::move(key), words_).first->second;
          const Bits faults = pair_.Faults(many_.rows[row].column, one != nullptr ? &one->column : nullptr, both);
          Bits twice(words_);
          for (uint32_t w = 0; w < words_; ++w) {
            uint64_t now = both[w] & ~faults[w];
            twice[w] = seen[w] & now;
            seen[w] |= now;
          }
          uint32_t step = FirstBit(twice);
          if (step == kNever) return;
          fault->Take(step, Status(Code::kInvalid,
                                   one_to_one ? "multiple matches for labels: many-to-one matching must be explicit "
                                                "(group_left/group_right)"
                                              : "multiple matches for labels: grouping labels must ensure unique "
                                                "matches"));
        });
        GN_TRY(over);
      }
    }
    return Status();
  }

  // Calls fn(one, steps) for each row of the "one" side that meets `row`, and fn(null, steps) where a fill value does.
  template <typename Fn>
  void ForEachPartner(const MatchGroup& group, uint32_t row, Fn fn) const {
    Bits rest = many_.present[row];
    for (uint32_t w = 0; w < words_; ++w) rest[w] &= active_[w];
    Bits both(words_);
    for (uint32_t other : group.one) {
      uint64_t any = 0;
      for (uint32_t w = 0; w < words_; ++w) {
        both[w] = rest[w] & one_.present[other][w];
        rest[w] &= ~both[w];
        any |= both[w];
      }
      if (any != 0) fn(&one_.rows[other], both);
    }
    if (matching_.fill_right && FirstBit(rest) != kNever) fn(nullptr, rest);
  }

  bool DropsMetadata() const {
    return ChangesMetric(binary_.op) || (binary_.return_bool && !context_.options.delayed_name_removal);
  }

  Status MakeRows(Rows* out) {
    ResultLabels names(matching_, names_, DropsMetadata());
    std::vector<uint32_t> group_of(many_.rows.size());
    for (uint32_t g = 0; g < groups_.size(); ++g) {
      for (uint32_t row : groups_[g].many) group_of[row] = g;
    }
    std::vector<Bits> matched(matching_.fill_left ? groups_.size() : 0, Bits(words_));
    for (uint32_t row = 0; row < many_.rows.size(); ++row) {
      GN_TRY(Poll(words_));
      Status status;
      ForEachPartner(groups_[group_of[row]], row, [&](const Row* one, const Bits& both) {
        if (status.ok()) status = Poll(words_);
        if (!status.ok()) return;
        Row& many = many_.rows[row];
        Labels fill_labels;
        if (one == nullptr) fill_labels = MatchGroupLabels(many.labels, names_, matching_.on);
        Labels labels = names.Make(many.labels, one != nullptr ? one->labels.view() : fill_labels.view());
        double fill = matching_.fill_right.value_or(0);
        Bits done = both;
        status = AddRow(&many.column, one != nullptr ? &one->column : nullptr, fill, &done, std::move(labels), out);
        if (matching_.fill_left) {
          for (uint32_t w = 0; w < words_; ++w) matched[group_of[row]][w] |= done[w];
        }
      });
      GN_TRY(status);
    }
    if (matching_.fill_left) GN_TRY(FillLeft(matched, &names, out));
    pair_.TellNotes(&own_);
    return Status();
  }

  // The rows of the "one" side where nothing matched them.
  Status FillLeft(const std::vector<Bits>& matched, ResultLabels* names, Rows* out) {
    std::vector<uint32_t> group_of(one_.rows.size());
    for (uint32_t g = 0; g < groups_.size(); ++g) {
      for (uint32_t row : groups_[g].one) group_of[row] = g;
    }
    for (uint32_t row = 0; row < one_.rows.size(); ++row) {
      GN_TRY(Poll(words_));
      Bits rest = one_.present[row];
      for (uint32_t w = 0; w < words_; ++w) rest[w] &= active_[w] & ~matched[group_of[row]][w];
      if (FirstBit(rest) == kNever) continue;
      Row& one = one_.rows[row];
      Labels labels = names->Make(MatchGroupLabels(one.labels, names_, matching_.on), one.labels);
      GN_TRY(AddRow(nullptr, &one.column, *matching_.fill_left, &rest, std::move(labels), out));
    }
    return Status();
  }

  // Makes the row of a pair at the steps `both`, which become those that matched. A null column is the fill value.
  Status AddRow(const Column* many, const Column* one, double fill, Bits* both, Labels labels, Rows* out) {
    Row row;
    row.labels = std::move(labels);
    row.drop_name = binary_.return_bool;
    GN_ASSIGN(row.column, pair_.Combine(many, one, fill, both));
    if (row.column.empty()) return Status();
    GN_TRY(charge_.Grow(row.memory_bytes()));
    out->push_back(std::move(row));
    return Status();
  }

  const BinaryNode& binary_;
  const VectorMatching& matching_;
  const bool swapped_;  // the left side is the "one" side
  const std::vector<std::string> names_;
  const uint32_t words_;
  Side many_, one_;
  uint64_t polled_ = 0;
  Bits active_;
  std::vector<MatchGroup> groups_;
  SeriesPair pair_{context_, binary_, swapped_};
};

}  // namespace

std::unique_ptr<Operator> MakeBinaryVector(ExecContext& context, const BinaryNode& node, std::unique_ptr<Operator> lhs,
                                           std::unique_ptr<Operator> rhs) {
  return std::make_unique<BinaryVector>(context, node, std::move(lhs), std::move(rhs));
}

}  // namespace gauntlet::promql
