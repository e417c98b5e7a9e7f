// An index header with its two checksums of contents made right.
#include <string>

#include "base/check.h"
#include "blocks/index_header.h"
#include "io/crc32c.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  auto repair = [&](size_t begin, size_t n) {
    uint32_t checksum = gauntlet::io::Crc32c(std::string_view(bytes).substr(begin, n));
    for (size_t i = 0; i < 4; ++i) bytes[begin + n + i] = static_cast<char>(checksum >> (24 - 8 * i));
  };
  if (size >= 72) {
    repair(size - 20, 16);
    repair(size - 72, 48);
  }
  auto header = gauntlet::blocks::IndexHeader::FromFile(std::make_unique<gauntlet::io::MappedFile>(std::move(bytes)));
  if (!header.ok()) return 0;
  for (const auto& name : (*header)->table().names()) {
    uint32_t count = 0;
    for (auto values = (*header)->table().ValuesOf(name.name); values.Next();) ++count;
    GN_CHECK(count == name.values);
  }
  return 0;
}
