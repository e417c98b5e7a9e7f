#include <yaml.h>

#include "base/check.h"
#include "config/yaml.h"
#include "config/yaml_scalar.h"

namespace gauntlet::config {
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
      if (PlainType(text) != Node::Type::kString || LooksLikeBase60(text) || text == kMergeKey) {
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
