#include "config/relabel.h"

#include <fmt/format.h>

namespace gauntlet::config {

void DecodeRelabelConfig(Decoder& d, RelabelConfig* out) {
  d.Field("source_labels", &out->source_labels);
  d.Field("separator", &out->separator);
  d.Field("regex", &out->regex);
  d.Field("modulus", &out->modulus);
  d.Field("target_label", &out->target_label);
  d.Field("replacement", &out->replacement);
  d.Parsed<RelabelAction>("action", &out->action, &ParseRelabelAction);
}

Result<std::vector<RelabelConfig>> ParseRelabelConfigs(std::string_view yaml) {
  std::vector<RelabelConfig> rules;
  GN_ASSIGN(NodePtr root, ParseYaml(yaml));
  if (root->is_null()) return rules;
  // A list has no name to decode it by: it gets one.
  NodePtr document = Node::Mapping({{Node::String("rules"), root}});
  GN_TRY(DecodeNode(*document, "relabel.Configs", [&](Decoder& d) {
    d.Each("rules", "relabel.Config", [&](Decoder& rule) { DecodeRelabelConfig(rule, &rules.emplace_back()); });
  }));
  return rules;
}

Result<std::vector<RelabelConfig>> ParseSelectorRelabel(std::string_view yaml) {
  auto rules = ParseRelabelConfigs(yaml);
  if (!rules.ok()) return rules.status().Wrap("parsing relabel configuration");
  for (const RelabelConfig& rule : *rules) {
    if (rule.action != RelabelAction::kKeep && rule.action != RelabelAction::kDrop &&
        rule.action != RelabelAction::kHashMod) {
      return Status(Code::kInvalid, fmt::format("parsing relabel configuration: unsupported relabel action: {}",
                                                RelabelActionName(rule.action)));
    }
  }
  return rules;
}

}  // namespace gauntlet::config
