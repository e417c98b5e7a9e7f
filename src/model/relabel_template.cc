#include "model/relabel_template.h"

namespace gauntlet {
namespace {

bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }
// Go takes any letter; a byte above ASCII is part of one, or of nothing that a group could be called.
bool IsNameByte(char c) {
  return IsAsciiDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// The reference at the front of `text`, after its '$': its name, and where the text goes on. Empty when it is none.
std::string_view ReferenceName(std::string_view text, size_t* end) {
  bool brace = text.starts_with('{');
  size_t begin = brace ? 1 : 0, at = begin;
  while (at < text.size() && IsNameByte(text[at])) ++at;
  if (at == begin || (brace && (at == text.size() || text[at] != '}'))) return {};
  *end = at + (brace ? 1 : 0);
  return text.substr(begin, at - begin);
}

}  // namespace

RelabelTemplate::RelabelTemplate(std::string_view text, const std::vector<std::string>& group_names) {
  parts_.emplace_back();
  while (!text.empty()) {
    size_t dollar = std::min(text.find('$'), text.size());
    parts_.back().literal += text.substr(0, dollar);
    if (dollar == text.size()) break;
    text.remove_prefix(dollar + 1);
    size_t end = 0;
    if (text.starts_with('$')) {
      parts_.back().literal += '$';
      text.remove_prefix(1);
    } else if (std::string_view name = ReferenceName(text, &end); !name.empty()) {
      AddReference(name, group_names);
      text.remove_prefix(end);
    } else {
      parts_.back().literal += '$';
    }
  }
}

// A name that reads as a number is one, unless it starts with a zero.
void RelabelTemplate::AddReference(std::string_view name, const std::vector<std::string>& group_names) {
  constexpr size_t kNumberMax = 100'000'000;
  bool number = name == "0" || name[0] != '0';
  size_t index = 0;
  for (char c : name) {
    number = number && IsAsciiDigit(c) && index < kNumberMax;
    if (number) index = index * 10 + static_cast<size_t>(c - '0');
  }
  std::vector<size_t> groups;
  for (size_t i = 0; i < group_names.size(); ++i) {
    if (number ? i == index : group_names[i] == name) groups.push_back(i);
  }
  if (groups.empty()) return;  // nothing to insert
  parts_.back().groups = std::move(groups);
  parts_.emplace_back();
}

std::string RelabelTemplate::Expand(const std::vector<std::string_view>& captures) const {
  std::string out;
  for (const Part& part : parts_) {
    out += part.literal;
    for (size_t group : part.groups) {
      if (captures[group].data() == nullptr) continue;
      out += captures[group];
      break;
    }
  }
  return out;
}

}  // namespace gauntlet
