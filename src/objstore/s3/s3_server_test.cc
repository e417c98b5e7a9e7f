// What S3 has beyond the contract, on a real server.

#include <gtest/gtest.h>

#include "base/executor.h"
#include "objstore/config.h"
#include "objstore/directories.h"
#include "objstore/sources.h"
#include "objstore/testing/radosgw.h"
#include "objstore/testing/temporary_directory.h"

namespace gauntlet::objstore {
namespace {

std::string Pattern(size_t n) {
  std::string bytes(n, '\0');
  uint32_t x = 12345;
  for (char& c : bytes) c = static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

class S3Server : public testing::Test {
 protected:
  void SetUp() override {
    server_ = Radosgw::Get();
    if (server_ == nullptr) GTEST_SKIP() << "no server: " << Radosgw::why();
    name_ = server_->MakeBucketName();
  }
  std::unique_ptr<Bucket> Make(const std::string& more) {
    auto bucket =
        MakeBucket(server_->Yaml(name_, more), {pool_, io::RealFileSystem(), telemetry::Logger::Discard(), "test"});
    EXPECT_TRUE(bucket.ok()) << bucket.status().message();
    return *std::move(bucket);
  }

  Radosgw* server_ = nullptr;
  ThreadPool pool_{"s3", 8};
  TemporaryDirectory dir_;
  std::string name_;
};

TEST_F(S3Server, FilesAboveThePartSizeGoInParts) {
  auto bucket = Make("  part_size: 5242880\n");
  const std::string bytes = Pattern((23 << 20) + 17);
  ASSERT_TRUE(io::RealFileSystem().WriteAtomically(dir_ / "index", bytes).ok());
  Status status = UploadFile(*bucket, io::RealFileSystem(), dir_ / "index", "01A/index", Cancel());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(*ReadObject(*bucket, "01A/index", Cancel()) == bytes, true);
  EXPECT_EQ(*ReadRange(*bucket, "01A/index", (10 << 20) - 5, 10, Cancel()), bytes.substr((10 << 20) - 5, 10));
  ASSERT_TRUE(DownloadFile(*bucket, io::RealFileSystem(), "01A/index", dir_ / "back", Cancel()).ok());
  EXPECT_EQ(*io::RealFileSystem().ReadFile(dir_ / "back") == bytes, true);
}

class SlowStream final : public Source {
 public:
  explicit SlowStream(std::string_view bytes) : bytes_(bytes) {}
  Result<size_t> Read(char* out, size_t n) override {
    n = bytes_.substr(at_).copy(out, std::min<size_t>(n, 1'000'003));
    at_ += n;
    return n;
  }

 private:
  const std::string_view bytes_;
  size_t at_ = 0;
};

TEST_F(S3Server, StreamsGoInPartsAlsoEncrypted) {
  const std::string bytes = Pattern((21 << 20) + 3);
  std::string key = "  sse_config:\n    type: SSE-C\n    encryption_key: " + (dir_ / "key") + "\n";
  ASSERT_TRUE(io::RealFileSystem().WriteAtomically(dir_ / "key", "0123456789abcdef0123456789abcdef").ok());
  for (const std::string& more : {std::string(), key, std::string("  send_content_md5: false\n")}) {
    auto bucket = Make(more);
    SlowStream stream(bytes);
    Status status = bucket->Upload("o", stream, {}, Cancel());
    ASSERT_TRUE(status.ok()) << more << status.message();
    EXPECT_EQ(*ReadObject(*bucket, "o", Cancel()) == bytes, true) << more;
    EXPECT_EQ(bucket->Attributes("o", Cancel())->bytes, bytes.size());
  }
  // With a customer's key the plain reader gets nothing.
  SlowStream stream(bytes);
  ASSERT_TRUE(Make(key)->Upload("secret", stream, {}, Cancel()).ok());
  EXPECT_FALSE(ReadObject(*Make(""), "secret", Cancel()).ok());
}

TEST_F(S3Server, KmsKeyOfTheServer) {
  auto bucket = Make("  sse_config:\n    type: SSE-KMS\n    kms_key_id: key-1\n    kms_encryption_context: {a: b}\n");
  Status status = WriteObject(*bucket, "o", "bytes", Cancel());
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(*ReadObject(*bucket, "o", Cancel()), "bytes");
  auto unknown = Make("  sse_config:\n    type: SSE-KMS\n    kms_key_id: no-such-key\n  max_retries: 1\n");
  EXPECT_FALSE(WriteObject(*unknown, "p", "bytes", Cancel()).ok());
}

TEST_F(S3Server, MetadataAndStorageClassAreSent) {
  auto bucket = Make("  put_user_metadata:\n    X-Amz-Storage-Class: STANDARD\n    team: observability\n");
  ASSERT_TRUE(WriteObject(*bucket, "o", "bytes", Cancel(), {.content_type = "application/json"}).ok());
  EXPECT_EQ(*ReadObject(*bucket, "o", Cancel()), "bytes");
  // A class that the server does not have is refused: so it was sent.
  auto wrong = Make("  put_user_metadata:\n    X-Amz-Storage-Class: NO_SUCH_CLASS\n  max_retries: 1\n");
  EXPECT_FALSE(WriteObject(*wrong, "o", "bytes", Cancel()).ok());
}

TEST_F(S3Server, WrongKeysAreDenied) {
  std::string yaml = server_->Yaml(name_);
  yaml.replace(yaml.find("testsecret"), 10, "other");
  auto bucket = MakeBucket(yaml, {pool_, io::RealFileSystem(), telemetry::Logger::Discard(), "test"});
  EXPECT_EQ(ReadObject(**bucket, "o", Cancel()).status().code(), Code::kDenied);
  EXPECT_EQ((*bucket)->Exists("o", Cancel()).status().code(), Code::kDenied);
  Status status = WriteObject(**bucket, "o", std::string(100'000, 'x'), Cancel());
  EXPECT_EQ(status.code(), Code::kDenied) << status.message();
  EXPECT_EQ(status.message().find("other"), std::string::npos);
}

TEST_F(S3Server, AMissingBucketIsNoMissingObject) {
  auto bucket =
      MakeBucket(server_->Yaml("no-such-bucket"), {pool_, io::RealFileSystem(), telemetry::Logger::Discard(), "test"});
  EXPECT_EQ(ReadObject(**bucket, "o", Cancel()).status().code(), Code::kInvalid);
  auto ignore = [](const ObjectEntry&) { return Status(); };
  EXPECT_EQ((*bucket)->Iter("", {}, Cancel(), ignore).code(), Code::kInvalid);
}

TEST_F(S3Server, CancelledUploadLeavesNoParts) {
  auto bucket = Make("");
  CancelSource source;
  class Cancelling final : public Source {
   public:
    explicit Cancelling(CancelSource& source) : source_(source) {}
    Result<size_t> Read(char* out, size_t n) override {
      if ((bytes_ += n) > (30 << 20)) source_.Stop();
      std::fill(out, out + n, 'x');
      return n;
    }

   private:
    CancelSource& source_;
    size_t bytes_ = 0;
  } stream(source);
  EXPECT_EQ(bucket->Upload("o", stream, {}, source.cancel()).code(), Code::kCancelled);
  EXPECT_FALSE(*bucket->Exists("o", Cancel()));
}

}  // namespace
}  // namespace gauntlet::objstore
