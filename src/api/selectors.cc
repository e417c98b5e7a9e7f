#include "api/selectors.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "model/regex/regex.h"

namespace gauntlet::api {
namespace {

// Prometheus looks up so many values of an alternation one by one, and tries the expression on all beyond.
constexpr size_t kValuesMax = 250;

std::string KeyOf(const Matchers& matchers, const Matcher* except) {
  std::vector<std::string> parts;
  for (const Matcher& matcher : matchers) {
    if (&matcher == except) continue;
    parts.push_back(matcher.name() + '\xff' + std::string(MatchTypeText(matcher.type())) + '\xff' + matcher.value());
  }
  std::sort(parts.begin(), parts.end());
  std::string key = except != nullptr ? except->name() : "";
  for (const std::string& part : parts) key.append("\xfe").append(part);
  return key;
}

// The matcher whose value selectors may differ in: of the name, or the last of another label.
const Matcher* Differing(const Matchers& matchers, bool of_name) {
  const Matcher* found = nullptr;
  for (const Matcher& matcher : matchers) {
    if (matcher.type() == MatchType::kEqual && !matcher.value().empty() && (matcher.name() == kMetricName) == of_name)
      found = &matcher;
  }
  return found;
}

// `group` are selectors equal but for the value of one label.
Status JoinGroup(const std::vector<const Matchers*>& group, const std::string& label, std::vector<Matchers>* out) {
  if (group.size() == 1) {
    out->push_back(*group[0]);
    return Status();
  }
  auto value_of = [&](const Matchers& matchers) -> const Matcher& {
    return *std::find_if(matchers.begin(), matchers.end(), [&](const Matcher& m) {
      return m.name() == label && m.type() == MatchType::kEqual && !m.value().empty();
    });
  };
  for (size_t begin = 0; begin < group.size(); begin += kValuesMax) {
    size_t end = std::min(begin + kValuesMax, group.size());
    std::string pattern;
    for (size_t i = begin; i < end; ++i) pattern += (i > begin ? "|" : "") + QuoteRegex(value_of(*group[i]).value());
    Matchers joined = *group[begin];
    GN_ASSIGN(Matcher any, Matcher::Make(end - begin == 1 ? MatchType::kEqual : MatchType::kRegexp, label,
                                         end - begin == 1 ? value_of(*group[begin]).value() : pattern));
    joined[&value_of(*group[begin]) - group[begin]->data()] = std::move(any);
    out->push_back(std::move(joined));
  }
  return Status();
}

Status JoinBy(bool of_name, std::vector<Matchers>* selectors) {
  struct Group {
    std::string label;
    std::vector<const Matchers*> members;
  };
  std::map<std::string, Group> groups;
  std::vector<Matchers> joined;
  for (const Matchers& matchers : *selectors) {
    const Matcher* differing = Differing(matchers, of_name);
    if (differing == nullptr) {
      joined.push_back(matchers);
      continue;
    }
    Group& group = groups[KeyOf(matchers, differing)];
    group.label = differing->name();
    group.members.push_back(&matchers);
  }
  for (const auto& [key, group] : groups) GN_TRY(JoinGroup(group.members, group.label, &joined));
  *selectors = std::move(joined);
  return Status();
}

}  // namespace

Result<std::vector<Matchers>> JoinSelectors(std::vector<Matchers> selectors) {
  if (selectors.size() < 2) return selectors;
  size_t asked = selectors.size();
  std::map<std::string, Matchers> distinct;
  for (Matchers& matchers : selectors) {
    std::string key = KeyOf(matchers, nullptr);
    distinct.emplace(std::move(key), std::move(matchers));
  }
  selectors.clear();
  for (auto& [key, matchers] : distinct) selectors.push_back(std::move(matchers));
  GN_TRY(JoinBy(true, &selectors));
  GN_TRY(JoinBy(false, &selectors));
  if (selectors.size() > kSelectsMax) {
    return Status(Code::kInvalid, "too many match[] in one request: " + std::to_string(asked) + ", of which " +
                                      std::to_string(selectors.size()) + " have nothing in common; at most " +
                                      std::to_string(kSelectsMax) + " are allowed");
  }
  return selectors;
}

}  // namespace gauntlet::api
