#include "config/yaml.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <unordered_set>

#include "base/check.h"

namespace gauntlet::config {
namespace {

constexpr std::string_view kMerge = "<<";

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool IsNullText(std::string_view text) { return text.empty() || IsOneOf(text, {"~", "null", "Null", "NULL"}); }

bool BoolText(std::string_view text, bool* value) {
  if (IsOneOf(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) {
    *value = true;
    return true;
  }
  *value = false;
  return IsOneOf(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"});
}

// Go's ParseInt(text, 0, 64) after underscores were taken out: 0x, 0b, 0o and a leading 0 choose the base.
bool IntText(std::string_view text, int64_t* value) {
  std::string digits;
  for (char c : text) {
    if (c != '_') digits += c;
  }
  std::string_view rest = digits;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  int base = 10;
  if (rest.size() > 1 && rest[0] == '0') {
    char mark = static_cast<char>(rest[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    rest.remove_prefix(base == 8 && mark != 'o' ? 1 : 2);
  }
  uint64_t magnitude = 0;
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), magnitude, base);
  if (rest.empty() || error != std::errc() || end != rest.data() + rest.size()) return false;
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (magnitude > kMax + (negative ? 1 : 0)) return false;
  *value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? and the words for infinities and NaN.
bool FloatText(std::string_view text, double* value) {
  if (IsOneOf(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) {
    *value = HUGE_VAL;
    return true;
  }
  if (IsOneOf(text, {"-.inf", "-.Inf", "-.INF"})) {
    *value = -HUGE_VAL;
    return true;
  }
  if (IsOneOf(text, {".nan", ".NaN", ".NAN"})) {
    *value = std::nan("");
    return true;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  std::string_view first = text.starts_with('-') ? text.substr(1) : text;
  if (first.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return false;
  if (first[0] != '.' && (first[0] < '0' || first[0] > '9')) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) *value = std::strtod(std::string(text).c_str(), nullptr);
  return true;
}

Node::Type PlainType(std::string_view text) {
  bool b;
  int64_t i;
  double d;
  if (IsNullText(text)) return Node::Type::kNull;
  if (BoolText(text, &b)) return Node::Type::kBool;
  if (IntText(text, &i)) return Node::Type::kInt;
  if (FloatText(text, &d)) return Node::Type::kFloat;
  return Node::Type::kString;
}

// "12:30": a number of base 60 to YAML 1.1; yaml.v2 reads it as a string but writes it in quotes for those that do not.
bool LooksLikeBase60(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text[0] >= '0' && text[0] <= '9' && text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789_:.") == std::string_view::npos;
}

}  // namespace

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

bool ToBool(const Node& node, bool* value) {
  return node.kind() == Node::Kind::kScalar && node.type() == Node::Type::kBool && BoolText(node.text(), value);
}

bool ToInt(const Node& node, int64_t* value) {
  if (node.kind() != Node::Kind::kScalar) return false;
  Node::Type type = node.type();
  if (type == Node::Type::kInt) return IntText(node.text(), value);
  double d = 0;
  if (type != Node::Type::kFloat || !FloatText(node.text(), &d)) return false;
  if (!(std::fabs(d) < 9.2e18) || d != std::trunc(d)) return false;
  *value = static_cast<int64_t>(d);
  return true;
}

bool ToFloat(const Node& node, double* value) {
  if (node.kind() != Node::Kind::kScalar) return false;
  Node::Type type = node.type();
  int64_t i = 0;
  if (type == Node::Type::kInt && IntText(node.text(), &i)) {
    *value = static_cast<double>(i);
    return true;
  }
  return type == Node::Type::kFloat && FloatText(node.text(), value);
}

// Turns libyaml's events into nodes: one open collection per level on a stack, so that depth is bounded by the limit
// and not by the machine's stack.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, const YamlLimits& limits) : limits_(limits) {
    GN_CHECK(yaml_parser_initialize(&parser_) == 1);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  }
  ~TreeBuilder() { yaml_parser_delete(&parser_); }
  TreeBuilder(const TreeBuilder&) = delete;
  TreeBuilder& operator=(const TreeBuilder&) = delete;

  Result<NodePtr> Build() {
    while (!done_) {
      yaml_event_t event;
      if (yaml_parser_parse(&parser_, &event) == 0) return ParserError();
      Status status = Handle(event);
      yaml_event_delete(&event);
      GN_TRY(std::move(status));
    }
    return root_ != nullptr ? root_ : Node::Plain("");
  }

 private:
  struct Open {
    std::shared_ptr<Node> node;
    std::string anchor;
    NodePtr key;                  // of a mapping: waits for its value
    std::vector<NodePtr> merges;  // values of <<
    std::unordered_set<std::string> keys;
  };

  static Status Error(int line, std::string_view what) {
    return Status(Code::kInvalid, fmt::format("yaml: line {}: {}", line, what));
  }

  Status ParserError() const {
    if (parser_.error == YAML_MEMORY_ERROR) return Status(Code::kExhausted, "yaml: out of memory");
    // Errors of the reader (bad encoding) carry an offset only.
    if (parser_.error == YAML_READER_ERROR) {
      return Status(Code::kInvalid, fmt::format("yaml: byte {}: {}", parser_.problem_offset, parser_.problem));
    }
    return Error(static_cast<int>(parser_.problem_mark.line) + 1,
                 parser_.problem != nullptr ? parser_.problem : "unknown problem parsing YAML content");
  }

  static std::string Text(const yaml_char_t* text) {
    return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
  }

  static std::shared_ptr<Node> Make(Node::Kind kind, const yaml_event_t& event) {
    auto node = std::make_shared<Node>();
    node->kind_ = kind;
    node->line_ = static_cast<int>(event.start_mark.line) + 1;
    node->column_ = static_cast<int>(event.start_mark.column) + 1;
    return node;
  }

  Status Handle(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_SCALAR_EVENT: {
        auto node = Make(Node::Kind::kScalar, event);
        const auto& scalar = event.data.scalar;
        node->text_.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
        std::string tag = Text(scalar.tag);
        node->plain_ = scalar.style == YAML_PLAIN_SCALAR_STYLE ||
                       (!tag.empty() && tag != YAML_STR_TAG && tag != "!" && tag.starts_with("tag:yaml.org,2002:"));
        node->tagged_string_ = tag == YAML_STR_TAG || tag == "!";
        return Add(node, Text(scalar.anchor));
      }
      case YAML_SEQUENCE_START_EVENT:
        return Begin(Make(Node::Kind::kSequence, event), Text(event.data.sequence_start.anchor));
      case YAML_MAPPING_START_EVENT:
        return Begin(Make(Node::Kind::kMapping, event), Text(event.data.mapping_start.anchor));
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return End();
      case YAML_ALIAS_EVENT:
        return Alias(Text(event.data.alias.anchor), static_cast<int>(event.start_mark.line) + 1);
      case YAML_DOCUMENT_END_EVENT:
      case YAML_STREAM_END_EVENT:
        done_ = true;
        return Status();
      default:
        return Status();
    }
  }

  Status Begin(std::shared_ptr<Node> node, std::string anchor) {
    if (static_cast<int>(stack_.size()) >= limits_.depth_max) {
      return Error(node->line_, fmt::format("nested deeper than {} levels", limits_.depth_max));
    }
    if (!anchor.empty()) open_anchors_.insert(anchor);
    Open open;
    open.node = std::move(node);
    open.anchor = std::move(anchor);
    stack_.push_back(std::move(open));
    return Status();
  }

  Status End() {
    Open open = std::move(stack_.back());
    stack_.pop_back();
    for (const NodePtr& merge : open.merges) GN_TRY(Merge(open, *merge));
    open_anchors_.erase(open.anchor);
    return Add(open.node, open.anchor);
  }

  Status Alias(const std::string& anchor, int line) {
    if (open_anchors_.contains(anchor)) return Error(line, fmt::format("anchor '{}' value contains itself", anchor));
    auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return Error(line, fmt::format("unknown anchor '{}' referenced", anchor));
    return Attach(found->second, line);
  }

  Status Add(const std::shared_ptr<Node>& node, const std::string& anchor) {
    if (!anchor.empty()) anchors_[anchor] = node;
    return Attach(node, node->line_);
  }

  // Gives a finished node to the collection that is open.
  Status Attach(NodePtr node, int line) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return Status();
    }
    Open& open = stack_.back();
    open.node->expanded_ += node->expanded_;
    if (open.node->expanded_ > limits_.expanded_nodes_max) {
      return Error(line, "document contains excessive aliasing");
    }
    if (open.node->kind_ == Node::Kind::kSequence) {
      open.node->items_.push_back(std::move(node));
      return Status();
    }
    if (open.key == nullptr) {
      if (node->kind_ != Node::Kind::kScalar) return Error(line, fmt::format("invalid map key: {}", node->tag()));
      open.key = std::move(node);
      return Status();
    }
    NodePtr key = std::move(open.key);
    open.key = nullptr;
    if (key->plain_ && key->text_ == kMerge) {
      open.merges.push_back(std::move(node));
      return Status();
    }
    if (!open.keys.insert(key->text_).second) {
      return Error(key->line_, fmt::format("key \"{}\" already set in map", key->text_));
    }
    open.node->entries_.emplace_back(std::move(key), std::move(node));
    return Status();
  }

  // Entries that the mapping does not have itself; of several merged mappings the first wins.
  Status Merge(Open& open, const Node& from) {
    if (from.kind_ == Node::Kind::kSequence) {
      for (const NodePtr& item : from.items_) {
        if (item->kind_ == Node::Kind::kSequence) return Error(from.line_, kMergeError);
        GN_TRY(Merge(open, *item));
      }
      return Status();
    }
    if (from.kind_ != Node::Kind::kMapping) return Error(from.line_, kMergeError);
    for (const auto& entry : from.entries_) {
      if (open.keys.insert(entry.first->text_).second) open.node->entries_.push_back(entry);
    }
    return Status();
  }

  static constexpr std::string_view kMergeError = "map merge requires map or sequence of maps as the value";

  const YamlLimits limits_;
  yaml_parser_t parser_;
  std::vector<Open> stack_;
  std::map<std::string, NodePtr> anchors_;
  std::set<std::string> open_anchors_;
  NodePtr root_;
  bool done_ = false;
};

Result<NodePtr> ParseYaml(std::string_view text, const YamlLimits& limits) { return TreeBuilder(text, limits).Build(); }

namespace {

class Emitter {
 public:
  explicit Emitter(std::string& out) {
    GN_CHECK(yaml_emitter_initialize(&emitter_) == 1);
    yaml_emitter_set_output(
        &emitter_,
        [](void* to, unsigned char* bytes, size_t size) {
          static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), size);
          return 1;
        },
        &out);
    yaml_emitter_set_unicode(&emitter_, 1);
    yaml_emitter_set_width(&emitter_, -1);
  }
  ~Emitter() { yaml_emitter_delete(&emitter_); }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  void Document(const Node& root) {
    yaml_event_t event;
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    Emit(event);
    yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
    Emit(event);
    Value(root);
    yaml_document_end_event_initialize(&event, 1);
    Emit(event);
    yaml_stream_end_event_initialize(&event);
    Emit(event);
  }

 private:
  void Emit(yaml_event_t& event) { GN_CHECK(yaml_emitter_emit(&emitter_, &event) == 1); }

  void Value(const Node& node) {
    yaml_event_t event;
    if (node.kind() == Node::Kind::kScalar) {
      Scalar(node);
    } else if (node.kind() == Node::Kind::kSequence) {
      yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_SEQUENCE_STYLE);
      Emit(event);
      for (const NodePtr& item : node.items()) Value(*item);
      yaml_sequence_end_event_initialize(&event);
      Emit(event);
    } else {
      yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_MAPPING_STYLE);
      Emit(event);
      for (const auto& [key, value] : node.entries()) {
        Scalar(*key);
        Value(*value);
      }
      yaml_mapping_end_event_initialize(&event);
      Emit(event);
    }
  }

  void Scalar(const Node& node) {
    const std::string text = node.is_null() ? "null" : node.text();
    yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;
    if (node.type() == Node::Type::kString) {
      if (PlainType(text) != Node::Type::kString || LooksLikeBase60(text) || text == kMerge) {
        style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
      } else if (text.find('\n') != std::string::npos) {
        style = YAML_LITERAL_SCALAR_STYLE;
      }
    }
    yaml_event_t event;
    // Trees are made from valid UTF-8; libyaml refuses anything else here.
    if (yaml_scalar_event_initialize(&event, nullptr, nullptr, reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()), 1, 1, style) == 0) {
      yaml_scalar_event_initialize(&event, nullptr, nullptr, reinterpret_cast<const unsigned char*>("?"), 1, 1, 1,
                                   YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    }
    Emit(event);
  }

  yaml_emitter_t emitter_;
};

}  // namespace

std::string EmitYaml(const Node& node) {
  std::string out;
  Emitter(out).Document(node);
  return out;
}

}  // namespace gauntlet::config
