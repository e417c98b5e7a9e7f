#include "base/check.h"
#include "net/text.h"
#include "objstore/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using gauntlet::objstore::ParseXml;
  auto node = ParseXml(std::string_view(reinterpret_cast<const char*>(data), size));
  if (node.ok()) {
    (void)node->Find("Key");
    // What was read can be written and read again.
    auto again = ParseXml("<a>" + gauntlet::net::EscapeMarkup(node->text) + "</a>");
    GN_CHECK(again.ok() && again->text == node->text);
  }
  return 0;
}
