#include "model/escaping.h"

#include <gtest/gtest.h>

namespace gauntlet {
namespace {

TEST(Escaping, RoundTrips) {
  for (const char* name :
       {"http.method", "a_b.c", "label with spaces", "ünïcode", "😀", "1starts_with_a_digit", "a:b-c"}) {
    EXPECT_EQ(UnescapeName(EscapeName(name)), name);
  }
  EXPECT_EQ(EscapeName("http.method"), "U__http_2e_method");
  EXPECT_EQ(EscapeName("legacy_name:x"), "legacy_name:x");
}

TEST(Escaping, WhatIsNotWellEscapedStaysAsItIs) {
  for (const char* name : {"plain", "U__bad_zz_", "U__bad_2e", "U__bad_110000_", "U__bad_d800_", "U_x"})
    EXPECT_EQ(UnescapeName(name), name);
}

}  // namespace
}  // namespace gauntlet
