// Script: a text of the promqltest language as commands: load, clear, eval with what is expected of it.
//
// Upstream: prometheus promql/promqltest (README.md, test.go)
// Threads:  values.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "model/regex/regex.h"
#include "promql/script/series_line.h"

namespace gauntlet::promql {

struct LoadCommand {
  struct Series {
    Labels labels;
    std::vector<SequenceValue> values;
    std::vector<std::optional<int64_t>> start_offsets_ms;  // as many, or none
  };
  int64_t step_ms = 0;
  bool with_nhcb = false;  // classic histograms are stored as native ones with custom buckets too
  std::vector<Series> series;
};

struct ClearCommand {};

// What an error or annotation must read like.
struct Expectation {
  std::string message;                 // the whole text, when there is no expression
  std::shared_ptr<const Regex> regex;  // to be found in it
  bool Matches(std::string_view text) const;
};

struct EvalCommand {
  struct Expected {
    size_t position = 0;  // from 1, for ordered results
    Labels labels;
    std::vector<SequenceValue> values;
  };
  int line = 0;
  std::string expr;
  bool range = false;
  int64_t start_ms = 0, end_ms = 0, step_ms = 0;  // an instant query is at start_ms
  bool range_vector = false;                      // of an instant query: values at start_ms, + step_ms, .. end_ms

  bool ordered = false, fail = false, some_warning = false, some_info = false, no_warnings = false, no_infos = false;
  std::vector<Expectation> failures, warnings, infos;
  bool string_expected = false;
  std::string expected_string;
  bool scalar_expected = false;
  double expected_scalar = 0;
  std::vector<Expected> expected;
};

struct Script {
  using Command = std::variant<LoadCommand, ClearCommand, EvalCommand>;
  std::vector<Command> commands;
};

// kInvalid "line N: ...".
Result<Script> ParseScript(std::string_view text);

}  // namespace gauntlet::promql
