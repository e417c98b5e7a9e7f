// Whatever parses can be walked, and written again it parses to the same text.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "json/reader.h"
#include "json/writer.h"

namespace {

using namespace gauntlet::json;

void Copy(Value value, Writer& out) {
  switch (value.type()) {
    case Type::kBool:
      out.Bool(*value.Bool());
      break;
    case Type::kNumber:
      if (value.Int()) {
        out.Int(*value.Int());
      } else if (value.Uint()) {
        out.Uint(*value.Uint());
      } else {
        out.Double(*value.Double());
      }
      break;
    case Type::kString:
      out.String(*value.String());
      break;
    case Type::kArray:
      out.BeginArray();
      for (size_t i = 0; i < value.size(); ++i) Copy(value[i], out);
      out.EndArray();
      break;
    case Type::kObject:
      out.BeginObject();
      for (size_t i = 0; i < value.size(); ++i) {
        out.Key(value.key(i));
        Copy(value[i], out);
      }
      out.EndObject();
      break;
    default:
      out.Null();
  }
}

std::string Rewrite(std::string_view text) {
  auto document = Document::Parse(text);
  if (!document.ok()) return "";
  std::string out;
  Writer writer(&out);
  Copy(document->root(), writer);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Broken UTF-8 becomes an escape, and that a rune: only then is the text at rest.
  std::string twice = Rewrite(Rewrite({reinterpret_cast<const char*>(data), size}));
  if (!twice.empty() && Rewrite(twice) != twice) std::abort();
  return 0;
}
