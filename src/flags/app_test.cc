#include "flags/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace gauntlet::flags {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

class AppTest : public testing::Test {
 protected:
  AppTest() {
    app.flags().String("log.level", "Log filtering level.", &level).Enum({"error", "warn", "info", "debug"});
    FlagSet& f = query.flags();
    f.String("http-address", "Listen address.", &address);
    f.Strings("endpoint", "Addresses.", &endpoints).Alias("store", "use --endpoint instead").PlaceHolder("<endpoint>");
    f.CommaList("labels", "Labels.", &labels);
    f.Bool("auto", "Automatic.", &automatic);
    f.Bool("secure", "Secure.", &secure).Short('s');
    f.Int("count", "Count.", &count).Short('c');
    f.Uint64("limit", "Limit.", &limit);
    f.Double("ratio", "Ratio.", &ratio).Check([](std::string_view text) {
      return text == "2" ? Status(Code::kInvalid, "must be at most 1") : Status();
    });
    f.Bytes("size", "Size.", &size);
    f.GoDuration("timeout", "Timeout.", &timeout);
    f.PromDuration("lookback", "Lookback.", &lookback);
    f.Time("min-time", "Start.", &min_time).Default("0000-01-01T00:00:00Z");
    f.String("old", "Old.", &old).Hidden().Warn("has no effect");
    f.Config("objstore.config", "object store configuration", &objstore);
    f.Config("tracing.config", "tracing configuration", &tracing);
    tools.AddCommand("bucket", "Bucket tools.").AddCommand("ls", "List.").Arguments("dir", "Places.", &dirs);
    tools.AddCommand("check", "Check.").Argument("file", "A file.", &file);
    tools.AddCommand("need", "Needs a flag.").flags().String("must", "Needed.", &must).Required();
  }

  Status Parse(std::vector<std::string> arguments) {
    auto result = app.Parse(std::move(arguments));
    if (!result.ok()) return result.status();
    parsed = *std::move(result);
    return Status();
  }
  std::string Error(std::vector<std::string> arguments) { return std::string(Parse(std::move(arguments)).message()); }

  App app{"gauntlet", "A highly available Prometheus.", "gauntlet, version 1"};
  Command& query = app.AddCommand("query", "Query node.");
  Command& tools = app.AddCommand("tools", "Tools.");
  App::Parsed parsed;
  std::string level = "info", address = "0.0.0.0:10902", old, file, must;
  std::vector<std::string> endpoints, labels = {"a", "b"}, dirs;
  bool automatic = true, secure = false;
  int count = 3;
  uint64_t limit = 0, size = 1 << 20;
  double ratio = 0.5;
  milliseconds timeout{120'000}, lookback{0};
  TimeOrDuration min_time;
  ConfigSource objstore, tracing;
};

TEST_F(AppTest, ReadsAllKindsOfValues) {
  Status status = Parse({"query", "--http-address=:1", "--endpoint", "a:1", "--endpoint=b:2", "--labels=x,y",
                         "--no-auto", "--secure", "--count=-4", "--limit", "18446744073709551615", "--ratio=0.25",
                         "--size=2GiB", "--timeout=1m30s", "--lookback=1d", "--min-time", "-2h", "--log.level=debug"});
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(parsed.command, &query);
  EXPECT_EQ(address, ":1");
  EXPECT_THAT(endpoints, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(labels, ElementsAre("x", "y"));
  EXPECT_FALSE(automatic);
  EXPECT_TRUE(secure);
  EXPECT_EQ(count, -4);
  EXPECT_EQ(limit, UINT64_MAX);
  EXPECT_EQ(ratio, 0.25);
  EXPECT_EQ(size, uint64_t{2} << 30);
  EXPECT_EQ(timeout, milliseconds(90'000));
  EXPECT_EQ(lookback, milliseconds(86'400'000));
  EXPECT_EQ(min_time.At(10'000'000), 10'000'000 - 7'200'000);
  EXPECT_EQ(level, "debug");
  EXPECT_TRUE(parsed.warnings.empty());
}

TEST_F(AppTest, DurationsOfGoAndOfPrometheusAreTakenByBoth) {
  ASSERT_TRUE(Parse({"query", "--timeout=1d", "--lookback=1.5h"}).ok());
  EXPECT_EQ(timeout, std::chrono::hours(24));
  EXPECT_EQ(lookback, std::chrono::minutes(90));
}

TEST_F(AppTest, KeepsDefaultsOfTheStruct) {
  ASSERT_TRUE(Parse({"query"}).ok());
  EXPECT_EQ(address, "0.0.0.0:10902");
  EXPECT_THAT(labels, ElementsAre("a", "b"));
  EXPECT_TRUE(automatic);
  EXPECT_EQ(min_time.At(123), -62167219200000);
}

TEST_F(AppTest, ErrorsAreKingpins) {
  EXPECT_EQ(Error({"query", "--foo"}), "unknown long flag '--foo'");
  EXPECT_EQ(Error({"query", "-x"}), "unknown short flag '-x'");
  EXPECT_EQ(Error({"query", "--http-address"}), "expected argument for flag '--http-address'");
  EXPECT_EQ(Error({"query", "--http-address", "--auto"}), "expected argument for flag '--http-address'");
  EXPECT_EQ(Error({"query", "--count=1", "--count=2"}), "flag '--count' cannot be repeated");
  EXPECT_EQ(Error({"query", "stray"}), "unexpected stray");
  EXPECT_EQ(Error({}), "command not specified");
  EXPECT_EQ(Error({"--http-address=:1", "query"}), "unknown long flag '--http-address'");
  EXPECT_EQ(Error({"qurey"}), "expected command but got \"qurey\", did you mean \"query\"?");
  EXPECT_EQ(Error({"tools"}), "must select a subcommand of 'tools'");
  EXPECT_EQ(Error({"tools", "need"}), "required flag(s) '--must' not provided");
  EXPECT_EQ(Error({"tools", "check"}), "required argument 'file' not provided");
  EXPECT_EQ(Error({"query", "--log.level=loud"}),
            "flag '--log.level': enum value must be one of error,warn,info,debug, got 'loud'");
}

TEST_F(AppTest, NamesTheFlagOfABadValue) {
  EXPECT_EQ(Error({"query", "--count=x"}), "flag '--count': strconv.ParseInt: parsing \"x\": invalid syntax");
  EXPECT_EQ(Error({"query", "--count=99999999999"}),
            "flag '--count': strconv.ParseInt: parsing \"99999999999\": value out of range");
  EXPECT_THAT(Error({"query", "--limit=-1"}), HasSubstr("strconv.ParseUint"));
  EXPECT_THAT(Error({"query", "--secure=maybe"}), HasSubstr("flag '--secure': strconv.ParseBool"));
  EXPECT_THAT(Error({"query", "--ratio=half"}), HasSubstr("flag '--ratio': "));
  EXPECT_EQ(Error({"query", "--ratio=2"}), "flag '--ratio': must be at most 1");
  EXPECT_THAT(Error({"query", "--size=5XB"}), HasSubstr("flag '--size': unknown unit"));
  EXPECT_THAT(Error({"query", "--timeout=1x"}), HasSubstr("flag '--timeout': "));
  EXPECT_THAT(Error({"query", "--lookback=soon"}), HasSubstr("flag '--lookback': not a valid duration string"));
  EXPECT_THAT(Error({"query", "--lookback=-5m"}), HasSubstr("flag '--lookback': not a valid duration string"));
  EXPECT_THAT(Error({"query", "--min-time=yesterday"}), HasSubstr("flag '--min-time': "));
}

TEST_F(AppTest, SuggestsTheNearestFlag) {
  EXPECT_EQ(Error({"query", "--http-adress=:1"}), "unknown long flag '--http-adress', did you mean '--http-address'?");
  EXPECT_EQ(Error({"query", "--no-auot"}), "unknown long flag '--no-auot', did you mean '--auto'?");
  EXPECT_THAT(Error({"query", "--something-else"}), Not(HasSubstr("did you mean")));
  EXPECT_THAT(Error({"query", "--odl"}), Not(HasSubstr("--old")));  // hidden
  EXPECT_EQ(Error({"query", "--no-count"}), "unknown long flag '--no-count', did you mean '--count'?");
}

TEST_F(AppTest, BooleansTakeAValueToo) {
  ASSERT_TRUE(Parse({"query", "--auto=false", "--no-secure=false"}).ok());
  EXPECT_FALSE(automatic);
  EXPECT_TRUE(secure);
}

TEST_F(AppTest, ShortFlagsCombine) {
  ASSERT_TRUE(Parse({"query", "-sc5"}).ok());
  EXPECT_TRUE(secure);
  EXPECT_EQ(count, 5);
}

TEST_F(AppTest, AliasesAndUselessFlagsWarn) {
  ASSERT_TRUE(Parse({"query", "--store=a:1", "--store=b:1", "--endpoint=c:1", "--old=x"}).ok());
  EXPECT_THAT(endpoints, ElementsAre("a:1", "b:1", "c:1"));
  EXPECT_THAT(parsed.warnings, ElementsAre("flag --store: use --endpoint instead", "flag --old: has no effect"));
}

TEST_F(AppTest, ReadsArgumentsFromFiles) {
  std::string path = testing::TempDir() + "/flags_app_test.args", loop = path + ".loop";
  std::ofstream(path) << "# comment\nquery\n\n--count=7\n--endpoint\na b\n";
  std::ofstream(loop) << "@" << loop << "\n";
  ASSERT_TRUE(Parse({"@" + path, "--labels=@x"}).ok());
  EXPECT_EQ(count, 7);
  EXPECT_THAT(endpoints, ElementsAre("a b"));
  EXPECT_THAT(labels, ElementsAre("@x"));
  EXPECT_THAT(Error({"@/nonexistent"}), HasSubstr("/nonexistent"));
  EXPECT_EQ(Error({"@" + loop}), "more than 16 argument files");
  std::remove(path.c_str());
  std::remove(loop.c_str());
}

TEST_F(AppTest, FindsNestedCommandsAndArguments) {
  ASSERT_TRUE(Parse({"tools", "bucket", "ls", "--log.level", "warn", "a", "--", "--b", "@c"}).ok());
  EXPECT_EQ(parsed.command->path(), "tools bucket ls");
  EXPECT_THAT(dirs, ElementsAre("a", "--b", "@c"));
}

TEST_F(AppTest, PrintsHelpAndVersion) {
  ASSERT_TRUE(Parse({"query", "--help"}).ok());
  EXPECT_EQ(parsed.command, nullptr);
  EXPECT_THAT(parsed.print,
              testing::StartsWith("usage: gauntlet query [<flags>]\n\nQuery node.\n\nFlags:\n  -h, --help "));
  for (const char* text : {"\n      --http-address=\"0.0.0.0:10902\"", "\n      --log.level=info ", "--[no-]auto",
                           "\n      --endpoint=<endpoint> ... ", "\n  -s, --secure ", "--objstore.config=<content>"}) {
    EXPECT_THAT(parsed.print, HasSubstr(text));
  }
  EXPECT_THAT(parsed.print, Not(HasSubstr("--old")));
  ASSERT_TRUE(Parse({"--help-long"}).ok());
  EXPECT_THAT(parsed.print, HasSubstr("  tools bucket ls [<flags>]\n    List.\n"));
  EXPECT_THAT(parsed.print, HasSubstr("--http-address"));
  ASSERT_TRUE(Parse({"help", "tools", "need"}).ok());
  EXPECT_THAT(parsed.print, HasSubstr("--must=MUST"));
  ASSERT_TRUE(Parse({"--version"}).ok());
  EXPECT_EQ(parsed.print, "gauntlet, version 1\n");
}

TEST_F(AppTest, HelpKeepsItsWidth) {
  ASSERT_TRUE(Parse({"--help-long"}).ok());
  std::string_view text = parsed.print;
  while (!text.empty()) {
    size_t end = text.find('\n');
    EXPECT_LE(end, 100u) << text.substr(0, end);
    text.remove_prefix(end + 1);
  }
}

TEST_F(AppTest, ConfigPairIsExclusive) {
  EXPECT_EQ(Error({"query", "--tracing.config=a", "--tracing.config-file=b"}),
            "both tracing.config-file and tracing.config flags set.");
}

TEST_F(AppTest, ConfigContentReplacesVariables) {
  setenv("GAUNTLET_FLAGS_TEST", "value", 1);
  ASSERT_TRUE(Parse({"query", "--objstore.config=key: $(GAUNTLET_FLAGS_TEST)"}).ok());
  EXPECT_EQ(*objstore.Load(), "key: value");
  EXPECT_EQ(*tracing.Load(), "");
  EXPECT_FALSE(tracing.given());
}

TEST_F(AppTest, ConfigFileIsReadAtEachLoad) {
  std::string path = testing::TempDir() + "/flags_app_test.yaml";
  ASSERT_TRUE(Parse({"query", "--tracing.config-file", path}).ok());
  EXPECT_EQ(tracing.Load().status().message(), "loading file " + path + " for tracing.config-file");
  std::ofstream(path) << "one";
  EXPECT_EQ(*tracing.Load(), "one");
  std::ofstream(path) << "$(GAUNTLET_FLAGS_UNSET)";
  EXPECT_EQ(tracing.Load().status().message(),
            "tracing.config: found reference to unset environment variable \"GAUNTLET_FLAGS_UNSET\"");
  std::remove(path.c_str());
}

TEST(ConfigSource, RequiredPairMustBeGiven) {
  App app("a", "", "");
  ConfigSource config;
  app.flags().Config("x.config", "x", &config, true);
  EXPECT_EQ(app.Parse({}).status().message(),
            "flag x.config-file or x.config is required for running this command and content cannot be empty.");
}

TEST_F(AppTest, ValuesHideSecrets) {
  ASSERT_TRUE(Parse({"query", "--objstore.config=secret", "--tracing.config=secret", "--timeout=90s", "--size=1GiB",
                     "--endpoint=a", "--endpoint=b"})
                  .ok());
  auto values = app.Values(query);
  EXPECT_THAT(values,
              testing::IsSupersetOf({Pair("objstore.config", "<REDACTED>"), Pair("objstore.config-file", "<REDACTED>"),
                                     Pair("tracing.config", "<REDACTED>"), Pair("tracing.config-file", ""),
                                     Pair("timeout", "1m30s"), Pair("size", "1GiB"), Pair("endpoint", "a,b"),
                                     Pair("auto", "true"), Pair("log.level", "info"), Pair("ratio", "0.5"),
                                     Pair("min-time", "0000-01-01T00:00:00Z")}));
  EXPECT_FALSE(values.contains("help"));
}

TEST(Nearest, IsNearOrNothing) {
  EXPECT_EQ(Nearest("qurey.timeout", {"query.timeout", "query.replica-label"}), "query.timeout");
  EXPECT_EQ(Nearest("ab", {"xy"}), "");
  EXPECT_EQ(Nearest("", {"a"}), "");
  EXPECT_EQ(Nearest("a", {}), "");
}

}  // namespace
}  // namespace gauntlet::flags
