// Flags: typed command-line flags, declared over the fields of plain structs, in kingpin's manner.
//
//   FlagSet& f = command.flags();
//   f.String("log.level", "Log filtering level.", &options.level).Enum({"error", "warn", "info", "debug"});
//   f.GoDuration("http-grace-period", "Time to wait for requests.", &options.grace);
//
// The field's value when it is declared is the flag's default.
// Upstream: github.com/alecthomas/kingpin, thanos pkg/extkingpin
// Threads:  one thread at a time; fields must outlive parsing.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace gauntlet::flags {

// A time that is fixed, or relative to whenever it is asked: "2020-01-01T00:00:00Z", "-2h".
struct TimeOrDuration {
  bool relative = false;
  int64_t ms = 0;
  std::string text;
  int64_t At(int64_t now_ms) const { return relative ? now_ms + ms : ms; }
  static Result<TimeOrDuration> Parse(std::string_view text);
};

// The pair --NAME=<content> and --NAME-file=<path>. Ask Load once flags are parsed.
class ConfigSource {
 public:
  // The text, with $(VAR) replaced where the flag wants it; "" when neither flag was given. The file is read anew at
  // each call, so that reloads see changes.
  Result<std::string> Load() const;
  bool given() const { return !path_.empty() || !content_.empty(); }
  const std::string& path() const { return path_; }
  // Both flags given, or neither though the pair is required.
  Status Check() const;

 private:
  friend class FlagSet;
  std::string name_, path_, content_;
  bool required_ = false, expand_env_ = true;
};

class Flag {
 public:
  // How a flag touches its field.
  struct Target {
    std::function<Status(std::string_view)> set;
    std::function<std::string()> text;  // the value as status/flags shows it
    std::function<void()> clear;        // of a list: before the first value given replaces the defaults
    bool boolean = false;
    bool quoted = false;  // help quotes the default
  };

  Flag(std::string name, std::string help, Target target);

  Flag& Default(std::string_view text);  // REQUIRES: a value that the type takes
  Flag& Enum(std::vector<std::string> values);
  Flag& PlaceHolder(std::string text);
  Flag& Short(char c);
  Flag& Required();
  Flag& Hidden();
  // The value is shown as <REDACTED>.
  Flag& Secret();
  // Another name. `warning` is said when it is used; "" for none. Hidden from help.
  Flag& Alias(std::string name, std::string warning);
  // Said when the flag is given: deprecated, or accepted without effect.
  Flag& Warn(std::string warning);
  // Called with each value given, after the type took it.
  Flag& Check(std::function<Status(std::string_view)> check);

  const std::string& name() const { return name_; }
  std::string ValueText() const;
  bool given() const { return given_; }

 private:
  friend class FlagSet;
  friend class Parser;
  friend class HelpWriter;
  struct AliasName {
    std::string name, warning;
  };
  Status Set(std::string_view value, std::string_view as_given);

  const std::string name_, help_;
  const Target target_;
  std::string default_text_, placeholder_, warning_;
  std::vector<std::string> enum_;
  std::vector<AliasName> aliases_;
  std::vector<std::function<Status(std::string_view)>> checks_;
  char short_ = 0;
  bool required_ = false, hidden_ = false, secret_ = false, given_ = false;
};

class FlagSet {
 public:
  FlagSet() = default;
  FlagSet(const FlagSet&) = delete;
  FlagSet& operator=(const FlagSet&) = delete;

  Flag& String(std::string name, std::string help, std::string* out);
  Flag& Strings(std::string name, std::string help, std::vector<std::string>* out);  // repeatable
  // Repeatable, and each value may be a list "a,b".
  Flag& CommaList(std::string name, std::string help, std::vector<std::string>* out);
  Flag& Bool(std::string name, std::string help, bool* out);  // --name, --no-name
  Flag& Int(std::string name, std::string help, int* out);
  Flag& Int64(std::string name, std::string help, int64_t* out);
  Flag& Uint64(std::string name, std::string help, uint64_t* out);
  Flag& Double(std::string name, std::string help, double* out);
  Flag& Bytes(std::string name, std::string help, uint64_t* out);  // 512MB, 1GiB
  // "1.5h", "1m30s"; and Prometheus' kind: "1d", "1h30m". Both take either; they differ in how defaults are shown.
  Flag& GoDuration(std::string name, std::string help, std::chrono::milliseconds* out);
  Flag& PromDuration(std::string name, std::string help, std::chrono::milliseconds* out);
  Flag& Time(std::string name, std::string help, TimeOrDuration* out);
  // --NAME and --NAME-file. `kind` names what the content is, for the help.
  void Config(std::string name, std::string kind, ConfigSource* out, bool required = false, bool expand_env = true);
  Flag& Add(std::unique_ptr<Flag> flag);

  const std::vector<std::unique_ptr<Flag>>& all() const { return all_; }

 private:
  friend class Parser;
  std::vector<std::unique_ptr<Flag>> all_;
  std::vector<const ConfigSource*> configs_;
};

}  // namespace gauntlet::flags
