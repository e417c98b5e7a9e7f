// SHA-256: of request bodies (AWS signatures), of chunks, of configuration files.
//
// Threads: one thread at a time per Sha256Stream.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gauntlet::io {

using Sha256Digest = std::array<uint8_t, 32>;

Sha256Digest Sha256(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);

class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  void Append(std::string_view bytes);
  // Ends the stream; nothing may be appended afterwards.
  Sha256Digest Finish();

 private:
  class Rep;
  std::unique_ptr<Rep> rep_;
};

// Lower case.
std::string HexText(std::string_view bytes);
std::string HexText(const Sha256Digest& digest);

}  // namespace gauntlet::io
