#include "model/relabel.h"

#include <array>
#include <utility>

#include "model/go/letter_case.h"
#include "model/md5.h"
#include "model/regex/regex.h"
#include "model/relabel_template.h"

namespace gauntlet {
namespace {

constexpr std::array<std::string_view, 11> kActionNames = {"replace",   "keep",      "drop",     "keepequal",
                                                           "dropequal", "hashmod",   "labelmap", "labeldrop",
                                                           "labelkeep", "lowercase", "uppercase"};

Status BadRule(std::string message) { return Status(Code::kInvalid, std::move(message)); }

bool IsValidName(std::string_view name, bool legacy) { return legacy ? IsLegacyLabelName(name) : IsValidUtf8(name); }

// ^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$: what may become an identifier.
bool IsLegacyNameTemplate(std::string_view text) {
  static const std::shared_ptr<const Regex> kPattern = *Regex::Make("(?:(?:[a-zA-Z_]|\\$(?:\\{\\w+\\}|\\w+))+\\w*)+");
  return kPattern->Matches(text);
}

bool IsValidNameTemplate(std::string_view text, bool legacy) {
  return legacy ? IsLegacyNameTemplate(text) : IsValidUtf8(text);
}

Status CheckTarget(const RelabelConfig& config) {
  using enum RelabelAction;
  const RelabelAction action = config.action;
  const std::string name(RelabelActionName(action));
  bool equal = action == kKeepEqual || action == kDropEqual;
  bool plain_target = action == kHashMod || action == kLowercase || action == kUppercase || equal;
  if ((action == kReplace || plain_target) && config.target_label.empty()) {
    return BadRule("relabel configuration for " + name + " action requires 'target_label' value");
  }
  bool is_template = action == kReplace && config.target_label.find('$') != std::string::npos;
  bool valid = is_template ? IsValidNameTemplate(config.target_label, config.legacy_names)
                           : IsValidName(config.target_label, config.legacy_names);
  if ((action == kReplace || plain_target) && !valid) {
    return BadRule(GoQuote(config.target_label) + " is invalid 'target_label' for " + name + " action");
  }
  return Status();
}

// Upstream's Config.Validate, in its order where that shows in the message.
Status CheckRule(const RelabelConfig& config) {
  using enum RelabelAction;
  const RelabelAction action = config.action;
  const RelabelConfig defaults;
  const std::string name(RelabelActionName(action));
  if (action == kHashMod && config.modulus == 0) {
    return BadRule("relabel configuration for hashmod requires non-zero modulus");
  }
  GN_TRY(CheckTarget(config));
  bool equal = action == kKeepEqual || action == kDropEqual;
  if ((action == kLowercase || action == kUppercase || equal) && config.replacement != defaults.replacement) {
    return BadRule("'replacement' can not be set for " + name + " action");
  }
  if (action == kLabelMap && !IsValidNameTemplate(config.replacement, config.legacy_names)) {
    return BadRule(GoQuote(config.replacement) + " is invalid 'replacement' for " + name + " action");
  }
  bool others = config.modulus != defaults.modulus || config.separator != defaults.separator ||
                config.replacement != defaults.replacement;
  if (equal && (others || config.regex != defaults.regex)) {
    return BadRule(name + " action requires only 'source_labels' and `target_label`, and no other fields");
  }
  if ((action == kLabelDrop || action == kLabelKeep) &&
      (others || !config.source_labels.empty() || !config.target_label.empty())) {
    return BadRule(name + " action requires only 'regex', and no other fields");
  }
  return Status();
}

}  // namespace

std::string_view RelabelActionName(RelabelAction action) { return kActionNames[static_cast<size_t>(action)]; }

Result<RelabelAction> ParseRelabelAction(std::string_view name) {
  std::string lower = LowerText(name);
  for (size_t i = 0; i < kActionNames.size(); ++i) {
    if (kActionNames[i] == lower) return static_cast<RelabelAction>(i);
  }
  return BadRule("unknown relabel action " + GoQuote(name));
}

class Relabeler::Rule {
 public:
  static Result<Rule> Make(RelabelConfig config) {
    GN_TRY(CheckRule(config));
    bool expands = config.action == RelabelAction::kReplace || config.action == RelabelAction::kLabelMap;
    GN_ASSIGN(std::shared_ptr<const Regex> regex,
              expands ? Regex::MakeCapturing(config.regex) : Regex::Make(config.regex));
    return Rule(std::move(config), std::move(regex));
  }

  bool Apply(LabelsBuilder& labels) const {
    using enum RelabelAction;
    switch (config_.action) {
      case kKeep:
        return regex_->Matches(Source(labels));
      case kDrop:
        return !regex_->Matches(Source(labels));
      case kKeepEqual:
        return labels.Get(config_.target_label) == Source(labels);
      case kDropEqual:
        return labels.Get(config_.target_label) != Source(labels);
      case kReplace:
        Replace(labels);
        return true;
      case kHashMod:
        labels.Set(config_.target_label, std::to_string(HashOf(Source(labels)) % config_.modulus));
        return true;
      case kLowercase:
        labels.Set(config_.target_label, LowerText(Source(labels)));
        return true;
      case kUppercase:
        labels.Set(config_.target_label, UpperText(Source(labels)));
        return true;
      case kLabelMap:
        for (const auto& [name, value] : labels.Pairs()) {
          std::vector<std::string_view> captures = Captures(name);
          if (!captures.empty()) labels.Set(replacement_.Expand(captures), value);
        }
        return true;
      case kLabelDrop:
      case kLabelKeep:
        for (const auto& [name, value] : labels.Pairs()) {
          if (regex_->Matches(name) == (config_.action == kLabelDrop)) labels.Del(name);
        }
        return true;
    }
    return true;
  }

 private:
  Rule(RelabelConfig config, std::shared_ptr<const Regex> regex)
      : config_(std::move(config)),
        regex_(std::move(regex)),
        captures_all_(config_.regex == "(.*)"),
        target_(config_.target_label, regex_->group_names()),
        replacement_(config_.replacement, regex_->group_names()) {}

  std::string Source(const LabelsBuilder& labels) const {
    std::string source;
    for (size_t i = 0; i < config_.source_labels.size(); ++i) {
      if (i > 0) source += config_.separator;
      source += labels.Get(config_.source_labels[i]);
    }
    return source;
  }

  std::vector<std::string_view> Captures(std::string_view text) const {
    if (captures_all_) return {text, text};
    if (!regex_->Matches(text)) return {};
    return regex_->Captures(text);
  }

  void Replace(LabelsBuilder& labels) const {
    std::string source = Source(labels);
    std::vector<std::string_view> captures = Captures(source);
    if (captures.empty()) return;
    std::string target = target_.Expand(captures);
    if (IsValidName(target, config_.legacy_names)) labels.Set(target, replacement_.Expand(captures));
  }

  // The last eight bytes of the MD5, as a big-endian number.
  static uint64_t HashOf(std::string_view source) {
    auto digest = Md5(source);
    uint64_t hash = 0;
    for (size_t i = 8; i < 16; ++i) hash = hash << 8 | digest[i];
    return hash;
  }

  RelabelConfig config_;
  std::shared_ptr<const Regex> regex_;
  bool captures_all_;  // the default expression, which needs no engine
  RelabelTemplate target_, replacement_;
};

Result<Relabeler> Relabeler::Make(std::vector<RelabelConfig> configs) {
  std::vector<Rule> rules;
  for (RelabelConfig& config : configs) {
    GN_ASSIGN(Rule rule, Rule::Make(std::move(config)));
    rules.push_back(std::move(rule));
  }
  Relabeler relabeler;
  relabeler.rules_ = std::make_shared<const std::vector<Rule>>(std::move(rules));
  return relabeler;
}

bool Relabeler::Apply(LabelsBuilder& labels) const {
  if (rules_ == nullptr) return true;
  for (const Rule& rule : *rules_) {
    if (!rule.Apply(labels)) return false;
  }
  return true;
}

std::optional<Labels> Relabeler::Apply(LabelsView labels) const {
  LabelsBuilder builder(labels);
  if (!Apply(builder)) return std::nullopt;
  return builder.Build();
}

}  // namespace gauntlet
