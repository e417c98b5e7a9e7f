#include "query/select_databases.h"

#include <map>
#include <set>
#include <utility>

#include "model/regex/regex.h"

namespace gauntlet::query {

std::optional<Matchers> SelectDatabases(const storeapi::Endpoint& endpoint, const Relabeler& relabeler) {
  if (relabeler.empty() || endpoint.tsdbs.empty()) return Matchers();
  std::map<std::string, std::set<std::string>> values;
  size_t selected = 0;
  for (const storeapi::TsdbInfo& tsdb : endpoint.tsdbs) {
    if (!relabeler.Apply(tsdb.labels.view())) continue;
    ++selected;
    for (const Label& label : tsdb.labels) values[std::string(label.name)].insert(std::string(label.value));
  }
  if (selected == 0) return std::nullopt;
  Matchers matchers;
  if (selected == endpoint.tsdbs.size()) return matchers;
  for (const auto& [name, accepted] : values) {
    std::string pattern;
    for (const std::string& value : accepted) pattern += (pattern.empty() ? "" : "|") + QuoteRegex(value);
    if (auto matcher = Matcher::Make(MatchType::kRegexp, name, pattern); matcher.ok())
      matchers.push_back(*std::move(matcher));
  }
  return matchers;
}

}  // namespace gauntlet::query
