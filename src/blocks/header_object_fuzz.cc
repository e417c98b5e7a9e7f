// Any bytes as a ready-made index header, with its checksums made right: it is refused, or unpacked to what it says.

#include <string>

#include "base/check.h"
#include "blocks/header_object.h"
#include "io/crc32c.h"

namespace {

class Sink : public gauntlet::io::WritableFile {
 public:
  gauntlet::Status Append(std::string_view bytes) override {
    size_ += bytes.size();
    return {};
  }
  gauntlet::Status Sync() override { return {}; }
  uint64_t size() const override { return size_; }

 private:
  uint64_t size_ = 0;
};

uint32_t Be32(const std::string& bytes, size_t at) {
  uint32_t v = 0;
  for (size_t i = 0; i < 4; ++i) v = v << 8 | static_cast<unsigned char>(bytes[at + i]);
  return v;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  auto repair = [&](size_t at, std::string_view of) {
    uint32_t checksum = gauntlet::io::Crc32c(of);
    for (size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(checksum >> (24 - 8 * i));
  };
  if (size >= 24) repair(20, std::string_view(bytes).substr(0, 20));
  for (size_t at = 24; at + 8 <= size;) {
    size_t stored = Be32(bytes, at);
    if (stored > size - at - 8) break;
    repair(at + 4, std::string_view(bytes).substr(at + 8, stored));
    at += 8 + stored;
  }
  uint64_t index_bytes = size >= 12 ? uint64_t{Be32(bytes, 4)} << 32 | Be32(bytes, 8) : 0;
  Sink whole, parts;
  gauntlet::blocks::HeaderUnpacker one(index_bytes, whole), two(index_bytes, parts);
  gauntlet::Status a = one.Append(bytes), b;
  if (a.ok()) a = one.Finish();
  for (size_t at = 0; at < size && b.ok(); at += 13) b = two.Append(std::string_view(bytes).substr(at, 13));
  if (b.ok()) b = two.Finish();
  GN_CHECK(a.ok() == b.ok());
  GN_CHECK(!a.ok() || whole.size() == parts.size());
  return 0;
}
