// Document: JSON text parsed into an immutable tree; Value: a place in it.
//
// Reading is forgiving where code wants defaults (a missing member is a Value that is absent) and strict where bytes
// are wrong: an error names the byte. Of members with the same key the last counts, as in Go.
//
// Threads:  immutable after Parse.           Owns: the tree; values and their strings die with their Document.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::json {

enum class Type : uint8_t { kAbsent, kNull, kBool, kNumber, kString, kArray, kObject };

std::string_view TypeName(Type type);  // "object"

class Tree;
struct Node;

// Cheap to copy.
class Value {
 public:
  Value() = default;
  Value(const Tree* tree, const Node* node) : tree_(tree), node_(node) {}

  Type type() const;
  bool exists() const { return node_ != nullptr; }
  bool is_null() const { return type() == Type::kNull; }
  bool is_string() const { return type() == Type::kString; }
  bool is_number() const { return type() == Type::kNumber; }
  bool is_array() const { return type() == Type::kArray; }
  bool is_object() const { return type() == Type::kObject; }

  // Nothing when it is of another type. Int: also when the number has a fraction or does not fit.
  std::optional<bool> Bool() const;
  std::optional<double> Double() const;
  std::optional<int64_t> Int() const;
  std::optional<uint64_t> Uint() const;
  std::optional<std::string_view> String() const;

  // Elements of an array or members of an object; 0 for anything else.
  size_t size() const;
  // REQUIRES: i < size(). Of an object, the value of its member i.
  Value operator[](size_t i) const;
  // REQUIRES: an object, i < size().
  std::string_view key(size_t i) const;
  // The member of an object; absent when there is none or this is no object. Walks the members.
  Value Get(std::string_view key) const;

 private:
  const Tree* tree_ = nullptr;
  const Node* node_ = nullptr;
};

struct ReadOptions {
  size_t depth_max = 200;
};

class Document {
 public:
  // kCorrupt "json at byte 17: Missing a comma or '}' after an object member." One value and nothing but space after
  // it.
  static Result<Document> Parse(std::string_view text, const ReadOptions& options = {});
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  Value root() const;

 private:
  explicit Document(std::unique_ptr<const Tree> tree);
  std::unique_ptr<const Tree> tree_;
};

}  // namespace gauntlet::json
