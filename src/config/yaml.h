// YAML: a document as an immutable tree of nodes, and back to text.
//
// Accepts what Go's yaml.v2 accepts: the first document only, YAML 1.1 scalars (yes, 0x1f, .inf), aliases, merge keys
// (<<). Duplicate keys are refused, as its strict mode does.
// Upstream: gopkg.in/yaml.v2
// Threads:  nodes are immutable.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace gauntlet::config {

class Node;
using NodePtr = std::shared_ptr<const Node>;  // an alias shares the node of its anchor

class Node {
 public:
  enum class Kind : uint8_t { kScalar, kSequence, kMapping };
  // What a scalar stands for: quoted ones are always strings.
  enum class Type : uint8_t { kNull, kBool, kInt, kFloat, kString };
  using Entry = std::pair<NodePtr, NodePtr>;

  static NodePtr Plain(std::string text);  // means what it looks like: "12" is a number
  static NodePtr String(std::string text);
  static NodePtr Sequence(std::vector<NodePtr> items);
  // REQUIRES: keys are distinct scalars.
  static NodePtr Mapping(std::vector<Entry> entries);

  Kind kind() const { return kind_; }
  // The type of a scalar, by its text and style. REQUIRES: kind() == kScalar
  Type type() const;
  bool is_null() const { return kind_ == Kind::kScalar && type() == Type::kNull; }
  const std::string& text() const { return text_; }
  bool plain() const { return plain_; }  // neither quoted nor a block scalar
  const std::vector<NodePtr>& items() const { return items_; }
  // In order of appearance; those that came by merge keys last.
  const std::vector<Entry>& entries() const { return entries_; }
  // The value of a key, or null.
  const Node* Find(std::string_view key) const;
  // As Go's errors name it: "!!map", "!!int".
  std::string_view tag() const;
  int line() const { return line_; }  // from 1; 0 for nodes that were not parsed
  int column() const { return column_; }

 private:
  friend class TreeBuilder;
  Kind kind_ = Kind::kScalar;
  bool plain_ = false;
  bool tagged_string_ = false;  // !!str
  int line_ = 0, column_ = 0;
  size_t expanded_ = 1;  // nodes below and this, aliases counted each time
  std::string text_;
  std::vector<NodePtr> items_;
  std::vector<Entry> entries_;
};

struct YamlLimits {
  int depth_max = 100;
  size_t expanded_nodes_max = 4'000'000;  // an alias counts with all it stands for
};

// An empty document is a null scalar. kInvalid "yaml: line N: ..." for text that is not YAML.
Result<NodePtr> ParseYaml(std::string_view text, const YamlLimits& limits = {});

// Values of scalars as yaml.v2 resolves them; false when the node is no such value.
bool ToBool(const Node& node, bool* value);
bool ToInt(const Node& node, int64_t* value);   // also floats without fraction
bool ToFloat(const Node& node, double* value);  // also ints

// Block style in the shape of yaml.v2: two spaces, sequences flush with their key, strings quoted where a plain one
// would read as something else.
std::string EmitYaml(const Node& node);

}  // namespace gauntlet::config
