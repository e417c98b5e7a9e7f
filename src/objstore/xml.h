// XmlNode: a small XML document as a tree: what object stores answer.
//
// Elements, text, CDATA, character references; attributes, comments and processing instructions are skipped, name
// spaces are cut off, document types are refused. Threads: a value.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace gauntlet::objstore {

struct XmlNode {
  std::string name;
  std::string text;  // of this element itself
  std::vector<XmlNode> children;

  // The first child of that name, or null.
  const XmlNode* Child(std::string_view child) const;
  // Its text, or "".
  std::string_view Text(std::string_view child) const;
  // The first element of that name anywhere below, or null.
  const XmlNode* Find(std::string_view element) const;
};

// The root element; kCorrupt for what is no such document.
Result<XmlNode> ParseXml(std::string_view text);

}  // namespace gauntlet::objstore
