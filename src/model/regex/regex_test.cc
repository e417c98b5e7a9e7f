#include "model/regex/regex.h"

#include <gtest/gtest.h>

#include <random>

#include "model/regex/glob.h"
#include "model/regex/syntax.h"

namespace gauntlet {
namespace {

std::shared_ptr<const Regex> Make(std::string_view pattern) {
  auto regex = Regex::Make(pattern);
  EXPECT_TRUE(regex.ok()) << pattern << ": " << regex.status().message();
  return *regex;
}

TEST(Regex, CommonShapesNeverReachTheEngine) {
  for (const char* pattern : {"",          "foo",       "foo|bar",    "(a|b)c",      "foo-(bar|baz)",   "foo.*",
                              ".*foo",     ".+",        ".*",         ".*x.*|.*y.*", "^foo.*$",         "a\\.b",
                              "pod-[0-9]", "(?:a|b)?c", "foo(|-bar)", ".*(a|b).*",   "((a|b)|(c|d.*))", "(?s:foo.+)",
                              "x(.+)?",    "^a|b$",     "a.*?b",      "é|世.*"}) {
    EXPECT_FALSE(Make(pattern)->uses_engine()) << pattern;
  }
  for (const char* pattern : {"a+", "[a-z]+", "(?i)foo", "a.b", "\\d", "a{2}", "(^a)b", "a\\b", "[^a]", "fo{1,2}",
                              "[[:alpha:]]", "(?P<x>a)", "\\Qa.b\\E", "[\\x41]", "a|.?"}) {
    EXPECT_TRUE(Make(pattern)->uses_engine()) << pattern;
  }
}

TEST(Regex, FiniteAlternationsGiveTheirMembers) {
  using Set = std::vector<std::string>;
  EXPECT_EQ(Make("b|a")->set_matches(), (Set{"a", "b"}));
  EXPECT_EQ(Make("foo-(bar|baz)")->set_matches(), (Set{"foo-bar", "foo-baz"}));
  EXPECT_EQ(Make("(a|b)(c|d)")->set_matches(), (Set{"ac", "ad", "bc", "bd"}));
  EXPECT_EQ(Make("x[0-2]?")->set_matches(), (Set{"x", "x0", "x1", "x2"}));
  EXPECT_EQ(Make("a|")->set_matches(), (Set{"", "a"}));
  EXPECT_TRUE(Make("a|b.*")->set_matches().empty());
  EXPECT_TRUE(Make("[a-z][a-z]")->set_matches().empty());  // 676: too many
  std::string many = "m0";
  for (int i = 1; i < 5000; ++i) many += "|m" + std::to_string(i);
  EXPECT_EQ(Make(many)->set_matches().size(), 5000u);
  EXPECT_TRUE(Make(many)->Matches("m4999"));
  EXPECT_FALSE(Make(many)->Matches("m5000"));
}

TEST(Regex, PrefixIsCommonToAllAlternatives) {
  EXPECT_EQ(Make("foo.*")->prefix(), "foo");
  EXPECT_EQ(Make("foobar|foobaz.+")->prefix(), "fooba");
  EXPECT_EQ(Make("foo|bar")->prefix(), "");
  EXPECT_EQ(Make(".*foo")->prefix(), "");
}

TEST(Regex, GapsCountRunesAndTakeNewlines) {
  EXPECT_TRUE(Make("a.*b")->Matches("a\n\nb"));
  EXPECT_TRUE(Make(".+")->Matches("\n"));
  EXPECT_FALSE(Make(".+.+")->Matches("世"));
  EXPECT_TRUE(Make(".+.+")->Matches("世界"));
  EXPECT_TRUE(Make("a.+b.+c")->Matches("abbbc"));
  EXPECT_FALSE(Make("a.+b.+c")->Matches("abbc"));
  EXPECT_FALSE(Make("aba.*aba")->Matches("ababa"));
}

TEST(Regex, BrokenUtf8MatchesAsReplacementRunes) {
  EXPECT_TRUE(
      Make("a.b")->Matches("a\xff"
                           "b"));
  EXPECT_TRUE(
      Make("a.+b")->Matches("a\xff"
                            "b"));
  EXPECT_FALSE(
      Make("a.b")->Matches("a\xe4\xb8"
                           "b"));  // two broken bytes, two runes
  EXPECT_TRUE(Make("a[^x]{2}b")
                  ->Matches("a\xe4\xb8"
                            "b"));
}

// The glob matcher and the engine must agree on whatever both understand.
TEST(Regex, GlobsAgreeWithTheEngine) {
  std::mt19937 rng(3);
  const char* pieces[] = {"a",       "b", "ab",   "ba", ".*", ".+",    "(a|b)", "(ab|)",
                          "(a.*|b)", "|", "[ab]", "b?", "世", "(.+)?", ".*?"};
  const char* bits[] = {"a", "b", "ab", "\n", "世", "ba", ""};
  int globs = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string pattern;
    for (size_t n = 1 + rng() % 6; n > 0; --n) pattern += pieces[rng() % std::size(pieces)];
    auto parsed = ParseGlobs(pattern);
    if (!parsed) continue;
    ++globs;
    auto fast = Make(pattern), engine = Make("(?-i)" + pattern);
    // A flag group in front is beyond the glob parser. It binds to the whole alternation.
    ASSERT_TRUE(engine->uses_engine());
    for (int i = 0; i < 20; ++i) {
      std::string text;
      for (size_t n = rng() % 6; n > 0; --n) text += bits[rng() % std::size(bits)];
      ASSERT_EQ(fast->Matches(text), engine->Matches(text)) << pattern << " on " << text;
    }
  }
  EXPECT_GT(globs, 2000);
}

// What Go 1.26 says to each.
TEST(Regex, ErrorsAreWordedAsGos) {
  const std::pair<const char*, const char*> cases[] = {
      {"a(", "missing closing ): `a(`"},
      {"*", "missing argument to repetition operator: `*`"},
      {"+a", "missing argument to repetition operator: `+`"},
      {"a|*", "missing argument to repetition operator: `*`"},
      {"a**", "invalid nested repetition operator: `**`"},
      {"a*+", "invalid nested repetition operator: `*+`"},
      {"a???", "invalid nested repetition operator: `???`"},
      {"x{2}{2}", "invalid nested repetition operator: `{2}{2}`"},
      {"a{1001}", "invalid repeat count: `{1001}`"},
      {"a{2,1}", "invalid repeat count: `{2,1}`"},
      {"[z-a]", "invalid character class range: `z-a`"},
      {"[a", "missing closing ]: `[a`"},
      {"[]", "missing closing ]: `[]`"},
      {"a)", "unexpected ): `a)`"},
      {"a\\", "trailing backslash at end of expression: ``"},
      {"\\C", "invalid escape sequence: `\\C`"},
      {"[\\C]", "invalid escape sequence: `\\C`"},
      {"\\1", "invalid escape sequence: `\\1`"},
      {"\\Z", "invalid escape sequence: `\\Z`"},
      {"\\E", "invalid escape sequence: `\\E`"},
      {"\\pX", "invalid character class range: `\\pX`"},
      {"[[:foo:]]", "invalid character class range: `[:foo:]`"},
      {"(?z)", "invalid or unsupported Perl syntax: `(?z`"},
      {"(?i", "invalid or unsupported Perl syntax: `(?i`"},
      {"(?", "invalid or unsupported Perl syntax: `(?`"},
      {"(?#x)", "invalid or unsupported Perl syntax: `(?#`"},
      {"(?P=n)", "invalid or unsupported Perl syntax: `(?P`"},
      {"(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"},
      {"(?P<n", "invalid named capture: `(?P<n`"},
      {"(?<=a)", "invalid named capture: `(?<=a)`"},
      {"(?P<n!>a)", "invalid named capture: `(?P<n!>`"},
  };
  for (const auto& [pattern, want] : cases) {
    auto regex = Regex::Make(pattern);
    ASSERT_FALSE(regex.ok()) << pattern;
    EXPECT_EQ(regex.status().code(), Code::kInvalid);
    EXPECT_EQ(regex.status().message(), "error parsing regexp: " + std::string(want)) << pattern;
  }
  EXPECT_FALSE(Regex::Make("a.\xff").ok());
}

TEST(Regex, AcceptsWhatGoAcceptsBeyondRe2) {
  EXPECT_TRUE(Make("(?<n>a+)b")->Matches("aab"));
  EXPECT_TRUE(Make("(?P<n>a)(?P<n>b)")->Matches("ab"));
  EXPECT_TRUE(Make("\\Q\\C\\E")->Matches("\\C"));
  EXPECT_TRUE(Make("[(?<]+")->Matches("(?<"));
  EXPECT_TRUE(Make("a{,5}")->Matches("a{,5}"));
  EXPECT_TRUE(Make("[[:word:]]+")->Matches("a_1"));
}

TEST(Regex, BlowUpIsAnErrorAndNotTheEndOfMemory) {
  EXPECT_EQ(Regex::Make("(a{1000}){1000}").status().code(), Code::kInvalid);
  EXPECT_EQ(Regex::Make("((((((a{0,9}){0,9}){0,9}){0,9}){0,9}){0,9}){0,9}").status().code(), Code::kInvalid);
  std::string deep(100'000, '(');
  EXPECT_EQ(Regex::Make(deep + ".").status().code(), Code::kInvalid);
  EXPECT_EQ(Regex::Make(deep + "." + std::string(100'000, ')')).status().code(), Code::kInvalid);
  std::string huge;
  for (int i = 0; i < 1000; ++i) huge += "(\\pL{1,90})";
  EXPECT_EQ(Regex::Make(huge).status().code(), Code::kInvalid);
}

TEST(Regex, CapturesAreThoseOfTheFirstAlternativeThatFits) {
  auto regex = *Regex::MakeCapturing("(?P<first>.*?)(.*)-(x)?");
  EXPECT_EQ(regex->group_names(), (std::vector<std::string>{"", "first", "", ""}));
  EXPECT_EQ(regex->Captures("abc-"), (std::vector<std::string_view>{"abc-", "", "abc", ""}));
  EXPECT_TRUE(regex->Captures("abc").empty());
  EXPECT_EQ((*Regex::MakeCapturing("(a|ab)(c|bcd)?.*"))->Captures("abcd"),
            (std::vector<std::string_view>{"abcd", "a", "bcd"}));
  EXPECT_EQ((*Regex::MakeCapturing("(.*)"))->Captures(""), (std::vector<std::string_view>{"", ""}));
}

TEST(RegexSyntax, NamesGroupsInOrder) {
  auto go = *TranslateGoPattern("(a)(?:b)(?P<x>c[)(]\\()(?<y>d)");
  EXPECT_EQ(go.re2, "(a)(?:b)(c[)(]\\()(d)");
  EXPECT_EQ(go.group_names, (std::vector<std::string>{"", "", "x", "y"}));
}

// RE2 would be at work for seconds, or hold gigabytes.
TEST(Regex, PatternsThatTakeTooLongToCompileAreTooLarge) {
  auto repeated = [](std::string_view part, int times) {
    std::string pattern;
    for (int i = 0; i < times; ++i) pattern += part;
    return pattern;
  };
  for (const std::string& pattern :
       {repeated("[xy]?", 30'000), repeated("(?:[xy]z)?", 30'000), "(" + repeated("[xy]*", 100) + "){1000}",
        repeated("[xy]{0,900}", 40), repeated("\\p{L}", 3000), "[" + repeated("\\p{L}", 3000) + "]"}) {
    auto regex = Regex::Make(pattern);
    ASSERT_FALSE(regex.ok()) << pattern.substr(0, 20);
    EXPECT_TRUE(regex.status().message().starts_with("error parsing regexp: expression too large: `"));
  }
  for (const std::string& pattern : {repeated("[xy]?z", 21'000), std::string("([xy]?z{0,3}a){300}"),
                                     std::string("x{}?y{,5}{"), repeated("\\pN", 500)}) {
    EXPECT_TRUE(Regex::Make(pattern).ok()) << pattern.substr(0, 20);
  }
}

}  // namespace
}  // namespace gauntlet
