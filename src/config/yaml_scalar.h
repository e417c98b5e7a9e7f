// Plain scalars of YAML 1.1: what unquoted text stands for. Internal to this module: yaml.h is the way in.
//
// Upstream: gopkg.in/yaml.v2 resolve.go
// Threads:  functions.

#pragma once

#include <cstdint>
#include <string_view>

#include "config/yaml.h"

namespace gauntlet::config {

inline constexpr std::string_view kMergeKey = "<<";

Node::Type PlainType(std::string_view text);

// The value of `text`, if it is one of that type; else false, and `value` means nothing.
bool BoolText(std::string_view text, bool* value);
// Go's ParseInt(text, 0, 64) after underscores were taken out: 0x, 0b, 0o and a leading 0 choose the base.
bool IntText(std::string_view text, int64_t* value);
// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and the words for infinities and NaN.
bool FloatText(std::string_view text, double* value);

// "12:30": a number of base 60 to YAML 1.1; yaml.v2 reads it as a string but writes it in quotes for those that do not.
bool LooksLikeBase60(std::string_view text);

}  // namespace gauntlet::config
