#include "flags/flag.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "base/byte_size.h"
#include "base/check.h"
#include "base/env_expand.h"
#include "model/float_text.h"
#include "model/time.h"

namespace gauntlet::flags {
namespace {

constexpr char kRedacted[] = "<REDACTED>";

template <typename T>
Status ParseInteger(std::string_view text, T* out) {
  auto fail = [&](std::string_view why) {
    constexpr std::string_view kFunction = std::is_signed_v<T> ? "ParseInt" : "ParseUint";
    return Status(Code::kInvalid, fmt::format("strconv.{}: parsing \"{}\": {}", kFunction, text, why));
  };
  std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  T value{};
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) return fail("value out of range");
  if (error != std::errc() || end != digits.data() + digits.size()) return fail("invalid syntax");
  *out = value;
  return Status();
}

template <typename T>
Flag::Target IntegerTarget(T* out) {
  return {.set = [out](std::string_view text) { return ParseInteger(text, out); },
          .text = [out] { return std::to_string(*out); }};
}

template <typename T>
Status Assign(Result<T> parsed, T* out) {
  if (!parsed.ok()) return parsed.status();
  *out = *std::move(parsed);
  return Status();
}

// Go's durations and Prometheus': releases moved flags from one kind to the other, and no text means two things.
Result<int64_t> ParseEitherDuration(std::string_view text) {
  if (Result<int64_t> ms = ParsePromDuration(text); ms.ok()) return ms;
  GN_ASSIGN(int64_t ns, ParseGoDuration(text));
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(ns)).count();
}

std::string Joined(const std::vector<std::string>& values) { return fmt::format("{}", fmt::join(values, ",")); }

}  // namespace

Result<TimeOrDuration> TimeOrDuration::Parse(std::string_view text) {
  // A relative time moves with the clock it is given.
  GN_ASSIGN(int64_t at_zero, ParseTimeOrDuration(text, 0));
  GN_ASSIGN(int64_t at_one, ParseTimeOrDuration(text, 1));
  return TimeOrDuration{at_zero != at_one, at_zero, std::string(text)};
}

Status ConfigSource::Check() const {
  if (!path_.empty() && !content_.empty()) {
    return Status(Code::kInvalid, fmt::format("both {}-file and {} flags set.", name_, name_));
  }
  if (required_ && !given()) {
    return Status(Code::kInvalid,
                  fmt::format("flag {}-file or {} is required for running this command and content cannot be empty.",
                              name_, name_));
  }
  return Status();
}

Result<std::string> ConfigSource::Load() const {
  GN_TRY(Check());
  std::string text = content_;
  if (!path_.empty()) {
    std::ifstream file(path_, std::ios::binary);
    text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) return Status(Code::kNotFound, fmt::format("loading file {} for {}-file", path_, name_));
  }
  if (text.empty() && required_) {
    return Status(Code::kInvalid,
                  fmt::format("flag {}-file or {} is required for running this command and content cannot be empty.",
                              name_, name_));
  }
  if (!expand_env_) return text;
  Result<std::string> expanded = ExpandEnv(text);
  if (!expanded.ok()) return expanded.status().Wrap(name_);
  return expanded;
}

Flag::Flag(std::string name, std::string help, Target target)
    : name_(std::move(name)), help_(std::move(help)), target_(std::move(target)), default_text_(target_.text()) {}

Flag& Flag::Default(std::string_view text) {
  if (target_.clear) target_.clear();
  GN_CHECK(target_.set(text).ok());
  default_text_ = text;
  return *this;
}

Flag& Flag::Enum(std::vector<std::string> values) {
  enum_ = std::move(values);
  return *this;
}

Flag& Flag::PlaceHolder(std::string text) {
  placeholder_ = std::move(text);
  return *this;
}

Flag& Flag::Short(char c) {
  short_ = c;
  return *this;
}

Flag& Flag::Required() {
  required_ = true;
  return *this;
}

Flag& Flag::Hidden() {
  hidden_ = true;
  return *this;
}

Flag& Flag::Secret() {
  secret_ = true;
  return *this;
}

Flag& Flag::Alias(std::string name, std::string warning) {
  aliases_.push_back({std::move(name), std::move(warning)});
  return *this;
}

Flag& Flag::Warn(std::string warning) {
  warning_ = std::move(warning);
  return *this;
}

Flag& Flag::Check(std::function<Status(std::string_view)> check) {
  checks_.push_back(std::move(check));
  return *this;
}

std::string Flag::ValueText() const {
  // Thanos hides these two even when they are empty.
  if (name_.starts_with("objstore.config")) return kRedacted;
  std::string text = target_.text();
  return secret_ && !text.empty() ? kRedacted : text;
}

Status Flag::Set(std::string_view value, std::string_view as_given) {
  auto refuse = [&](std::string_view why) {
    return Status(Code::kInvalid, fmt::format("flag '{}': {}", as_given, why));
  };
  if (given_ && !target_.clear) {
    return Status(Code::kInvalid, fmt::format("flag '{}' cannot be repeated", as_given));
  }
  if (!enum_.empty() && std::find(enum_.begin(), enum_.end(), value) == enum_.end()) {
    return refuse(fmt::format("enum value must be one of {}, got '{}'", fmt::join(enum_, ","), value));
  }
  if (!given_ && target_.clear) target_.clear();
  Status status = target_.set(value);
  if (!status.ok()) return refuse(status.message());
  for (const auto& check : checks_) {
    status = check(value);
    if (!status.ok()) return refuse(status.message());
  }
  given_ = true;
  return Status();
}

Flag& FlagSet::Add(std::unique_ptr<Flag> flag) {
  all_.push_back(std::move(flag));
  return *all_.back();
}

Flag& FlagSet::String(std::string name, std::string help, std::string* out) {
  auto set = [out](std::string_view text) {
    *out = text;
    return Status();
  };
  return Add(std::make_unique<Flag>(std::move(name), std::move(help),
                                    Flag::Target{.set = set, .text = [out] { return *out; }, .quoted = true}));
}

Flag& FlagSet::Strings(std::string name, std::string help, std::vector<std::string>* out) {
  auto set = [out](std::string_view text) {
    out->emplace_back(text);
    return Status();
  };
  return Add(std::make_unique<Flag>(
      std::move(name), std::move(help),
      Flag::Target{
          .set = set, .text = [out] { return Joined(*out); }, .clear = [out] { out->clear(); }, .quoted = true}));
}

Flag& FlagSet::CommaList(std::string name, std::string help, std::vector<std::string>* out) {
  auto set = [out](std::string_view text) {
    while (!text.empty()) {
      size_t comma = std::min(text.find(','), text.size());
      if (comma > 0) out->emplace_back(text.substr(0, comma));
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return Status();
  };
  return Add(std::make_unique<Flag>(
      std::move(name), std::move(help),
      Flag::Target{
          .set = set, .text = [out] { return Joined(*out); }, .clear = [out] { out->clear(); }, .quoted = true}));
}

Flag& FlagSet::Bool(std::string name, std::string help, bool* out) {
  auto set = [out](std::string_view text) {
    if (text != "true" && text != "false") {
      return Status(Code::kInvalid, fmt::format("strconv.ParseBool: parsing \"{}\": invalid syntax", text));
    }
    *out = text == "true";
    return Status();
  };
  auto text = [out] { return std::string(*out ? "true" : "false"); };
  return Add(std::make_unique<Flag>(std::move(name), std::move(help),
                                    Flag::Target{.set = set, .text = text, .boolean = true}));
}

Flag& FlagSet::Int(std::string name, std::string help, int* out) {
  return Add(std::make_unique<Flag>(std::move(name), std::move(help), IntegerTarget(out)));
}

Flag& FlagSet::Int64(std::string name, std::string help, int64_t* out) {
  return Add(std::make_unique<Flag>(std::move(name), std::move(help), IntegerTarget(out)));
}

Flag& FlagSet::Uint64(std::string name, std::string help, uint64_t* out) {
  return Add(std::make_unique<Flag>(std::move(name), std::move(help), IntegerTarget(out)));
}

Flag& FlagSet::Double(std::string name, std::string help, double* out) {
  auto set = [out](std::string_view text) { return Assign(ParseFloat(text), out); };
  return Add(std::make_unique<Flag>(std::move(name), std::move(help),
                                    Flag::Target{.set = set, .text = [out] { return FormatFloatG(*out); }}));
}

Flag& FlagSet::Bytes(std::string name, std::string help, uint64_t* out) {
  auto set = [out](std::string_view text) { return Assign(ParseByteSize(text), out); };
  return Add(std::make_unique<Flag>(std::move(name), std::move(help),
                                    Flag::Target{.set = set, .text = [out] { return FormatByteSize(*out); }}));
}

Flag& FlagSet::GoDuration(std::string name, std::string help, std::chrono::milliseconds* out) {
  auto set = [out](std::string_view text) {
    GN_ASSIGN(int64_t ms, ParseEitherDuration(text));
    *out = std::chrono::milliseconds(ms);
    return Status();
  };
  auto text = [out] { return FormatGoDuration(std::chrono::nanoseconds(*out).count()); };
  return Add(std::make_unique<Flag>(std::move(name), std::move(help), Flag::Target{.set = set, .text = text}));
}

Flag& FlagSet::PromDuration(std::string name, std::string help, std::chrono::milliseconds* out) {
  auto set = [out](std::string_view text) {
    Result<int64_t> ms = ParseEitherDuration(text);
    if (!ms.ok() || *ms < 0) return ParsePromDuration(text).status();
    *out = std::chrono::milliseconds(*ms);
    return Status();
  };
  auto text = [out] { return FormatPromDuration(out->count()); };
  return Add(std::make_unique<Flag>(std::move(name), std::move(help), Flag::Target{.set = set, .text = text}));
}

Flag& FlagSet::Time(std::string name, std::string help, TimeOrDuration* out) {
  auto set = [out](std::string_view text) { return Assign(TimeOrDuration::Parse(text), out); };
  return Add(std::make_unique<Flag>(std::move(name), std::move(help),
                                    Flag::Target{.set = set, .text = [out] { return out->text; }}));
}

void FlagSet::Config(std::string name, std::string kind, ConfigSource* out, bool required, bool expand_env) {
  out->name_ = name;
  out->required_ = required;
  out->expand_env_ = expand_env;
  configs_.push_back(out);
  String(name + "-file", fmt::format("Path to YAML file that contains {}.", kind), &out->path_)
      .PlaceHolder("<file-path>");
  String(name,
         fmt::format("Alternative to '{}-file' flag (mutually exclusive). Content of YAML file that contains {}.", name,
                     kind),
         &out->content_)
      .PlaceHolder("<content>")
      .Secret();
}

}  // namespace gauntlet::flags
