#include "promql/script/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "model/float_text.h"
#include "model/time.h"
#include "promql/syntax/string_literal.h"

namespace gauntlet::promql {
namespace {

std::string_view Trim(std::string_view s) {
  size_t begin = s.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return s.substr(begin, s.find_last_not_of(" \t\r") - begin + 1);
}

// The first word, cut off with the spaces after it.
std::string_view TakeWord(std::string_view* text) {
  size_t end = std::min(text->find_first_of(" \t"), text->size());
  std::string_view word = text->substr(0, end);
  *text = Trim(text->substr(end));
  return word;
}

Status Unexpected(std::string_view what) { return Status(Code::kInvalid, std::string(what)); }

class ScriptParser {
 public:
  explicit ScriptParser(std::string_view text) {
    while (true) {
      size_t end = text.find('\n');
      std::string_view line = Trim(text.substr(0, end));
      lines_.push_back(line.starts_with('#') ? std::string_view() : line);
      if (end == std::string_view::npos) break;
      text.remove_prefix(end + 1);
    }
  }

  Result<Script> Parse() {
    Script script;
    for (; at_ < lines_.size(); ++at_) {
      if (lines_[at_].empty()) continue;
      Status status = Command(&script);
      if (!status.ok()) return std::move(status).Wrap(fmt::format("line {}", at_ + 1));
    }
    return script;
  }

 private:
  // The next line of the command at hand; false at its end.
  bool More() {
    if (at_ + 1 >= lines_.size() || lines_[at_ + 1].empty()) return false;
    ++at_;
    return true;
  }

  Status Command(Script* script) {
    std::string_view rest = lines_[at_];
    std::string_view word = TakeWord(&rest);
    if (word == "clear") {
      script->commands.emplace_back(ClearCommand());
    } else if (word == "load" || word == "load_with_nhcb") {
      LoadCommand load;
      load.with_nhcb = word != "load";
      GN_TRY(Load(rest, &load));
      script->commands.emplace_back(std::move(load));
    } else if (word.starts_with("eval")) {
      EvalCommand eval;
      eval.line = static_cast<int>(at_ + 1);
      GN_TRY(Eval(word.substr(4), rest, &eval));
      script->commands.emplace_back(std::move(eval));
    } else {
      return Unexpected(fmt::format("invalid command \"{}\"", lines_[at_]));
    }
    return Status();
  }

  Status Load(std::string_view step, LoadCommand* load) {
    GN_ASSIGN(load->step_ms, ParsePromDuration(step));
    std::optional<StartTimeLine> start_times;
    while (More()) {
      if (IsStartTimeLine(lines_[at_])) {
        if (start_times) return Unexpected("@st line has no following sample line");
        GN_ASSIGN(start_times, ParseStartTimeLine(lines_[at_]));
        continue;
      }
      GN_ASSIGN(SeriesLine line, ParseSeriesLine(lines_[at_]));
      LoadCommand::Series series{std::move(line.labels), std::move(line.values), {}};
      if (start_times) {
        if (!(start_times->labels == series.labels)) {
          return Unexpected("@st metric does not match the following sample line metric");
        }
        if (start_times->offsets_ms.size() != series.values.size()) {
          return Unexpected(fmt::format("@st line has {} values but sample line has {}", start_times->offsets_ms.size(),
                                        series.values.size()));
        }
        series.start_offsets_ms = std::move(start_times->offsets_ms);
        start_times.reset();
      }
      load->series.push_back(std::move(series));
    }
    return start_times ? Unexpected("@st line has no following sample line") : Status();
  }

  // [_fail|_warn|_ordered|_info] (instant [at TIME] | range from TIME to TIME step DURATION) EXPR
  Status Eval(std::string_view modifier, std::string_view rest, EvalCommand* eval) {
    if (modifier == "_fail") {
      eval->fail = true;
    } else if (modifier == "_warn") {
      eval->some_warning = true;
    } else if (modifier == "_info") {
      eval->some_info = true;
    } else if (modifier == "_ordered") {
      eval->ordered = true;
    } else if (!modifier.empty()) {
      return Unexpected(fmt::format("invalid command \"eval{}\"", modifier));
    }
    std::string_view kind = TakeWord(&rest);
    if (kind == "range") {
      eval->range = true;
      GN_TRY(Times(&rest, eval));
    } else if (kind == "instant") {
      if (rest.starts_with("at ")) {
        TakeWord(&rest);
        GN_ASSIGN(eval->start_ms, ParsePromDuration(TakeWord(&rest)));
      }
      eval->end_ms = eval->start_ms;
    } else {
      return Unexpected("invalid evaluation command");
    }
    eval->expr = rest;
    return Expectations(eval);
  }

  // from TIME to TIME step DURATION
  Status Times(std::string_view* rest, EvalCommand* eval) {
    for (auto [word, ms] : {std::pair{"from", &eval->start_ms}, {"to", &eval->end_ms}, {"step", &eval->step_ms}}) {
      if (TakeWord(rest) != word) return Unexpected(fmt::format("expected \"{}\" and a time", word));
      GN_ASSIGN(*ms, ParsePromDuration(TakeWord(rest)));
    }
    if (eval->end_ms < eval->start_ms) return Unexpected("the end timestamp is before the start timestamp");
    return Status();
  }

  Status Expectations(EvalCommand* eval) {
    while (More()) {
      std::string_view rest = lines_[at_];
      std::string_view word = TakeWord(&rest);
      if (word == "expected_fail_message") {
        eval->failures.push_back({std::string(rest), nullptr});
      } else if (word == "expected_fail_regexp") {
        GN_TRY(AddRegex(rest, &eval->failures));
      } else if (word == "expect") {
        GN_TRY(Expect(rest, eval));
      } else {
        GN_TRY(ExpectedValues(eval));
        if (eval->scalar_expected) break;
      }
    }
    return Status();
  }

  Status Expect(std::string_view rest, EvalCommand* eval) {
    std::string_view what = TakeWord(&rest);
    if (what == "range") {
      TakeWord(&rest);  // vector
      eval->range_vector = true;
      return Times(&rest, eval);
    }
    if (what == "string") {
      eval->string_expected = true;
      std::optional<std::string> text = Unquote(rest);
      if (!text) return Unexpected("expected string literal not valid - check that the string is correctly quoted");
      eval->expected_string = *std::move(text);
      return Status();
    }
    if (what == "ordered") {
      eval->ordered = true;
    } else if (what == "fail") {
      eval->fail = true;
      return AddExpectation(rest, &eval->failures);
    } else if (what == "warn") {
      eval->some_warning = true;
      return AddExpectation(rest, &eval->warnings);
    } else if (what == "info") {
      eval->some_info = true;
      return AddExpectation(rest, &eval->infos);
    } else if (what == "no_warn") {
      eval->no_warnings = true;
    } else if (what == "no_info") {
      eval->no_infos = true;
    } else {
      return Unexpected(fmt::format("invalid expect statement \"{}\"", what));
    }
    return Status();
  }

  // Nothing, "msg: TEXT" or "regex: TEXT".
  static Status AddExpectation(std::string_view rest, std::vector<Expectation>* out) {
    if (rest.empty()) return AddRegex("", out);
    if (rest.starts_with("msg:")) {
      out->push_back({std::string(Trim(rest.substr(4))), nullptr});
      return Status();
    }
    if (rest.starts_with("regex:")) return AddRegex(Trim(rest.substr(6)), out);
    return Unexpected("invalid expect statement, must match `expect <type> <match_type>: <string>` format");
  }

  static Status AddRegex(std::string_view pattern, std::vector<Expectation>* out) {
    GN_ASSIGN(auto regex, Regex::Make(fmt::format(".*(?:{}).*", pattern)));
    out->push_back({"", std::move(regex)});
    return Status();
  }

  Status ExpectedValues(EvalCommand* eval) {
    std::string_view line = lines_[at_];
    if (Result<double> number = ParseNumber(line); number.ok()) {
      eval->scalar_expected = true;
      eval->expected_scalar = *number;
      return Status();
    }
    GN_ASSIGN(SeriesLine series, ParseSeriesLine(line));
    if (series.values.size() > 1 && !eval->range && !eval->range_vector) {
      return Unexpected("expecting multiple values in instant evaluation not allowed");
    }
    eval->expected.push_back({eval->expected.size() + 1, std::move(series.labels), std::move(series.values)});
    return Status();
  }

  static Result<double> ParseNumber(std::string_view text) {
    int64_t whole = 0;
    bool hex = text.starts_with("0x");
    const char* begin = text.data() + (hex ? 2 : 0);
    auto [end, error] = std::from_chars(begin, text.data() + text.size(), whole, hex ? 16 : 10);
    if (error == std::errc() && end == text.data() + text.size()) return static_cast<double>(whole);
    return ParseFloat(text);
  }

  std::vector<std::string_view> lines_;
  size_t at_ = 0;
};

}  // namespace

bool Expectation::Matches(std::string_view text) const {
  return regex != nullptr ? regex->Matches(text) : message == text;
}

Result<Script> ParseScript(std::string_view text) { return ScriptParser(text).Parse(); }

}  // namespace gauntlet::promql
