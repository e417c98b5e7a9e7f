#include "config/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/byte_size.h"

namespace gauntlet::config {

struct Decoder::Errors {
  std::vector<std::pair<int, std::string>> found;

  Status ToStatus() {
    if (found.empty()) return Status();
    std::sort(found.begin(), found.end());
    std::string text = "yaml: unmarshal errors:";
    for (const auto& [line, message] : found) text += fmt::format("\n  line {}: {}", line, message);
    return Status(Code::kInvalid, std::move(text));
  }
};

void Decoder::Add(int line, std::string message) { errors_.found.emplace_back(line, std::move(message)); }

void Decoder::Mismatch(const Node& node, std::string_view go_type) {
  std::string value;
  if (node.kind() == Node::Kind::kScalar) {
    const std::string& text = node.text();
    value = text.size() > 10 ? fmt::format(" `{}...`", text.substr(0, 7)) : fmt::format(" `{}`", text);
  }
  Add(node.line(), fmt::format("cannot unmarshal {}{} into {}", node.tag(), value, go_type));
}

const Node* Decoder::Take(std::string_view name) {
  seen_.push_back(name);
  return node_.Find(name);
}

const Node* Decoder::TakeScalar(std::string_view name, std::string_view go_type) {
  const Node* node = Take(name);
  if (node == nullptr || node->kind() == Node::Kind::kScalar) return node;
  Mismatch(*node, go_type);
  return nullptr;
}

bool Decoder::Field(std::string_view name, std::string* out) {
  const Node* node = TakeScalar(name, "string");
  if (node == nullptr) return false;
  *out = node->is_null() ? "" : node->text();
  return true;
}

bool Decoder::Field(std::string_view name, Secret* out) {
  const Node* node = TakeScalar(name, "config.Secret");
  if (node == nullptr) return false;
  *out = node->is_null() ? Secret() : Secret(node->text());
  return true;
}

bool Decoder::Field(std::string_view name, bool* out) {
  const Node* node = TakeScalar(name, "bool");
  if (node == nullptr) return false;
  bool value = false;
  if (!node->is_null() && !ToBool(*node, &value)) {
    Mismatch(*node, "bool");
    return false;
  }
  *out = value;
  return true;
}

bool Decoder::Field(std::string_view name, int64_t* out) {
  const Node* node = TakeScalar(name, "int64");
  int64_t value = 0;
  if (node == nullptr) return false;
  if (!node->is_null() && !ToInt(*node, &value)) {
    Mismatch(*node, "int64");
    return false;
  }
  *out = value;
  return true;
}

bool Decoder::Field(std::string_view name, int* out) {
  const Node* node = TakeScalar(name, "int");
  int64_t value = 0;
  if (node == nullptr) return false;
  if ((!node->is_null() && !ToInt(*node, &value)) || value != static_cast<int>(value)) {
    Mismatch(*node, "int");
    return false;
  }
  *out = static_cast<int>(value);
  return true;
}

bool Decoder::Field(std::string_view name, uint64_t* out) {
  const Node* node = TakeScalar(name, "uint64");
  int64_t value = 0;
  if (node == nullptr) return false;
  if ((!node->is_null() && !ToInt(*node, &value)) || value < 0) {
    Mismatch(*node, "uint64");
    return false;
  }
  *out = static_cast<uint64_t>(value);
  return true;
}

bool Decoder::Field(std::string_view name, double* out) {
  const Node* node = TakeScalar(name, "float64");
  double value = 0;
  if (node == nullptr) return false;
  if (!node->is_null() && !ToFloat(*node, &value)) {
    Mismatch(*node, "float64");
    return false;
  }
  *out = value;
  return true;
}

bool Decoder::Field(std::string_view name, std::vector<std::string>* out) {
  const Node* node = Take(name);
  if (node == nullptr) return false;
  std::vector<std::string> values;
  if (node->is_null()) {
    // nothing
  } else if (node->kind() == Node::Kind::kScalar) {
    values.push_back(node->text());  // yaml.v2 takes one scalar for a list of one
  } else if (node->kind() == Node::Kind::kMapping) {
    Mismatch(*node, "[]string");
    return false;
  }
  for (const NodePtr& item : node->items()) {
    if (item->kind() != Node::Kind::kScalar) {
      Mismatch(*item, "string");
      return false;
    }
    values.push_back(item->is_null() ? "" : item->text());
  }
  *out = std::move(values);
  return true;
}

bool Decoder::Field(std::string_view name, std::map<std::string, std::string>* out) {
  const Node* node = Take(name);
  if (node == nullptr) return false;
  if (!node->is_null() && node->kind() != Node::Kind::kMapping) {
    Mismatch(*node, "map[string]string");
    return false;
  }
  std::map<std::string, std::string> values;
  for (const auto& [key, value] : node->entries()) {
    if (value->kind() != Node::Kind::kScalar) {
      Mismatch(*value, "string");
      return false;
    }
    values[key->text()] = value->is_null() ? "" : value->text();
  }
  *out = std::move(values);
  return true;
}

bool Decoder::Field(std::string_view name, std::map<std::string, Secret>* out) {
  std::map<std::string, std::string> values;
  if (!Field(name, &values)) return false;
  out->clear();
  for (auto& [key, value] : values) out->emplace(key, Secret(std::move(value)));
  return true;
}

bool Decoder::Bytes(std::string_view name, uint64_t* out) { return Parsed<uint64_t>(name, out, &ParseByteSize); }

bool Decoder::Below(const Node& node, std::string_view type, const Body& body) {
  if (node.kind() != Node::Kind::kMapping) {
    Mismatch(node, type);
    return false;
  }
  Decoder below(node, type, errors_);
  body(below);
  below.ReportUnknown();
  return true;
}

bool Decoder::Object(std::string_view name, std::string_view type, const Body& body) {
  const Node* node = Take(name);
  return node != nullptr && !node->is_null() && Below(*node, type, body);
}

bool Decoder::Each(std::string_view name, std::string_view type, const Body& body) {
  const Node* node = Take(name);
  if (node == nullptr || node->is_null()) return false;
  if (node->kind() != Node::Kind::kSequence) {
    Mismatch(*node, fmt::format("[]{}", type));
    return false;
  }
  for (const NodePtr& item : node->items()) Below(*item, type, body);
  return true;
}

bool Decoder::Entries(std::string_view name, const std::function<void(const std::string&, const Node&)>& body) {
  const Node* node = Take(name);
  if (node == nullptr || node->is_null()) return false;
  if (node->kind() != Node::Kind::kMapping) {
    Mismatch(*node, "map");
    return false;
  }
  for (const auto& [key, value] : node->entries()) body(key->text(), *value);
  return true;
}

void Decoder::Require(std::string_view name) {
  const Node* node = node_.Find(name);
  if (node == nullptr || node->is_null() || (node->kind() == Node::Kind::kScalar && node->text().empty())) {
    Fail(name, fmt::format("field {} is required in type {}", name, type_));
  }
}

void Decoder::Fail(std::string_view name, std::string_view message) {
  const Node* node = node_.Find(name);
  Add(node == nullptr ? node_.line() : node->line(), std::string(message));
}

bool Decoder::Seen(const std::string& name) const { return std::find(seen_.begin(), seen_.end(), name) != seen_.end(); }

void Decoder::IgnoreOthers(std::vector<std::string>* ignored) {
  for (const auto& [key, value] : node_.entries()) {
    if (Seen(key->text())) continue;
    if (ignored != nullptr) ignored->push_back(fmt::format("field {} not found in type {}", key->text(), type_));
    Ignore(key->text());
  }
}

void Decoder::ReportUnknown() {
  for (const auto& [key, value] : node_.entries()) {
    if (!Seen(key->text())) Add(key->line(), fmt::format("field {} not found in type {}", key->text(), type_));
  }
}

Status DecodeNode(const Node& node, std::string_view type, const Decoder::Body& body) {
  Decoder::Errors errors;
  static const NodePtr kEmpty = Node::Mapping({});
  Decoder decoder(node.is_null() ? *kEmpty : node, type, errors);
  if (decoder.node_.kind() != Node::Kind::kMapping) {
    decoder.Mismatch(node, type);
  } else {
    body(decoder);
    decoder.ReportUnknown();
  }
  return errors.ToStatus();
}

Status DecodeYaml(std::string_view text, std::string_view type, const Decoder::Body& body) {
  GN_ASSIGN(NodePtr node, ParseYaml(text));
  return DecodeNode(*node, type, body);
}

}  // namespace gauntlet::config
