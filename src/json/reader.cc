// rapidjson's event reader (its document.h does not compile with clang 19) fills a tree of 16-byte nodes: the children
// of a container lie side by side in one array, all string bytes in one string.

#include "json/reader.h"

// rapidjson's empty stack adds to a null pointer, which the undefined behaviour sanitizer reports.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#if defined(__clang__)
#pragma clang attribute pop
#endif

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "base/check.h"

namespace gauntlet::json {

struct Node {
  enum class Number : uint8_t { kInt, kUint, kDouble };  // kUint: only what does not fit kInt
  Type type = Type::kNull;
  Number number = Number::kInt;
  uint32_t count = 0;  // bytes of a string, elements of an array, members of an object (each a key and a value)
  union {
    bool boolean;
    int64_t signed_int;
    uint64_t unsigned_int;
    double real;
    uint64_t start = 0;  // of a string in text_, of the children in children_
  };
};

class Tree {
 public:
  const Node& root() const { return root_; }
  const Node* ChildrenOf(const Node& node) const { return children_.data() + node.start; }
  std::string_view TextOf(const Node& node) const { return std::string_view(text_).substr(node.start, node.count); }

 private:
  friend class Builder;
  Node root_;
  std::vector<Node> children_;
  std::string text_;
};

// rapidjson's handler. Values wait in `open_` until their container ends.
class Builder {
 public:
  Builder(Tree& tree, size_t depth_max) : tree_(tree), depth_max_(depth_max) {}

  void Finish() {
    GN_CHECK(open_.size() == 1);
    tree_.root_ = open_[0];
  }

  bool Null() { return Push(Type::kNull), true; }
  bool Bool(bool v) { return Push(Type::kBool).boolean = v, true; }
  // rapidjson's own conversion of numbers is undefined for "0e79" and the like; it only finds them.
  bool RawNumber(const char* s, rapidjson::SizeType n, bool) {
    std::string_view digits(s, n);
    Node& node = Push(Type::kNumber);
    bool whole = digits.find_first_of(".eE") == std::string_view::npos && digits != "-0";
    if (whole && Convert(digits, &node.signed_int)) return true;
    node.number = Node::Number::kUint;
    if (whole && Convert(digits, &node.unsigned_int)) return true;
    node.number = Node::Number::kDouble;
    return ConvertDouble(digits, &node.real);
  }
  bool Int(int) { return false; }  // these come only without the flag for raw numbers
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  bool number_too_large() const { return number_too_large_; }
  bool String(const char* s, rapidjson::SizeType n, bool) {
    Node& node = Push(Type::kString);
    node.start = tree_.text_.size();
    node.count = n;
    tree_.text_.append(s, n);
    return true;
  }
  bool Key(const char* s, rapidjson::SizeType n, bool copy) { return String(s, n, copy); }
  bool StartObject() { return ++depth_ <= depth_max_; }
  bool StartArray() { return ++depth_ <= depth_max_; }
  bool EndObject(rapidjson::SizeType members) { return Gather(Type::kObject, members, size_t{2} * members); }
  bool EndArray(rapidjson::SizeType elements) { return Gather(Type::kArray, elements, elements); }

 private:
  Node& Push(Type type) {
    Node& node = open_.emplace_back();
    node.type = type;
    return node;
  }
  template <typename T>
  static bool Convert(std::string_view digits, T* v) {
    return std::from_chars(digits.data(), digits.data() + digits.size(), *v).ec == std::errc();
  }
  bool ConvertDouble(std::string_view digits, double* v) {
    if (Convert(digits, v)) return true;
    // Out of range: too small is zero or a denormal, too large is an error.
    *v = std::strtod(std::string(digits).c_str(), nullptr);
    number_too_large_ = std::isinf(*v);
    return !number_too_large_;
  }
  bool Gather(Type type, uint32_t count, size_t nodes) {
    --depth_;
    Node container;
    container.type = type;
    container.count = count;
    container.start = tree_.children_.size();
    auto first = open_.end() - static_cast<std::ptrdiff_t>(nodes);
    tree_.children_.insert(tree_.children_.end(), first, open_.end());
    open_.erase(first, open_.end());
    open_.push_back(container);
    return true;
  }

  Tree& tree_;
  const size_t depth_max_;
  size_t depth_ = 0;
  bool number_too_large_ = false;
  std::vector<Node> open_;
};

std::string_view TypeName(Type type) {
  constexpr std::string_view kNames[] = {"absent", "null", "bool", "number", "string", "array", "object"};
  return kNames[static_cast<size_t>(type)];
}

Type Value::type() const { return node_ ? node_->type : Type::kAbsent; }

std::optional<bool> Value::Bool() const {
  if (type() != Type::kBool) return std::nullopt;
  return node_->boolean;
}

std::optional<double> Value::Double() const {
  if (!is_number()) return std::nullopt;
  switch (node_->number) {
    case Node::Number::kInt:
      return static_cast<double>(node_->signed_int);
    case Node::Number::kUint:
      return static_cast<double>(node_->unsigned_int);
    case Node::Number::kDouble:
      break;
  }
  return node_->real;
}

std::optional<int64_t> Value::Int() const {
  if (!is_number() || node_->number != Node::Number::kInt) return std::nullopt;
  return node_->signed_int;
}

std::optional<uint64_t> Value::Uint() const {
  if (!is_number() || node_->number == Node::Number::kDouble) return std::nullopt;
  if (node_->number == Node::Number::kInt && node_->signed_int < 0) return std::nullopt;
  return node_->unsigned_int;
}

std::optional<std::string_view> Value::String() const {
  if (!is_string()) return std::nullopt;
  return tree_->TextOf(*node_);
}

size_t Value::size() const { return is_array() || is_object() ? node_->count : 0; }

Value Value::operator[](size_t i) const {
  GN_CHECK(i < size());
  return Value(tree_, tree_->ChildrenOf(*node_) + (is_array() ? i : 2 * i + 1));
}

std::string_view Value::key(size_t i) const {
  GN_CHECK(is_object() && i < size());
  return tree_->TextOf(tree_->ChildrenOf(*node_)[2 * i]);
}

Value Value::Get(std::string_view wanted) const {
  if (!is_object()) return Value();
  for (size_t i = size(); i > 0; --i) {
    if (key(i - 1) == wanted) return (*this)[i - 1];
  }
  return Value();
}

Document::Document(std::unique_ptr<const Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Value Document::root() const { return Value(tree_.get(), &tree_->root()); }

Result<Document> Document::Parse(std::string_view text, const ReadOptions& options) {
  // The iterative parser, so that depth costs no stack.
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  auto tree = std::make_unique<Tree>();
  Builder builder(*tree, options.depth_max);
  rapidjson::Reader reader;
  rapidjson::MemoryStream bytes(text.data(), text.size());
  reader.Parse<kFlags>(bytes, builder);
  if (!reader.HasParseError() && bytes.Tell() != text.size()) {  // rapidjson takes a NUL for the end
    return Status(Code::kCorrupt, "json at byte " + std::to_string(bytes.Tell()) + ": a NUL after the value");
  }
  if (!reader.HasParseError()) {
    builder.Finish();
    return Document(std::unique_ptr<const Tree>(std::move(tree)));
  }
  rapidjson::ParseErrorCode code = reader.GetParseErrorCode();
  std::string why = code != rapidjson::kParseErrorTermination ? rapidjson::GetParseError_En(code)
                    : builder.number_too_large()              ? "number too large"
                                                 : "nested more than " + std::to_string(options.depth_max) + " deep";
  return Status(Code::kCorrupt, "json at byte " + std::to_string(reader.GetErrorOffset()) + ": " + why);
}

}  // namespace gauntlet::json
