#include <fmt/format.h>
#include <yaml.h>

#include <map>
#include <set>
#include <unordered_set>

#include "base/check.h"
#include "config/yaml.h"
#include "config/yaml_scalar.h"

namespace gauntlet::config {

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
    if (key->plain_ && key->text_ == kMergeKey) {
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

}  // namespace gauntlet::config
