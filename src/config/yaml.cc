#include "config/yaml.h"

#include "config/yaml_scalar.h"

namespace gauntlet::config {

Node::Type Node::type() const {
  if (!plain_ || tagged_string_) return Type::kString;
  return PlainType(text_);
}

std::string_view Node::tag() const {
  if (kind_ == Kind::kSequence) return "!!seq";
  if (kind_ == Kind::kMapping) return "!!map";
  switch (type()) {
    case Type::kNull:
      return "!!null";
    case Type::kBool:
      return "!!bool";
    case Type::kInt:
      return "!!int";
    case Type::kFloat:
      return "!!float";
    case Type::kString:
      return "!!str";
  }
  return "!!str";
}

const Node* Node::Find(std::string_view key) const {
  for (const auto& [name, value] : entries_) {
    if (name->text_ == key) return value.get();
  }
  return nullptr;
}

NodePtr Node::Plain(std::string text) {
  auto node = std::make_shared<Node>();
  node->plain_ = true;
  node->text_ = std::move(text);
  return node;
}

NodePtr Node::String(std::string text) {
  auto node = std::make_shared<Node>();
  node->text_ = std::move(text);
  return node;
}

NodePtr Node::Sequence(std::vector<NodePtr> items) {
  auto node = std::make_shared<Node>();
  node->kind_ = Kind::kSequence;
  node->items_ = std::move(items);
  return node;
}

NodePtr Node::Mapping(std::vector<Entry> entries) {
  auto node = std::make_shared<Node>();
  node->kind_ = Kind::kMapping;
  node->entries_ = std::move(entries);
  return node;
}

}  // namespace gauntlet::config
