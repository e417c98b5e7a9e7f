#include "objstore/s3/dialects.h"

#include <gtest/gtest.h>

#include "config/yaml.h"
#include "io/fake_file_system.h"
#include "objstore/s3/sign_v2.h"

namespace gauntlet::objstore {
namespace {

using Maker = Result<std::unique_ptr<Bucket>> (*)(const config::Node&, const Environment&);

class DialectsTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Bucket>> Make(Maker maker, std::string_view yaml) {
    return maker(**config::ParseYaml(yaml), environment_);
  }
  std::string Error(Maker maker, std::string_view yaml) { return std::string(Make(maker, yaml).status().message()); }

  InlineExecutor executor_;
  io::FakeFileSystem files_;
  Environment environment_{executor_, files_, telemetry::Logger::Discard(), "test"};
};

TEST_F(DialectsTest, EachTakesItsYaml) {
  auto cos = Make(MakeCosBucket, "{bucket: b, region: ap-x, app_id: '1', secret_id: i, secret_key: k, unknown: 1}");
  ASSERT_TRUE(cos.ok()) << cos.status().message();
  EXPECT_EQ((*cos)->provider(), "COS");
  EXPECT_EQ((*cos)->name(), "b");
  EXPECT_TRUE(Make(MakeCosBucket, "{endpoint: 'https://b.example', secret_id: i, secret_key: k}").ok());
  EXPECT_EQ((*Make(MakeOssBucket, "{endpoint: e, bucket: b, access_key_id: i, access_key_secret: k}"))->provider(),
            "ALIYUNOSS");
  EXPECT_EQ((*Make(MakeObsBucket, "{endpoint: e, bucket: b, access_key: i, secret_key: k}"))->provider(), "OBS");
  EXPECT_EQ((*Make(MakeBosBucket, "{endpoint: bj.bcebos.com, bucket: b, access_key: i, secret_key: k}"))->provider(),
            "BOS");
}

TEST_F(DialectsTest, MistakesAreToldInTheOriginalsWords) {
  EXPECT_EQ(Error(MakeCosBucket, "{bucket: b}"), "insufficient cos configuration information");
  EXPECT_EQ(Error(MakeOssBucket, "{bucket: b}"), "aliyun oss endpoint or bucket is not present in config file");
  EXPECT_EQ(Error(MakeObsBucket, "{endpoint: e, access_key: a}"), "no obs secret_key specified");
  EXPECT_EQ(Error(MakeBosBucket, "{bucket: b}"), "insufficient BOS configuration information");
  EXPECT_NE(Error(MakeObsBucket, "{endpoint: e, x: 1}").find("field x not found in type obs.Config"),
            std::string::npos);
}

// The example of Alibaba's page on signatures in the header.
TEST(OssDialectTest, SignatureOfTheExample) {
  Request put;
  put.method = "PUT";
  put.headers.Set("Content-MD5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=");
  put.headers.Set("Content-Type", "text/html");
  put.headers.Set("Date", "Thu, 17 Nov 2005 18:49:58 GMT");
  put.headers.Set("X-OSS-Magic", "abracadabra");
  put.headers.Set("X-OSS-Meta-Author", "foo@bar.com");
  SignV2(OssDialect(), {"44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV", ""}, 0,
         "/oss-example/nelson", &put);
  EXPECT_EQ(put.headers.Get("Authorization"), "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=");
}

}  // namespace
}  // namespace gauntlet::objstore
