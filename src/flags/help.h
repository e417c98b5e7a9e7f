// Help texts of an App, laid out as kingpin does.
//
// Threads: immutable.

#pragma once

#include <string>

#include "flags/app.h"

namespace gauntlet::flags {

class HelpWriter {
 public:
  HelpWriter(std::string program, size_t width) : program_(std::move(program)), width_(width) {}
  // Usage of one command: its flags, those of the commands above, its subcommands by name.
  std::string Short(const Command& command) const;
  // The same, with the flags of every subcommand.
  std::string Long(const Command& command) const;

 private:
  using Row = std::pair<std::string, std::string>;
  std::string Head(const Command& command) const;
  void WriteFlags(std::string& out, const Command& command, bool with_parents) const;
  void WriteRows(std::string& out, const std::vector<Row>& rows, size_t indent) const;
  static Row FlagRow(const Flag& flag);

  const std::string program_;
  const size_t width_;
};

}  // namespace gauntlet::flags
