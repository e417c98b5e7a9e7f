// Ulid: 48 bits of milliseconds and 80 of randomness, as 26 characters that sort by time.
//
// Format:  https://github.com/ulid/spec      Upstream: github.com/oklog/ulid
// Threads: a value; Make may be called from any thread.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gauntlet {

struct Ulid {
  std::array<uint8_t, 16> bytes{};

  // Random by a generator that the system seeds. REQUIRES: 0 <= unix_ms < 2^48
  static Ulid Make(int64_t unix_ms);
  // Upper or lower case; nullopt when it is none.
  static std::optional<Ulid> Parse(std::string_view text);

  std::string ToString() const;
  int64_t unix_ms() const;
  bool operator==(const Ulid&) const = default;
  auto operator<=>(const Ulid&) const = default;
};

}  // namespace gauntlet
