#include <gtest/gtest.h>

#include <random>

#include "io/blake2b.h"
#include "io/crc32c.h"
#include "io/sha256.h"

namespace gauntlet::io {
namespace {

TEST(Crc32c, KnownValues) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Crc32c, InstructionAndTablesAgreeAtEveryLengthAndAlignment) {
  std::mt19937 rng(4);
  std::string bytes(40'000, '\0');
  for (char& c : bytes) c = static_cast<char>(rng());
  for (size_t n = 0; n < 2'000; ++n) {
    std::string_view part = std::string_view(bytes).substr(n % 13, n);
    ASSERT_EQ(Crc32c(part), ExtendCrc32cByTable(0, part)) << n;
  }
  for (int i = 0; i < 300; ++i) {
    size_t from = rng() % 20'000, n = rng() % 20'000, cut = n == 0 ? 0 : rng() % n;
    std::string_view part = std::string_view(bytes).substr(from, n);
    ASSERT_EQ(Crc32c(part), ExtendCrc32cByTable(0, part));
    ASSERT_EQ(ExtendCrc32c(Crc32c(part.substr(0, cut)), part.substr(cut)), Crc32c(part));
  }
}

TEST(Blake2b256, KnownValues) {
  EXPECT_EQ(HexText(Blake2b256("")), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(HexText(Blake2b256("abc")), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  EXPECT_EQ(HexText(Blake2b256(std::string(128, 'x'))),
            "164ffb7089bae6f5a62fb0795e751dc9e88eac92e1a5b2fafe93a25abf2d9c3b");
  std::string bytes;
  for (int i = 0; i < 768; ++i) bytes += static_cast<char>(i % 256);
  EXPECT_EQ(HexText(Blake2b256(bytes)), "b8007121274217790e2923e0ad7027986e5a99d5531ef6ae7d294140fc81615d");
}

TEST(Sha256, KnownValues) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256Stream stream;
  stream.Append("a");
  stream.Append("");
  stream.Append("bc");
  EXPECT_EQ(HexText(stream.Finish()), Sha256Hex("abc"));
  EXPECT_EQ(HexText(std::string_view("\x00\xff", 2)), "00ff");
}

}  // namespace
}  // namespace gauntlet::io
