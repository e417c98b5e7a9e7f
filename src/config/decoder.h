// Decoder: reads a YAML mapping into a struct, strictly: every mistake is reported with its line, in Go's words.
//
//   Status status = DecodeYaml(text, "config.Target", [&](Decoder& d) {
//     d.Field("address", &target.address);
//     d.Field("weight", &target.weight);
//     d.Object("tls_config", "config.TLSConfig", [&](Decoder& tls) { tls.Field("ca_file", &target.ca_file); });
//   });
//
// An absent field leaves its default; a null one becomes empty or 0, as yaml.v2 has it. A field that no call named is
// an error. Threads: one thread at a time.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/secret.h"
#include "config/yaml.h"

namespace gauntlet::config {

class Decoder {
 public:
  using Body = std::function<void(Decoder&)>;

  // Each reads one field; false (nothing written) when it is absent or wrong.
  bool Field(std::string_view name, std::string* out);
  bool Field(std::string_view name, Secret* out);
  bool Field(std::string_view name, bool* out);
  bool Field(std::string_view name, int* out);
  bool Field(std::string_view name, int64_t* out);
  bool Field(std::string_view name, uint64_t* out);
  bool Field(std::string_view name, double* out);
  bool Field(std::string_view name, std::vector<std::string>* out);
  bool Field(std::string_view name, std::map<std::string, std::string>* out);
  bool Field(std::string_view name, std::map<std::string, Secret>* out);
  // A scalar that `parse` understands: durations, sizes, enums. Its error becomes the field's.
  template <typename T>
  bool Parsed(std::string_view name, T* out, Result<T> (*parse)(std::string_view)) {
    std::string text;
    if (!Field(name, &text)) return false;
    if (IsNull(name)) {
      *out = T{};
      return true;
    }
    Result<T> value = parse(text);
    if (!value.ok()) {
      Fail(name, value.status().message());
      return false;
    }
    *out = *std::move(value);
    return true;
  }
  // "1GiB", "250MB" (of 1024 all the same), "0".
  bool Bytes(std::string_view name, uint64_t* out);

  // A mapping below. Null counts as absent.
  bool Object(std::string_view name, std::string_view type, const Body& body);
  // A list of mappings: `body` once for each.
  bool Each(std::string_view name, std::string_view type, const Body& body);
  // A mapping with free keys: `body` gets key and value.
  bool Entries(std::string_view name, const std::function<void(const std::string&, const Node&)>& body);
  // The node itself, for what the calls above do not cover; null when absent.
  const Node* Take(std::string_view name);
  // Accepts the field and forgets it.
  void Ignore(std::string_view name) { Take(name); }
  // Accepts all fields that no call named so far, where the original does; `ignored` gets "field x not found in type
  // T".
  void IgnoreOthers(std::vector<std::string>* ignored = nullptr);

  bool Has(std::string_view name) const { return node_.Find(name) != nullptr; }
  bool IsNull(std::string_view name) const { return Has(name) && node_.Find(name)->is_null(); }
  // The field must be there, not null, and not an empty string.
  void Require(std::string_view name);
  // Records "line N: message"; N is the field's line, or the mapping's for an empty name.
  void Fail(std::string_view name, std::string_view message);
  const Node& node() const { return node_; }

 private:
  friend Status DecodeNode(const Node&, std::string_view, const Body&);
  struct Errors;
  Decoder(const Node& node, std::string_view type, Errors& errors) : node_(node), type_(type), errors_(errors) {}

  const Node* TakeScalar(std::string_view name, std::string_view go_type);
  void Mismatch(const Node& node, std::string_view go_type);
  void Add(int line, std::string message);
  // Runs `body` over a mapping below, or records that it is none.
  bool Below(const Node& node, std::string_view type, const Body& body);
  void ReportUnknown();
  bool Seen(const std::string& name) const;

  const Node& node_;
  const std::string_view type_;
  Errors& errors_;
  std::vector<std::string_view> seen_;
};

// `type` is the name in errors: "field x not found in type T". All errors of the document come in one Status:
// "yaml: unmarshal errors:\n  line 2: ...". A null document decodes as an empty mapping.
Status DecodeYaml(std::string_view text, std::string_view type, const Decoder::Body& body);
Status DecodeNode(const Node& node, std::string_view type, const Decoder::Body& body);

}  // namespace gauntlet::config
