// All matchers of one name are one question about its values: which of them pass? When the label may be absent (all of
// its matchers accept ""), the lists of the values that fail are subtracted, else those of the values that pass are
// intersected. That is upstream's set algebra, with one group per name instead of one per matcher.
#include "tsdb/index/matching.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace gauntlet::tsdb {
namespace {

constexpr size_t kValuesBetweenCancels = 4096;

bool PassesAll(const std::vector<const Matcher*>& matchers, std::string_view value) {
  return std::all_of(matchers.begin(), matchers.end(), [value](const Matcher* m) { return m->Matches(value); });
}

// The values that a matcher can accept at all, where they are few: those of "=" and of an alternation.
bool FiniteValues(const Matcher& m, std::vector<std::string>* values) {
  if (m.type() == MatchType::kEqual) {
    *values = {m.value()};
    return true;
  }
  if (m.type() != MatchType::kRegexp || m.set_matches().empty()) return false;
  *values = m.set_matches();
  return true;
}
// The values that a matcher can refuse at all, where they are few.
bool FiniteRefusals(const Matcher& m, std::vector<std::string>* values) {
  if (m.type() == MatchType::kNotEqual) {
    *values = {m.value()};
    return true;
  }
  if (m.type() != MatchType::kNotRegexp || m.set_matches().empty()) return false;
  *values = m.set_matches();
  return true;
}

// Whether the matcher passes any text; RE2 need not be asked.
bool PassesAnything(const Matcher& m) { return m.type() == MatchType::kRegexp && m.value() == ".*"; }
bool PassesAnyValue(const Matcher& m) {
  return (m.type() == MatchType::kRegexp && m.value() == ".+") ||
         (m.type() == MatchType::kNotEqual && m.value().empty());
}

class Planner {
 public:
  Planner(const PostingsTable& table, const Cancel& cancel) : table_(table), cancel_(cancel) {}

  // The lists of values of `name` with which `keep` agrees, those of `candidates` only if they are given.
  template <typename Keep>
  Status Collect(const std::string& name, const std::vector<std::string>* candidates, std::string_view prefix,
                 const Keep& keep, PostingsPlan::Union* out) {
    PostingsTable::Values values = table_.ValuesOf(name);
    if (candidates != nullptr) {
      for (const std::string& value : *candidates) {
        if (value.empty() || !keep(value)) continue;
        if (!values.Seek(value)) break;
        if (values.value() == value) out->push_back({name_view(name), values.value(), values.range()});
      }
      return Status();
    }
    bool more = prefix.empty() ? values.Next() : values.Seek(prefix);
    for (size_t n = 1; more && values.value().starts_with(prefix); more = values.Next(), ++n) {
      if (n % kValuesBetweenCancels == 0) GN_TRY(cancel_.status());
      if (keep(values.value())) out->push_back({name_view(name), values.value(), values.range()});
    }
    return Status();
  }

 private:
  // The table's own copy of the name, which the plan may borrow.
  std::string_view name_view(const std::string& name) {
    auto at = std::lower_bound(table_.names().begin(), table_.names().end(), name,
                               [](const PostingsTable::Name& a, const std::string& b) { return a.name < b; });
    return at->name;
  }

  const PostingsTable& table_;
  const Cancel& cancel_;
};

// The label must have a value: the values that pass.
Status CollectPassing(Planner& planner, const std::string& name, std::vector<const Matcher*> matchers,
                      PostingsPlan::Union* out) {
  std::vector<std::string> values, fewest;
  bool finite = false;
  std::string_view prefix;
  for (const Matcher* m : matchers) {
    if (FiniteValues(*m, &values) && (!finite || values.size() < fewest.size())) {
      fewest = values;
      finite = true;
    }
    if (m->type() == MatchType::kRegexp && m->prefix().size() > prefix.size()) prefix = m->prefix();
  }
  // Values are never empty.
  std::erase_if(matchers, [](const Matcher* m) { return PassesAnything(*m) || PassesAnyValue(*m); });
  auto keep = [&](std::string_view value) { return PassesAll(matchers, value); };
  return planner.Collect(name, finite ? &fewest : nullptr, prefix, keep, out);
}

// The label may be absent: the values that fail.
Status CollectFailing(Planner& planner, const std::string& name, std::vector<const Matcher*> matchers,
                      PostingsPlan::Union* out) {
  std::vector<std::string> values, all;
  bool finite = true;
  std::erase_if(matchers, [](const Matcher* m) { return PassesAnything(*m); });
  for (const Matcher* m : matchers) {
    finite = finite && FiniteRefusals(*m, &values);
    if (finite) all.insert(all.end(), values.begin(), values.end());
  }
  if (matchers.empty()) return Status();
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  // Of the values that matchers refuse each is refused.
  auto keep = [&](std::string_view value) { return finite || !PassesAll(matchers, value); };
  return planner.Collect(name, finite ? &all : nullptr, {}, keep, out);
}

}  // namespace

Result<PostingsPlan> PlanPostings(const PostingsTable& table, std::span<const Matcher> matchers, const Cancel& cancel) {
  std::vector<std::pair<std::string, std::vector<const Matcher*>>> by_name;
  std::unordered_map<std::string_view, size_t> places;
  for (const Matcher& m : matchers) {
    if (m.name().empty() && m.value().empty()) continue;  // upstream's way to ask for all
    auto [at, inserted] = places.try_emplace(m.name(), by_name.size());
    if (inserted) by_name.push_back({m.name(), {}});
    by_name[at->second].second.push_back(&m);
  }
  PostingsPlan plan;
  Planner planner(table, cancel);
  for (auto& [name, group] : by_name) {
    GN_TRY(cancel.status());
    if (PassesAll(group, "")) {
      GN_TRY(CollectFailing(planner, name, group, &plan.subtract));
      continue;
    }
    PostingsPlan::Union lists;
    GN_TRY(CollectPassing(planner, name, group, &lists));
    if (lists.empty()) {
      plan = PostingsPlan();
      plan.nothing = true;
      return plan;
    }
    plan.intersect.push_back(std::move(lists));
  }
  if (plan.intersect.empty()) plan.intersect.push_back({{"", "", table.all()}});
  return plan;
}

Result<PostingsCursorPtr> RunPlan(const PostingsPlan& plan, PostingsFetcher& fetcher) {
  if (plan.nothing) return EmptyPostings();
  PostingsPlan::Union keys;
  for (const auto& lists : plan.intersect) keys.insert(keys.end(), lists.begin(), lists.end());
  keys.insert(keys.end(), plan.subtract.begin(), plan.subtract.end());
  std::vector<PostingsCursorPtr> cursors;
  cursors.reserve(keys.size());
  GN_TRY(fetcher.Fetch(keys, &cursors));
  auto next = cursors.begin();
  auto take = [&next](size_t n) {
    std::vector<PostingsCursorPtr> taken(std::make_move_iterator(next),
                                         std::make_move_iterator(next + static_cast<std::ptrdiff_t>(n)));
    next += static_cast<std::ptrdiff_t>(n);
    return MergePostings(std::move(taken));
  };
  std::vector<PostingsCursorPtr> groups;
  for (const auto& lists : plan.intersect) groups.push_back(take(lists.size()));
  PostingsCursorPtr selected = IntersectPostings(std::move(groups));
  if (!plan.subtract.empty()) selected = WithoutPostings(std::move(selected), take(plan.subtract.size()));
  return selected;
}

Result<PostingsCursorPtr> SelectPostings(const PostingsTable& table, std::span<const Matcher> matchers,
                                         PostingsFetcher& fetcher, const Cancel& cancel) {
  GN_ASSIGN(PostingsPlan plan, PlanPostings(table, matchers, cancel));
  return RunPlan(plan, fetcher);
}

Result<std::vector<std::string>> SelectLabelValues(const PostingsTable& table, std::string_view name,
                                                   std::span<const Matcher> matchers, size_t limit,
                                                   PostingsFetcher& fetcher, const Cancel& cancel) {
  constexpr size_t kListsAtOnce = 512;
  std::vector<const Matcher*> own;
  bool others = false;
  for (const Matcher& m : matchers) {
    if (m.name() == name) {
      own.push_back(&m);
    } else if (!m.name().empty()) {
      others = true;
    }
  }
  std::vector<std::string> values;
  PostingsPlan::Union candidates;
  std::vector<uint32_t> selected;
  if (others) {
    GN_ASSIGN(PostingsCursorPtr cursor, SelectPostings(table, matchers, fetcher, cancel));
    selected = DrainPostings(*cursor);
    if (selected.empty()) return values;
  }
  auto full = [&] { return limit != 0 && values.size() >= limit; };
  auto test = [&]() -> Status {
    std::vector<PostingsCursorPtr> cursors;
    GN_TRY(cancel.status());
    GN_TRY(fetcher.Fetch(candidates, &cursors));
    for (size_t i = 0; i < candidates.size() && !full(); ++i) {
      if (AnyInPostings(*cursors[i], selected)) values.emplace_back(candidates[i].value);
    }
    candidates.clear();
    return Status();
  };
  PostingsTable::Values all = table.ValuesOf(name);
  for (size_t n = 1; !full() && all.Next(); ++n) {
    if (n % kValuesBetweenCancels == 0) GN_TRY(cancel.status());
    if (!PassesAll(own, all.value())) continue;
    if (!others) {
      values.emplace_back(all.value());
      continue;
    }
    candidates.push_back({name, all.value(), all.range()});
    if (candidates.size() == kListsAtOnce) GN_TRY(test());
  }
  if (!candidates.empty() && !full()) GN_TRY(test());
  return values;
}

}  // namespace gauntlet::tsdb
