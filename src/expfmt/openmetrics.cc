#include "expfmt/openmetrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/float_text.h"

namespace gauntlet::expfmt {
namespace {

constexpr size_t kTextBytesMax = (1 << 24) - 1;  // of one name or value

bool IsNameChar(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (!first && c >= '0' && c <= '9');
}

bool IsMetadata(std::string_view line) {
  return line.starts_with("# HELP ") || line.starts_with("# TYPE ") || line.starts_with("# UNIT ");
}

}  // namespace

Status OpenMetricsReader::Wrong(std::string_view what) const {
  return Status(Code::kCorrupt, fmt::format("line {}: {}", line_number_, what));
}

Result<bool> OpenMetricsReader::Next(TextSample* out) {
  for (;;) {
    if (rest_.empty()) return Status(Code::kCorrupt, "data does not end with # EOF");
    size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    p_ = 0;
    ++line_number_;
    if (line_ == "# EOF") {
      if (!rest_.empty()) return Wrong("unexpected data after # EOF");
      return false;
    }
    if (end == std::string_view::npos) return Status(Code::kCorrupt, "data does not end with # EOF");
    if (line_.starts_with("#")) {
      if (!IsMetadata(line_)) return Wrong("a comment that is no HELP, TYPE or UNIT");
      continue;
    }
    GN_TRY(Sample(out));
    return true;
  }
}

Status OpenMetricsReader::Sample(TextSample* out) {
  used_ = 0;
  if (p_ < line_.size() && line_[p_] != '{') {
    if (pairs_.empty()) pairs_.emplace_back();
    pairs_[used_].name = kMetricName;
    GN_TRY(Name(&pairs_[used_].value));
    ++used_;
  }
  if (Take('{')) GN_TRY(Braces());
  if (used_ == 0) return Wrong("no metric name");
  if (!Take(' ')) return Wrong("expected a space before the value");
  Result<double> value = ParseFloat(Word());
  if (!value.ok()) return Wrong("the value is no number");
  out->value = *value;
  GN_TRY(Time(out));
  return Pack(&out->packed_labels);
}

Status OpenMetricsReader::Time(TextSample* out) {
  out->time_ms.reset();
  if (p_ == line_.size()) return Status();
  if (!Take(' ') || p_ == line_.size()) return Wrong("unexpected text behind the value");
  if (line_[p_] != '#') {
    Result<double> seconds = ParseFloat(Word());
    if (!seconds.ok() || !std::isfinite(*seconds) || std::abs(*seconds) > 9e15) return Wrong("invalid timestamp");
    out->time_ms = static_cast<int64_t>(*seconds * 1000);
    if (p_ == line_.size()) return Status();
    if (!Take(' ') || p_ == line_.size() || line_[p_] != '#') return Wrong("unexpected text behind the timestamp");
  }
  // An exemplar.
  return line_.substr(p_).starts_with("# {") ? Status() : Wrong("expected an exemplar");
}

Status OpenMetricsReader::Braces() {
  for (bool more = true; more;) {
    SkipSpaces();
    if (Take('}')) return Status();
    if (used_ == pairs_.size()) pairs_.emplace_back();
    Pair& pair = pairs_[used_];
    bool quoted = p_ < line_.size() && line_[p_] == '"';
    GN_TRY(quoted ? Quoted(&pair.name) : Name(&pair.name));
    SkipSpaces();
    if (Take('=')) {
      SkipSpaces();
      GN_TRY(Quoted(&pair.value));
    } else if (quoted) {
      // A quoted name without a value is the metric's.
      pair.value = std::move(pair.name);
      pair.name = kMetricName;
    } else {
      return Wrong("expected = behind a label name");
    }
    ++used_;
    SkipSpaces();
    more = Take(',');
  }
  return Take('}') ? Status() : Wrong("expected , or } behind a label");
}

Status OpenMetricsReader::Name(std::string* out) {
  size_t begin = p_;
  while (p_ < line_.size() && IsNameChar(line_[p_], p_ == begin)) ++p_;
  if (p_ == begin) return Wrong("expected a name");
  if (p_ - begin > kTextBytesMax) return Wrong("a name is too long");
  out->assign(line_.substr(begin, p_ - begin));
  return Status();
}

Status OpenMetricsReader::Quoted(std::string* out) {
  out->clear();
  if (!Take('"')) return Wrong("expected a quoted text");
  while (p_ < line_.size() && line_[p_] != '"') {
    char c = line_[p_++];
    if (c == '\\' && p_ < line_.size()) {
      char escaped = line_[p_];
      if (escaped == 'n' || escaped == '"' || escaped == '\\') {
        c = escaped == 'n' ? '\n' : escaped;
        ++p_;
      }
    }
    out->push_back(c);
  }
  if (!Take('"')) return Wrong("a quoted text does not end");
  if (out->size() > kTextBytesMax) return Wrong("a text is too long");
  return IsValidUtf8(*out) || out->empty() ? Status() : Wrong("invalid UTF-8");
}

Status OpenMetricsReader::Pack(std::string* packed) {
  sorted_.clear();
  for (size_t i = 0; i < used_; ++i) sorted_.push_back(&pairs_[i]);
  std::sort(sorted_.begin(), sorted_.end(), [](const Pair* a, const Pair* b) { return a->name < b->name; });
  packed->clear();
  const Pair* last = nullptr;
  bool named = false;
  for (const Pair* pair : sorted_) {
    if (last != nullptr && last->name == pair->name) return Wrong("a label name is given twice");
    last = pair;
    named = named || pair->name == kMetricName;
    if (pair->name.empty()) return Wrong("a label name is empty");
    if (!pair->value.empty()) PackLabel(*packed, pair->name, pair->value);
  }
  return named ? Status() : Wrong("no metric name");
}

std::string_view OpenMetricsReader::Word() {
  size_t end = std::min(line_.find(' ', p_), line_.size());
  std::string_view word = line_.substr(p_, end - p_);
  p_ = end;
  return word;
}

bool OpenMetricsReader::Take(char c) {
  if (p_ >= line_.size() || line_[p_] != c) return false;
  ++p_;
  return true;
}

void OpenMetricsReader::SkipSpaces() {
  while (p_ < line_.size() && (line_[p_] == ' ' || line_[p_] == '\t')) ++p_;
}

}  // namespace gauntlet::expfmt
