#include "base/ulid.h"

#include <sys/random.h>

#include <random>

#include "base/check.h"

namespace gauntlet {
namespace {

constexpr char kAlphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's: without I, L, O, U

int Digit(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  std::string_view alphabet(kAlphabet, 32);
  size_t at = alphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

Ulid Ulid::Make(int64_t unix_ms) {
  GN_CHECK(unix_ms >= 0 && unix_ms < int64_t{1} << 48);
  Ulid ulid;
  for (int i = 0; i < 6; ++i) ulid.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(unix_ms >> (40 - 8 * i));
  thread_local std::mt19937_64 random = [] {
    std::array<uint32_t, 8> seed;
    if (getrandom(seed.data(), sizeof(seed), 0) != sizeof(seed)) {
      for (uint32_t& word : seed) word = std::random_device()();
    }
    std::seed_seq sequence(seed.begin(), seed.end());
    return std::mt19937_64(sequence);
  }();
  uint64_t high = random(), low = random();
  for (size_t i = 0; i < 8; ++i) ulid.bytes[6 + i] = static_cast<uint8_t>(high >> (8 * i));
  ulid.bytes[14] = static_cast<uint8_t>(low);
  ulid.bytes[15] = static_cast<uint8_t>(low >> 8);
  return ulid;
}

std::string Ulid::ToString() const {
  // 130 bits in 26 digits of 5: the first digit holds the two that are always 0.
  std::string text;
  unsigned bits = 0;
  int have = 2;
  for (uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    have += 8;
    for (; have >= 5; have -= 5) text += kAlphabet[bits >> (have - 5) & 31];
  }
  return text;
}

std::optional<Ulid> Ulid::Parse(std::string_view text) {
  if (text.size() != 26 || Digit(text[0]) > 7) return std::nullopt;
  Ulid ulid;
  unsigned bits = 0;
  int have = -2;
  size_t at = 0;
  for (char c : text) {
    int digit = Digit(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 5 | static_cast<unsigned>(digit);
    have += 5;
    if (have >= 8) {
      have -= 8;
      ulid.bytes[at++] = static_cast<uint8_t>(bits >> have);
    }
  }
  return ulid;
}

int64_t Ulid::unix_ms() const {
  int64_t ms = 0;
  for (size_t i = 0; i < 6; ++i) ms = ms << 8 | bytes[i];
  return ms;
}

}  // namespace gauntlet
