// Pieces of meta.json for those who read and write its sections: members kept as they stand, fields, Go's indentation.
//
// Format:   docs/format/meta.md      Upstream: Go encoding/json, MarshalIndent with tabs
// Threads:  values; one thread at a time.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/ulid.h"
#include "json/reader.h"

namespace gauntlet::tsdb {

inline constexpr char kMetaFile[] = "meta.json";

// A member of a JSON object as it stands in the file: the key with its quotes, the value with its line breaks.
struct RawMember {
  std::string key, value;
  bool operator==(const RawMember&) const = default;
};

// The members of a JSON object that has been parsed before.
std::vector<RawMember> SplitMembers(std::string_view object);
// The members but for the known ones.
std::vector<RawMember> UnknownMembers(std::string_view object, std::initializer_list<std::string_view> known);
// The value of a member, or "".
std::string_view RawMemberValue(const std::vector<RawMember>& members, std::string_view key);
// With its quotes.
std::string QuotedJson(std::string_view s);

// Reads members, and keeps the first error.
class JsonFields {
 public:
  explicit JsonFields(json::Value object) : object_(object) {}

  void Int(std::string_view key, int64_t* out) { Take(key, object_.Get(key).Int(), out); }
  void Uint(std::string_view key, uint64_t* out) { Take(key, object_.Get(key).Uint(), out); }
  void Bool(std::string_view key, bool* out) { Take(key, object_.Get(key).Bool(), out); }
  void String(std::string_view key, std::string* out) {
    if (auto text = object_.Get(key).String()) {
      *out = *text;
    } else if (object_.Get(key).exists() && !object_.Get(key).is_null()) {
      Fail(key);
    }
  }
  void UlidText(std::string_view key, Ulid* out) { Take(key, AsUlid(object_.Get(key)), out); }
  template <typename Body>
  void Each(std::string_view key, const Body& body) {
    json::Value list = object_.Get(key);
    if (list.exists() && !list.is_null() && !list.is_array()) Fail(key);
    for (size_t i = 0; i < list.size(); ++i) {
      if (!body(list[i])) Fail(key);
    }
  }
  static std::optional<Ulid> AsUlid(json::Value value);
  void Fail(std::string_view key);
  const Status& status() const { return status_; }

 private:
  template <typename T>
  void Take(std::string_view key, std::optional<T> value, T* out) {
    if (value) {
      *out = *value;
    } else if (object_.Get(key).exists() && !object_.Get(key).is_null()) {
      Fail(key);
    }
  }

  json::Value object_;
  Status status_;
};

// An object or list as Go's MarshalIndent writes it.
class IndentedJson {
 public:
  IndentedJson(std::string* out, int depth, char open) : out_(*out), depth_(depth), close_(open == '{' ? '}' : ']') {
    out_ += open;
  }
  // Begins a member; its value follows.
  void Key(std::string_view quoted) {
    Item();
    out_.append(quoted).append(": ");
  }
  void Item() {
    if (!empty_) out_ += ',';
    empty_ = false;
    out_ += '\n';
    out_.append(static_cast<size_t>(depth_) + 1, '\t');
  }
  void Uint(std::string_view key, uint64_t v) {
    if (v == 0) return;
    Key(key);
    out_ += std::to_string(v);
  }
  void Int(std::string_view key, int64_t v) {
    Key(key);
    out_ += std::to_string(v);
  }
  void True(std::string_view key, bool v) {
    if (!v) return;
    Key(key);
    out_ += "true";
  }
  void Raw(const std::vector<RawMember>& members) {
    for (const RawMember& member : members) {
      Key(member.key);
      out_ += member.value;
    }
  }
  void End() {
    if (!empty_) {
      out_ += '\n';
      out_.append(static_cast<size_t>(depth_), '\t');
    }
    out_ += close_;
  }

 private:
  std::string& out_;
  int depth_;
  char close_;
  bool empty_ = true;
};

}  // namespace gauntlet::tsdb
