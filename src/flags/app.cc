#include "flags/app.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <fstream>

#include "flags/help.h"

namespace gauntlet::flags {
namespace {

constexpr size_t kHelpWidth = 100;
constexpr int kArgumentFilesMax = 16;  // nested: a file that names itself ends here

Status Invalid(std::string message) { return Status(Code::kInvalid, std::move(message)); }

// Edit distance where a swap of neighbours counts once.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> two_back(b.size() + 1), back(b.size() + 1), now(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) back[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({back[j] + 1, now[j - 1] + 1, back[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        now[j] = std::min(now[j], two_back[j - 2] + 1);
    }
    two_back.swap(back);
    back.swap(now);
  }
  return back[b.size()];
}

// Lines of a file as arguments; empty lines and those that begin with '#' are left out.
Result<std::vector<std::string>> ReadArgumentFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Invalid(fmt::format("open {}: no such file or directory", path));
  std::vector<std::string> arguments;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty() && line[0] != '#') arguments.push_back(std::move(line));
  }
  return arguments;
}

}  // namespace

std::string Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string nearest;
  size_t best = std::max<size_t>(2, word.size() / 4) + 1;
  for (const std::string& candidate : candidates) {
    size_t distance = Distance(word, candidate);
    if (distance < best && distance < std::max(word.size(), candidate.size()) / 2 + 1) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

Command::Command(std::string name, std::string help, Command* parent)
    : name_(std::move(name)), help_(std::move(help)), parent_(parent) {}

Command& Command::AddCommand(std::string name, std::string help) {
  commands_.push_back(std::make_unique<Command>(std::move(name), std::move(help), this));
  return *commands_.back();
}

Command& Command::Hidden() {
  hidden_ = true;
  return *this;
}

Command& Command::Argument(std::string name, std::string help, std::string* out, bool required) {
  arguments_.push_back({std::move(name), std::move(help), out, nullptr, required});
  return *this;
}

Command& Command::Arguments(std::string name, std::string help, std::vector<std::string>* out, bool required) {
  arguments_.push_back({std::move(name), std::move(help), nullptr, out, required});
  return *this;
}

Command& Command::Run(std::function<int()> run) {
  run_ = std::move(run);
  return *this;
}

std::string Command::path() const {
  if (parent_ == nullptr) return "";
  std::string above = parent_->path();
  return above.empty() ? name_ : above + " " + name_;
}

// One walk over the arguments.
class Parser {
 public:
  Parser(Command& root, const std::string& version, std::vector<std::string> arguments)
      : root_(root),
        version_(version),
        rest_(std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end())),
        command_(&root) {}

  Result<App::Parsed> Parse() {
    while (!rest_.empty() && !done_) {
      std::string argument = std::move(rest_.front());
      rest_.pop_front();
      if (!only_arguments_ && argument.size() > 1 && argument[0] == '@') {
        GN_TRY(ExpandFile(argument.substr(1)));
      } else if (!only_arguments_ && argument == "--") {
        only_arguments_ = true;
      } else if (!only_arguments_ && argument.starts_with("--")) {
        GN_TRY(Long(argument.substr(2)));
      } else if (!only_arguments_ && argument.size() > 1 && argument[0] == '-') {
        GN_TRY(Short(argument.substr(1)));
      } else {
        GN_TRY(Word(std::move(argument)));
      }
    }
    if (done_) return std::move(parsed_);
    GN_TRY(CheckComplete());
    parsed_.command = command_;
    return std::move(parsed_);
  }

 private:
  struct Named {
    Flag* flag = nullptr;
    std::string warning;
    bool inverted = false;
  };

  Status ExpandFile(const std::string& path) {
    if (++files_ > kArgumentFilesMax) return Invalid(fmt::format("more than {} argument files", kArgumentFilesMax));
    GN_ASSIGN(std::vector<std::string> arguments, ReadArgumentFile(path));
    rest_.insert(rest_.begin(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
    return Status();
  }

  template <typename F>
  void EachFlag(const F& f) const {
    for (const Command* at = command_; at != nullptr; at = at->parent_) {
      for (const auto& flag : at->flags_.all_) f(*flag);
    }
  }

  Named FindLong(std::string_view name) const {
    Named found;
    EachFlag([&](Flag& flag) {
      auto matches = [&](const std::string& own) {
        if (own == name) return true;
        if (!flag.target_.boolean || !name.starts_with("no-") || name.substr(3) != own) return false;
        found.inverted = true;
        return true;
      };
      if (found.flag != nullptr) return;
      if (matches(flag.name_)) found.flag = &flag;
      for (const auto& alias : flag.aliases_) {
        if (found.flag == nullptr && matches(alias.name)) {
          found.flag = &flag;
          found.warning = alias.warning;
        }
      }
    });
    return found;
  }

  Status Unknown(const std::string& name) const {
    std::vector<std::string> names;
    EachFlag([&](const Flag& flag) {
      if (!flag.hidden_) names.push_back(flag.name_);
    });
    std::string text = fmt::format("unknown long flag '--{}'", name);
    std::string near = Nearest(name.starts_with("no-") ? name.substr(3) : name, names);
    if (!near.empty()) text += fmt::format(", did you mean '--{}'?", near);
    return Invalid(std::move(text));
  }

  // The built-in flags. True when `name` is one.
  bool BuiltIn(std::string_view name) {
    HelpWriter help(root_.name_, kHelpWidth);
    if (name == "help") {
      parsed_.print = help.Short(*command_);
    } else if (name == "help-long") {
      parsed_.print = help.Long(*command_);
    } else if (name == "version") {
      parsed_.print = version_ + "\n";
    } else {
      return false;
    }
    done_ = true;
    return true;
  }

  Status Long(const std::string& text) {
    size_t equals = text.find('=');
    std::string name = text.substr(0, equals);
    bool has_value = equals != std::string::npos;
    Named named = FindLong(name);
    if (named.flag == nullptr) return !has_value && BuiltIn(name) ? Status() : Unknown(name);
    if (!named.warning.empty()) Warn(fmt::format("flag --{}: {}", name, named.warning));
    std::string as_given = "--" + name;
    if (named.flag->target_.boolean) {
      std::string value = has_value ? text.substr(equals + 1) : "true";
      if (named.inverted && (value == "true" || value == "false")) value = value == "true" ? "false" : "true";
      return Set(*named.flag, value, as_given);
    }
    if (has_value) return Set(*named.flag, text.substr(equals + 1), as_given);
    return SetFromNext(*named.flag, as_given);
  }

  // "-x", "-xVALUE", "-x VALUE".
  Status Short(const std::string& text) {
    for (size_t i = 0; i < text.size(); ++i) {
      Flag* found = nullptr;
      EachFlag([&](Flag& flag) {
        if (flag.short_ == text[i]) found = &flag;
      });
      std::string as_given = fmt::format("-{}", text[i]);
      if (found == nullptr) {
        if (text[i] == 'h') {
          BuiltIn("help");
          return Status();
        }
        return Invalid(fmt::format("unknown short flag '{}'", as_given));
      }
      if (!found->target_.boolean) {
        if (i + 1 < text.size()) return Set(*found, text.substr(i + 1), as_given);
        return SetFromNext(*found, as_given);
      }
      GN_TRY(Set(*found, "true", as_given));
    }
    return Status();
  }

  Status SetFromNext(Flag& flag, const std::string& as_given) {
    while (!rest_.empty() && rest_.front().size() > 1 && rest_.front()[0] == '@') {
      std::string path = rest_.front().substr(1);
      rest_.pop_front();
      GN_TRY(ExpandFile(path));
    }
    // A flag is no value; but "-2h" and "-1" are.
    bool is_flag = !rest_.empty() && rest_.front().size() > 1 && rest_.front()[0] == '-' &&
                   !(rest_.front()[1] >= '0' && rest_.front()[1] <= '9');
    if (rest_.empty() || is_flag) return Invalid(fmt::format("expected argument for flag '{}'", as_given));
    std::string value = std::move(rest_.front());
    rest_.pop_front();
    return Set(flag, value, as_given);
  }

  Status Set(Flag& flag, std::string_view value, std::string_view as_given) {
    if (!flag.warning_.empty() && !flag.given_) Warn(fmt::format("flag {}: {}", as_given, flag.warning_));
    return flag.Set(value, as_given);
  }

  void Warn(std::string text) {
    auto& all = parsed_.warnings;
    if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(std::move(text));
  }

  Status Word(std::string word) {
    if (!command_->commands_.empty()) {
      std::vector<std::string> names;
      for (const auto& sub : command_->commands_) {
        if (sub->name_ == word) {
          command_ = sub.get();
          return Status();
        }
        if (!sub->hidden_) names.push_back(sub->name_);
      }
      if (word == "help" && command_ == &root_) {
        help_command_ = true;
        return Status();
      }
      std::string text = fmt::format("expected command but got \"{}\"", word);
      std::string near = Nearest(word, names);
      if (!near.empty()) text += fmt::format(", did you mean \"{}\"?", near);
      return Invalid(std::move(text));
    }
    if (argument_ == command_->arguments_.size()) return Invalid(fmt::format("unexpected {}", word));
    const auto& spec = command_->arguments_[argument_];
    if (spec.many != nullptr) {
      spec.many->push_back(std::move(word));
    } else {
      *spec.one = std::move(word);
      ++argument_;
    }
    return Status();
  }

  Status CheckComplete() {
    if (help_command_ || (command_ == &root_ && !root_.commands_.empty() && !root_.run_)) {
      if (!help_command_) return Invalid("command not specified");
      BuiltIn("help");
      command_ = nullptr;
      return Status();
    }
    if (!command_->commands_.empty() && !command_->run_) {
      return Invalid(fmt::format("must select a subcommand of '{}'", command_->path()));
    }
    std::vector<std::string> missing;
    EachFlag([&](const Flag& flag) {
      if (flag.required_ && !flag.given_) missing.push_back(fmt::format("'--{}'", flag.name_));
    });
    if (!missing.empty()) return Invalid(fmt::format("required flag(s) {} not provided", fmt::join(missing, ", ")));
    if (argument_ < command_->arguments_.size()) {
      const auto& spec = command_->arguments_[argument_];
      if (spec.required && (spec.many == nullptr || spec.many->empty())) {
        return Invalid(fmt::format("required argument '{}' not provided", spec.name));
      }
    }
    for (const Command* at = command_; at != nullptr; at = at->parent_) {
      for (const ConfigSource* config : at->flags_.configs_) GN_TRY(config->Check());
    }
    return Status();
  }

  Command& root_;
  const std::string& version_;
  std::deque<std::string> rest_;
  Command* command_;
  size_t argument_ = 0;
  int files_ = 0;
  bool only_arguments_ = false, done_ = false, help_command_ = false;
  App::Parsed parsed_;
};

App::App(std::string name, std::string help, std::string version)
    : root_(std::move(name), std::move(help), nullptr), version_(std::move(version)) {}

Result<App::Parsed> App::Parse(std::vector<std::string> arguments) {
  return Parser(root_, version_, std::move(arguments)).Parse();
}

std::map<std::string, std::string> App::Values(const Command& command) const {
  std::map<std::string, std::string> values;
  for (const Command* at = &command; at != nullptr; at = at->parent_) {
    for (const auto& flag : at->flags_.all()) values[flag->name()] = flag->ValueText();
  }
  return values;
}

}  // namespace gauntlet::flags
