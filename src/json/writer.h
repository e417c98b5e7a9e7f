// Writer: JSON as a stream of calls, appended to a string. Commas are its business; nesting is the caller's.
//
// Strings are escaped as Go's encoding/json does (for HTML too), floats and times are written as the HTTP API does.
//
// Upstream: Go encoding/json, prometheus util/jsonutil/marshal.go
// Threads:  one thread at a time; borrows its string.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gauntlet::json {

class Writer {
 public:
  explicit Writer(std::string* out) : out_(*out) {}

  Writer& BeginObject() { return Open('{'); }
  Writer& EndObject() { return Close('}'); }
  Writer& BeginArray() { return Open('['); }
  Writer& EndArray() { return Close(']'); }

  // REQUIRES: directly inside an object; one value follows.
  Writer& Key(std::string_view key);

  Writer& String(std::string_view s);
  // A string in which < > & stand as they are: label names and values in query results.
  Writer& PlainString(std::string_view s);
  Writer& Int(int64_t v);
  Writer& Uint(uint64_t v);
  // A JSON number. Go refuses NaN and the infinities; here they become null.
  Writer& Double(double v);
  Writer& Bool(bool v) { return Literal(v ? "true" : "false"); }
  Writer& Null() { return Literal("null"); }
  // A complete JSON value, as it is.
  Writer& Raw(std::string_view json) { return Literal(json); }

  // The API's forms: a float as a string, "1.5" or "NaN"; a time in seconds, 1435781451.781; both as [time, "value"].
  Writer& ApiFloat(double v);
  Writer& ApiTime(int64_t ms);
  Writer& ApiSample(int64_t ms, double v);

  // Short forms for members of objects.
  Writer& StringMember(std::string_view key, std::string_view s) { return Key(key).String(s); }
  Writer& IntMember(std::string_view key, int64_t v) { return Key(key).Int(v); }
  Writer& BoolMember(std::string_view key, bool v) { return Key(key).Bool(v); }

  size_t bytes() const { return out_.size(); }

 private:
  void Separate() {
    if (comma_) out_.push_back(',');
    comma_ = true;
  }
  Writer& Open(char c) {
    Separate();
    out_.push_back(c);
    comma_ = false;
    return *this;
  }
  Writer& Close(char c) {
    out_.push_back(c);
    comma_ = true;
    return *this;
  }
  Writer& Literal(std::string_view json) {
    Separate();
    out_.append(json);
    return *this;
  }

  std::string& out_;
  bool comma_ = false;  // a value stands before the next one, in the same array or object
};

// As Writer::ApiTime, at `out`, which has kApiTimeMax bytes; returns the end.
inline constexpr size_t kApiTimeMax = 24;
char* WriteApiTime(int64_t ms, char* out);

// Appends `s` with its quotes, escaped as Writer::String does (`html`), or as Writer::PlainString.
void AppendQuoted(std::string& out, std::string_view s, bool html = true);

}  // namespace gauntlet::json
