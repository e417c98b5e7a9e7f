// App: a program's commands and flags, its command line parsed, its help.
//
//   flags::App app("gauntlet", "A highly available Prometheus.", version_text);
//   flags::Command& query = app.AddCommand("query", "Query node.");
//   QueryOptions options;
//   options.Register(query.flags());
//   auto parsed = app.Parse(arguments);
//
// Threads: one thread at a time.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "flags/flag.h"

namespace gauntlet::flags {

class Command {
 public:
  Command(std::string name, std::string help, Command* parent);

  Command& AddCommand(std::string name, std::string help);
  Command& Hidden();
  FlagSet& flags() { return flags_; }
  const FlagSet& flags() const { return flags_; }
  // A positional argument. `many`: all that are left.
  Command& Argument(std::string name, std::string help, std::string* out, bool required = true);
  Command& Arguments(std::string name, std::string help, std::vector<std::string>* out, bool required = true);
  // What the program does for this command; its return is the exit code.
  Command& Run(std::function<int()> run);

  const std::string& name() const { return name_; }
  std::string path() const;  // "tools bucket ls"
  const std::function<int()>& run() const { return run_; }

 private:
  friend class App;
  friend class Parser;
  friend class HelpWriter;
  struct ArgumentSpec {
    std::string name, help;
    std::string* one = nullptr;
    std::vector<std::string>* many = nullptr;
    bool required = true;
  };
  const std::string name_, help_;
  Command* const parent_;
  FlagSet flags_;
  std::vector<std::unique_ptr<Command>> commands_;
  std::vector<ArgumentSpec> arguments_;
  std::function<int()> run_;
  bool hidden_ = false;
};

class App {
 public:
  App(std::string name, std::string help, std::string version);

  // Flags of every command.
  FlagSet& flags() { return root_.flags(); }
  Command& AddCommand(std::string name, std::string help) { return root_.AddCommand(std::move(name), std::move(help)); }
  // The program itself as a command: for one without subcommands.
  Command& root() { return root_; }

  struct Parsed {
    Command* command = nullptr;         // null when `print` is all there is to do
    std::string print;                  // for standard output: help, version
    std::vector<std::string> warnings;  // to log once there is a log
  };
  // `arguments` without the program's name. kInvalid with kingpin's texts; for an unknown flag also the nearest one.
  Result<Parsed> Parse(std::vector<std::string> arguments);

  // Every flag of `command` and of the app with its value, secrets hidden: for /api/v1/status/flags.
  std::map<std::string, std::string> Values(const Command& command) const;

 private:
  Command root_;
  const std::string version_;
};

// The closest of `candidates` to `word`, or "" when none is near enough to be a slip of the keyboard.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace gauntlet::flags
