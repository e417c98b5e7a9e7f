// Relabelling: rules that rewrite, keep or drop a label set.
//
// Upstream: prometheus model/relabel/relabel.go
// Threads:  a Relabeler is immutable; copies share the compiled expressions.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"

namespace gauntlet {

enum class RelabelAction : uint8_t {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase,
};

std::string_view RelabelActionName(RelabelAction action);  // "replace"
// In any case of letters. kInvalid `unknown relabel action "x"`.
Result<RelabelAction> ParseRelabelAction(std::string_view name);

// One rule as it is configured, with the defaults of the configuration.
struct RelabelConfig {
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string regex = "(.*)";
  uint64_t modulus = 0;
  std::string target_label;
  std::string replacement = "$1";
  RelabelAction action = RelabelAction::kReplace;
  bool legacy_names = false;  // label names must be identifiers; otherwise any UTF-8
  bool operator==(const RelabelConfig&) const = default;
};

class Relabeler {
 public:
  Relabeler() = default;  // no rules: keeps everything as it is
  // kInvalid, in upstream's words, for a rule that makes no sense or an expression that does not parse.
  static Result<Relabeler> Make(std::vector<RelabelConfig> configs);

  // Applies the rules in order; false when one says to drop, and then the builder is of no use.
  bool Apply(LabelsBuilder& labels) const;
  std::optional<Labels> Apply(LabelsView labels) const;

  bool empty() const { return rules_ == nullptr || rules_->empty(); }

 private:
  class Rule;
  std::shared_ptr<const std::vector<Rule>> rules_;
};

}  // namespace gauntlet
