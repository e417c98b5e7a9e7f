#include "objstore/xml.h"

#include <charconv>
#include <cstdint>

namespace gauntlet::objstore {
namespace {

constexpr int kDepthMax = 64;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void AppendUtf8(uint32_t c, std::string* out) {
  if (c < 0x80) {
    *out += static_cast<char>(c);
  } else if (c < 0x800) {
    *out += static_cast<char>(0xC0 | c >> 6);
    *out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    *out += static_cast<char>(0xE0 | c >> 12);
    *out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    *out += static_cast<char>(0xF0 | c >> 18);
    *out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    *out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<XmlNode> Document() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    GN_TRY(SkipMisc());
    XmlNode root;
    GN_TRY(Element(&root, 0));
    GN_TRY(SkipMisc());
    if (at_ != text_.size()) return Wrong("bytes after the root element");
    return root;
  }

 private:
  Status Wrong(std::string_view what) const {
    return {Code::kCorrupt, "xml at byte " + std::to_string(at_) + ": " + std::string(what)};
  }
  bool Take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  Status SkipPast(std::string_view token) {
    size_t found = text_.find(token, at_);
    if (found == std::string_view::npos) return Wrong("no " + std::string(token));
    at_ = found + token.size();
    return Status();
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  // Space, comments and processing instructions.
  Status SkipMisc() {
    while (true) {
      SkipSpace();
      if (Take("<?")) {
        GN_TRY(SkipPast("?>"));
      } else if (Take("<!--")) {
        GN_TRY(SkipPast("-->"));
      } else {
        return Status();
      }
    }
  }
  std::string_view Name() {
    size_t begin = at_;
    while (at_ < text_.size() && !IsSpace(text_[at_]) && text_.find_first_of("<>/=", at_) != at_) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Status Element(XmlNode* node, int depth) {
    if (depth > kDepthMax) return Wrong("too deep");
    if (!Take("<")) return Wrong("no element");
    std::string_view name = Name();
    if (name.empty() || name.front() == '!') return Wrong("no element's name");
    node->name = name.substr(name.find(':') + 1);
    GN_TRY(SkipAttributes());
    if (Take("/>")) return Status();
    if (!Take(">")) return Wrong("no end of a tag");
    while (true) {
      if (at_ == text_.size()) return Wrong("no end of " + node->name);
      if (text_[at_] != '<') {
        GN_TRY(Text(&node->text));
      } else if (Take("</")) {
        if (Name() != name) return Wrong("the end of another element than " + node->name);
        SkipSpace();
        return Take(">") ? Status() : Wrong("no end of a tag");
      } else if (Take("<!--")) {
        GN_TRY(SkipPast("-->"));
      } else if (Take("<![CDATA[")) {
        size_t begin = at_;
        GN_TRY(SkipPast("]]>"));
        node->text.append(text_.substr(begin, at_ - begin - 3));
      } else if (Take("<?")) {
        GN_TRY(SkipPast("?>"));
      } else {
        GN_TRY(Element(&node->children.emplace_back(), depth + 1));
      }
    }
  }

  Status SkipAttributes() {
    while (true) {
      SkipSpace();
      if (at_ == text_.size()) return Wrong("no end of a tag");
      if (text_[at_] == '>' || text_[at_] == '/') return Status();
      if (Name().empty()) return Wrong("no attribute");
      SkipSpace();
      if (!Take("=")) return Wrong("no value of an attribute");
      SkipSpace();
      if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return Wrong("no quote");
      const char quote = text_[at_++];
      GN_TRY(SkipPast(std::string_view(&quote, 1)));
    }
  }

  Status Text(std::string* out) {
    while (at_ < text_.size() && text_[at_] != '<') {
      if (text_[at_] != '&') {
        size_t end = std::min(text_.find_first_of("<&", at_), text_.size());
        out->append(text_.substr(at_, end - at_));
        at_ = end;
        continue;
      }
      size_t end = text_.find(';', at_);
      if (end == std::string_view::npos) return Wrong("no end of a reference");
      std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
      if (!Reference(name, out)) return Wrong("an unknown reference");
      at_ = end + 1;
    }
    return Status();
  }

  static bool Reference(std::string_view name, std::string* out) {
    if (name == "amp") return *out += '&', true;
    if (name == "lt") return *out += '<', true;
    if (name == "gt") return *out += '>', true;
    if (name == "quot") return *out += '"', true;
    if (name == "apos") return *out += '\'', true;
    if (!name.starts_with('#')) return false;
    name.remove_prefix(1);
    int base = 10;
    if (name.starts_with('x')) {
      base = 16;
      name.remove_prefix(1);
    }
    uint32_t code = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    if (error != std::errc() || end != name.data() + name.size() || code == 0 || code > 0x10FFFF) return false;
    AppendUtf8(code, out);
    return true;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const XmlNode* XmlNode::Child(std::string_view child) const {
  for (const XmlNode& node : children) {
    if (node.name == child) return &node;
  }
  return nullptr;
}

std::string_view XmlNode::Text(std::string_view child) const {
  const XmlNode* node = Child(child);
  return node != nullptr ? std::string_view(node->text) : std::string_view();
}

const XmlNode* XmlNode::Find(std::string_view element) const {
  if (name == element) return this;
  for (const XmlNode& node : children) {
    if (const XmlNode* found = node.Find(element); found != nullptr) return found;
  }
  return nullptr;
}

Result<XmlNode> ParseXml(std::string_view text) { return Parser(text).Document(); }

}  // namespace gauntlet::objstore
