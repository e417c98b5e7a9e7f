#include "base/env_expand.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace gauntlet {
namespace {

std::optional<std::string> Lookup(const std::string& name) {
  if (name == "A_1") return "x$(A_1)";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

TEST(ExpandEnv, ReplacesReferencesOnceAndLeavesOtherDollars) {
  EXPECT_EQ(*ExpandEnv("a $(A_1)-$(EMPTY)- $A $( $() $(A b) $(A_1", Lookup), "a x$(A_1)-- $A $( $() $(A b) $(A_1");
  EXPECT_EQ(*ExpandEnv("", Lookup), "");
}

TEST(ExpandEnv, NamesTheVariableThatIsNotSet) {
  EXPECT_EQ(ExpandEnv("key: $(NOT_SET)", Lookup).status().message(),
            "found reference to unset environment variable \"NOT_SET\"");
}

TEST(ExpandEnv, ReadsTheEnvironment) {
  setenv("GAUNTLET_ENV_EXPAND_TEST", "v", 1);
  EXPECT_EQ(*ExpandEnv("$(GAUNTLET_ENV_EXPAND_TEST)"), "v");
}

}  // namespace
}  // namespace gauntlet
