#include "flags/help.h"

#include <algorithm>
#include <cctype>

#include "model/labels.h"

namespace gauntlet::flags {
namespace {

// Breaks at spaces so that no line is longer than `width` if that can be; a line break in the text stays.
std::vector<std::string> Wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    size_t end = std::min(text.find_first_of(" \n"), text.size());
    std::string_view word = text.substr(0, end);
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!word.empty()) {
      if (!line.empty()) line += ' ';
      line += word;
    }
    if (end < text.size() && text[end] == '\n') {
      lines.push_back(std::move(line));
      line.clear();
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!line.empty() || lines.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string UpperName(const std::string& name) {
  std::string upper;
  for (char c : name) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

}  // namespace

HelpWriter::Row HelpWriter::FlagRow(const Flag& flag) {
  std::string left = flag.short_ == 0 ? "    " : std::string("-") + flag.short_ + ", ";
  left += flag.target_.boolean && flag.short_ == 0 ? "--[no-]" : "--";
  left += flag.name_;
  if (!flag.target_.boolean) {
    left += '=';
    if (!flag.placeholder_.empty()) {
      left += flag.placeholder_;
    } else if (!flag.default_text_.empty()) {
      left += flag.target_.quoted && flag.enum_.empty() ? GoQuote(flag.default_text_) : flag.default_text_;
    } else {
      left += UpperName(flag.name_);
    }
    if (flag.target_.clear) left += " ...";
  }
  return {std::move(left), flag.help_};
}

void HelpWriter::WriteRows(std::string& out, const std::vector<Row>& rows, size_t indent) const {
  const size_t left_max = width_ / 3;
  size_t column = 0;
  for (const Row& row : rows) {
    if (row.first.size() <= left_max) column = std::max(column, row.first.size());
  }
  column += indent + 2;
  for (const Row& row : rows) {
    out.append(indent, ' ').append(row.first);
    size_t at = indent + row.first.size();
    if (at + 2 > column) {
      out += '\n';
      at = 0;
    }
    for (const std::string& line : Wrap(row.second, width_ > column + 20 ? width_ - column : 20)) {
      out.append(column - at, ' ').append(line).append("\n");
      at = 0;
    }
  }
}

std::string HelpWriter::Head(const Command& command) const {
  std::string out = "usage: " + program_;
  std::string path = command.path();
  if (!path.empty()) out += " " + path;
  out += " [<flags>]";
  for (const auto& argument : command.arguments_) {
    std::string text = "<" + argument.name + ">" + (argument.many != nullptr ? "..." : "");
    out += argument.required ? " " + text : " [" + text + "]";
  }
  if (!command.commands_.empty()) out += " <command> [<args> ...]";
  return out + "\n\n" + command.help_ + "\n";
}

void HelpWriter::WriteFlags(std::string& out, const Command& command, bool with_parents) const {
  std::vector<const Command*> commands;
  for (const Command* at = &command; at != nullptr; at = at->parent_) {
    commands.insert(commands.begin(), at);
    if (!with_parents) break;
  }
  std::vector<Row> rows;
  if (with_parents) {
    rows = {{"-h, --help", "Show this help (--help-long: with all flags of all commands)."},
            {"    --version", "Show application version."}};
  }
  for (const Command* at : commands) {
    for (const auto& flag : at->flags_.all()) {
      if (!flag->hidden_) rows.push_back(FlagRow(*flag));
    }
  }
  if (rows.empty()) return;
  if (with_parents) out += "\nFlags:\n";
  WriteRows(out, rows, with_parents ? 2 : 4);
}

std::string HelpWriter::Short(const Command& command) const {
  std::string out = Head(command);
  WriteFlags(out, command, true);
  if (!command.arguments_.empty()) {
    std::vector<Row> rows;
    for (const auto& argument : command.arguments_) rows.emplace_back("<" + argument.name + ">", argument.help);
    out += "\nArgs:\n";
    WriteRows(out, rows, 2);
  }
  std::vector<Row> rows;
  for (const auto& sub : command.commands_) {
    if (!sub->hidden_) rows.emplace_back(sub->name_, sub->help_);
  }
  if (!rows.empty()) {
    out += "\nCommands:\n";
    WriteRows(out, rows, 2);
  }
  return out;
}

std::string HelpWriter::Long(const Command& command) const {
  std::string out = Head(command);
  WriteFlags(out, command, true);
  if (!command.commands_.empty()) out += "\nCommands:\n";
  std::vector<const Command*> todo;
  for (auto it = command.commands_.rbegin(); it != command.commands_.rend(); ++it) todo.push_back(it->get());
  while (!todo.empty()) {
    const Command* at = todo.back();
    todo.pop_back();
    if (at->hidden_) continue;
    for (auto it = at->commands_.rbegin(); it != at->commands_.rend(); ++it) todo.push_back(it->get());
    if (!at->commands_.empty() && at->flags_.all().empty()) continue;
    out += "  " + at->path() + " [<flags>]\n";
    for (const std::string& line : Wrap(at->help_, width_ - 4)) out += "    " + line + "\n";
    out += "\n";
    WriteFlags(out, *at, false);
    out += "\n";
  }
  return out;
}

}  // namespace gauntlet::flags
