// Relabelling rules in YAML: relabel_configs of all kinds.
//
// Format:  Prometheus, "relabel_config"; --selector.relabel-config of Thanos
// Threads: one thread at a time, as Decoder.

#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/decoder.h"
#include "model/relabel.h"

namespace gauntlet::config {

// Of one rule. Whether the rules make sense together is Relabeler::Make's to say.
void DecodeRelabelConfig(Decoder& decoder, RelabelConfig* out);
// A document that is a list of rules; "" = none.
Result<std::vector<RelabelConfig>> ParseRelabelConfigs(std::string_view yaml);
// The same, for --selector.relabel-config: keep, drop and hashmod only.
Result<std::vector<RelabelConfig>> ParseSelectorRelabel(std::string_view yaml);

}  // namespace gauntlet::config
