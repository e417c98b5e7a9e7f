#include "objstore/config.h"

#include <gtest/gtest.h>

#include "io/fake_file_system.h"

namespace gauntlet::objstore {
namespace {

class ConfigTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Bucket>> Make(std::string_view yaml) { return MakeBucket(yaml, environment_); }
  std::string Error(std::string_view yaml) { return std::string(Make(yaml).status().message()); }

  InlineExecutor executor_;
  io::FakeFileSystem files_;
  Environment environment_{executor_, files_, telemetry::Logger::Discard(), "test"};
};

TEST_F(ConfigTest, FilesystemBelowItsPrefix) {
  auto bucket = Make("type: filesystem\nconfig:\n  directory: /data\n  unknown: 1\nprefix: /a/b/\n");
  ASSERT_TRUE(bucket.ok()) << bucket.status().message();
  EXPECT_EQ((*bucket)->provider(), "FILESYSTEM");
  ASSERT_TRUE(WriteObject(**bucket, "o", "1", Cancel()).ok());
  EXPECT_TRUE(files_.Exists("/data/a/b/o"));
}

TEST_F(ConfigTest, ReadsAreHedgedWhereThatIsAskedFor) {
  std::string yaml =
      "type: FILESYSTEM\nconfig: {directory: /data}\nhedging_config: {enabled: true, up_to: 2, quantile: ";
  auto bucket = Make(yaml + "0.5}\n");
  ASSERT_TRUE(bucket.ok()) << bucket.status().message();
  ASSERT_TRUE(WriteObject(**bucket, "o", "123", Cancel()).ok());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(*ReadRange(**bucket, "o", 1, 1, Cancel()), "2");
  EXPECT_NE(Error(yaml + "2}\n").find("quantile must be between 0 and 1"), std::string::npos);
}

TEST_F(ConfigTest, MistakesAreTold) {
  EXPECT_EQ(Error("type: FILESYSTEM\nconfig: {}\n"),
            "create FILESYSTEM client: missing directory for filesystem bucket");
  EXPECT_EQ(Error("type: FILESYSTEM\n"), "create FILESYSTEM client: missing directory for filesystem bucket");
  EXPECT_EQ(Error("type: FTP\n"), "create FTP client: bucket with type FTP is not supported");
  EXPECT_NE(Error("type: FILESYSTEM\nhedging: 1\n").find("field hedging not found in type client.BucketConfig"),
            std::string::npos);
  EXPECT_NE(Error("a: [").find("parsing config YAML file"), std::string::npos);
}

}  // namespace
}  // namespace gauntlet::objstore
