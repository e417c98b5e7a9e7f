#include "tsdb/block/meta_json.h"

#include <fmt/format.h>

#include "json/writer.h"

namespace gauntlet::tsdb {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// One past the string that begins at `at` with its quote.
size_t StringEnd(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

// One past the value that begins at `at`, without the space behind it.
size_t ValueEnd(std::string_view text, size_t at) {
  int depth = 0;
  size_t end = at;
  while (at < text.size()) {
    char c = text[at];
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    at = c == '"' ? StringEnd(text, at) : at + 1;
    if (!IsSpace(c)) end = at;
  }
  return end;
}

}  // namespace

std::vector<RawMember> SplitMembers(std::string_view object) {
  std::vector<RawMember> members;
  size_t at = object.find('{') + 1;
  for (;;) {
    while (at < object.size() && (IsSpace(object[at]) || object[at] == ',')) ++at;
    if (at >= object.size() || object[at] != '"') return members;
    size_t key_end = StringEnd(object, at);
    RawMember& member = members.emplace_back();
    member.key = object.substr(at, key_end - at);
    at = object.find(':', key_end) + 1;
    while (at < object.size() && IsSpace(object[at])) ++at;
    size_t end = ValueEnd(object, at);
    member.value = object.substr(at, end - at);
    at = end;
  }
}

std::vector<RawMember> UnknownMembers(std::string_view object, std::initializer_list<std::string_view> known) {
  std::vector<RawMember> members = SplitMembers(object);
  std::erase_if(members, [known](const RawMember& member) {
    for (std::string_view name : known) {
      if (member.key.size() == name.size() + 2 && std::string_view(member.key).substr(1, name.size()) == name) {
        return true;
      }
    }
    return false;
  });
  return members;
}

std::string_view RawMemberValue(const std::vector<RawMember>& members, std::string_view key) {
  for (const RawMember& member : members) {
    if (std::string_view(member.key).substr(1, member.key.size() - 2) == key) return member.value;
  }
  return {};
}

std::string QuotedJson(std::string_view s) {
  std::string out;
  json::AppendQuoted(out, s);
  return out;
}

std::optional<Ulid> JsonFields::AsUlid(json::Value value) {
  auto text = value.String();
  return text ? Ulid::Parse(*text) : std::nullopt;
}

void JsonFields::Fail(std::string_view key) {
  if (status_.ok()) status_ = Status(Code::kCorrupt, fmt::format("{}: {} is wrong", kMetaFile, key));
}

}  // namespace gauntlet::tsdb
