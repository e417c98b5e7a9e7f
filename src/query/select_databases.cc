#include "query/select_databases.h"

#include <map>
#include <set>
#include <utility>

#include "config/decoder.h"
#include "config/yaml.h"
#include "model/regex.h"

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

Result<Relabeler> ParseSelectorRelabel(std::string_view yaml) {
  std::vector<RelabelConfig> configs;
  if (yaml.empty()) return Relabeler();
  // The decoder reads mappings: the list becomes the only field of one.
  GN_ASSIGN(config::NodePtr list, config::ParseYaml(yaml));
  config::NodePtr wrapped = config::Node::Mapping({{config::Node::Plain("rules"), list}});
  GN_TRY(config::DecodeNode(*wrapped, "relabel.Config", [&](config::Decoder& d) {
    d.Each("rules", "relabel.Config", [&](config::Decoder& rule) {
      RelabelConfig c;
      rule.Field("source_labels", &c.source_labels);
      rule.Field("separator", &c.separator);
      rule.Field("regex", &c.regex);
      rule.Field("modulus", &c.modulus);
      rule.Field("target_label", &c.target_label);
      rule.Field("replacement", &c.replacement);
      rule.Parsed("action", &c.action, ParseRelabelAction);
      if (c.action != RelabelAction::kKeep && c.action != RelabelAction::kDrop && c.action != RelabelAction::kHashMod) {
        rule.Fail("action", "unsupported relabel action: " + std::string(RelabelActionName(c.action)) +
                                "; keep, drop and hashmod are allowed");
      }
      configs.push_back(std::move(c));
    });
  }));
  return Relabeler::Make(std::move(configs));
}

}  // namespace gauntlet::query
