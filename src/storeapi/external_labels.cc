#include "storeapi/external_labels.h"

#include <algorithm>

namespace gauntlet::storeapi {

std::optional<Matchers> StripExternal(const Matchers& matchers, LabelsView external) {
  Matchers rest;
  for (const Matcher& matcher : matchers) {
    if (!external.Has(matcher.name())) {
      rest.push_back(matcher);
    } else if (!matcher.Matches(external.Get(matcher.name()))) {
      return std::nullopt;
    }
  }
  return rest;
}

bool AnyLabelSetMatches(const Matchers& matchers, const std::vector<Labels>& label_sets) {
  if (label_sets.empty()) return true;
  return std::any_of(label_sets.begin(), label_sets.end(), [&](const Labels& set) {
    return std::all_of(matchers.begin(), matchers.end(),
                       [&](const Matcher& m) { return !set.Has(m.name()) || m.Matches(set.Get(m.name())); });
  });
}

LabelRewriter::LabelRewriter(LabelsView external, const std::vector<std::string>& without) : drops_(without) {
  for (const Label& label : external) {
    if (std::find(without.begin(), without.end(), label.name) == without.end())
      adds_.emplace_back(label.name, label.value);
    drops_.emplace_back(label.name);
  }
  std::sort(drops_.begin(), drops_.end());
  drops_.erase(std::unique(drops_.begin(), drops_.end()), drops_.end());
}

void LabelRewriter::Rewrite(LabelsView series, std::string* packed) const {
  packed->clear();
  if (identity()) {
    packed->assign(series.packed());
    return;
  }
  auto add = adds_.begin();
  auto drop = drops_.begin();
  for (const Label& label : series) {
    while (add != adds_.end() && std::string_view(add->first) < label.name) {
      PackLabel(*packed, add->first, add->second);
      ++add;
    }
    while (drop != drops_.end() && std::string_view(*drop) < label.name) ++drop;
    if (drop != drops_.end() && *drop == label.name) continue;
    PackLabel(*packed, label.name, label.value);
  }
  for (; add != adds_.end(); ++add) PackLabel(*packed, add->first, add->second);
}

std::vector<std::string> LabelRewriter::names_that_break_order() const { return drops_; }

}  // namespace gauntlet::storeapi
