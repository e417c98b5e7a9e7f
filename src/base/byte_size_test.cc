#include "base/byte_size.h"

#include <gtest/gtest.h>

namespace gauntlet {
namespace {

TEST(ParseByteSize, KnowsUnitsOf1024) {
  EXPECT_EQ(*ParseByteSize("0"), 0u);
  EXPECT_EQ(*ParseByteSize("1024"), 1024u);
  EXPECT_EQ(*ParseByteSize("250MB"), 250u << 20);
  EXPECT_EQ(*ParseByteSize("250MiB"), 250u << 20);
  EXPECT_EQ(*ParseByteSize("1.5KiB"), 1536u);
  EXPECT_EQ(*ParseByteSize("1KB512B"), 1536u);
  EXPECT_EQ(*ParseByteSize("7EiB"), uint64_t{7} << 60);
}

TEST(ParseByteSize, RefusesWhatIsNoSize) {
  for (const char* bad : {"", "MB", "1XB", "1mb", "-1B", "1.2.3B", "1 MB", "8EiB", "."}) {
    EXPECT_FALSE(ParseByteSize(bad).ok()) << bad;
  }
  EXPECT_EQ(ParseByteSize("5XB").status().message(), "unknown unit \"XB\" in size \"5XB\"");
}

TEST(FormatByteSize, ReadsBack) {
  EXPECT_EQ(FormatByteSize(0), "0B");
  for (uint64_t bytes : {uint64_t{1}, uint64_t{1536}, uint64_t{1} << 30, (uint64_t{5} << 40) + 3}) {
    EXPECT_EQ(*ParseByteSize(FormatByteSize(bytes)), bytes);
  }
}

}  // namespace
}  // namespace gauntlet
