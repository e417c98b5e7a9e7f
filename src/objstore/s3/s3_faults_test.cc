// S3 through a proxy that spoils connections: every answer is right or a clear error, and nothing hangs.

#include <gtest/gtest.h>

#include <atomic>

#include "base/executor.h"
#include "objstore/config.h"
#include "objstore/sources.h"
#include "objstore/testing/fault_proxy.h"
#include "objstore/testing/radosgw.h"

namespace gauntlet::objstore {
namespace {

using Fault = FaultProxy::Fault;
using std::chrono::milliseconds;

std::string Pattern(size_t n) {
  std::string bytes(n, '\0');
  uint32_t x = 99;
  for (char& c : bytes) c = static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  return bytes;
}

class S3Faults : public testing::Test {
 protected:
  void SetUp() override {
    Radosgw* server = Radosgw::Get();
    if (server == nullptr) GTEST_SKIP() << "no server: " << Radosgw::why();
    proxy_ = std::make_unique<FaultProxy>(server->port());
    name_ = server->MakeBucketName();
    bucket_ = Make("");
    direct_ = MakeOn(server->port(), "");
  }
  std::unique_ptr<Bucket> MakeOn(int port, const std::string& more) {
    auto bucket = MakeBucket(Radosgw::Get()->Yaml(name_, more, port),
                             {pool_, io::RealFileSystem(), telemetry::Logger::Discard(), "test"});
    EXPECT_TRUE(bucket.ok()) << bucket.status().message();
    return *std::move(bucket);
  }
  std::unique_ptr<Bucket> Make(const std::string& more) { return MakeOn(proxy_->port(), more); }
  std::vector<std::string> List(Bucket& bucket) {
    std::vector<std::string> names;
    Status status = bucket.Iter("", {.recursive = true}, Cancel(), [&](const ObjectEntry& entry) {
      names.emplace_back(entry.name);
      return Status();
    });
    EXPECT_TRUE(status.ok()) << status.message();
    return names;
  }

  ThreadPool pool_{"s3", 16};
  std::unique_ptr<FaultProxy> proxy_;
  std::string name_;
  std::unique_ptr<Bucket> bucket_, direct_;
};

TEST_F(S3Faults, StormsOf503AreWaitedOut) {
  std::atomic<int> left{6};
  proxy_->SetPlan([&](int, const std::string&) {
    return left-- > 0 ? Fault{.status = 503, .body = "<Error><Code>SlowDown</Code></Error>"} : Fault{};
  });
  ASSERT_TRUE(WriteObject(*bucket_, "o", "bytes", Cancel()).ok());
  left = 3;
  EXPECT_EQ(*ReadObject(*bucket_, "o", Cancel()), "bytes");
  left = 3;
  EXPECT_TRUE(*bucket_->Exists("o", Cancel()));
  left = 3;
  EXPECT_EQ(List(*bucket_), std::vector<std::string>{"o"});
  left = 2;
  EXPECT_TRUE(bucket_->Delete("o", Cancel()).ok());
}

TEST_F(S3Faults, AnEndlessStormEndsWithTheServersWords) {
  proxy_->SetPlan([](int, const std::string&) {
    return Fault{.status = 503, .body = "<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>"};
  });
  Status status = ReadObject(*Make("  max_retries: 3\n"), "o", Cancel()).status();
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_EQ(status.message(), "read o: gave up after 3 attempts: status 503 SlowDown: Reduce your rate");
  EXPECT_EQ(proxy_->connections(), 3);
  CancelSource deadline(Cancel(), milliseconds(300));
  EXPECT_EQ(bucket_->Exists("o", deadline.cancel()).status().code(), Code::kDeadline);
}

TEST_F(S3Faults, AnswersOf429And500AreTriedAgainOthersAreNot) {
  for (int status : {429, 500, 502, 504, 408}) {
    std::atomic<bool> once{true};
    proxy_->SetPlan([&](int, const std::string&) { return once.exchange(false) ? Fault{.status = status} : Fault{}; });
    EXPECT_FALSE(*bucket_->Exists("absent", Cancel())) << status;
  }
  proxy_->SetPlan([](int, const std::string&) { return Fault{.status = 403}; });
  int before = proxy_->connections();
  EXPECT_EQ(bucket_->Exists("o", Cancel()).status().code(), Code::kDenied);
  EXPECT_EQ(proxy_->connections(), before + 1);
}

TEST_F(S3Faults, ResetsInEveryPlaceOfADownloadAreResumed) {
  const std::string bytes = Pattern(3 << 20);
  ASSERT_TRUE(WriteObject(*direct_, "o", bytes, Cancel()).ok());
  std::atomic<int> ranges{0};
  for (bool orderly : {false, true}) {
    proxy_->SetPlan([&](int number, const std::string& head) {
      if (head.find("\r\nRange:") != std::string::npos) ++ranges;
      Fault fault;
      // Cut behind 0 bytes, in the head, right behind it, and further and further in the body.
      static constexpr int64_t kCuts[] = {0, 100, 700, 5'000, 400'000, 1'000'000, 2'000'000};
      int64_t cut = number % 8 < 7 ? kCuts[number % 8] : -1;
      (orderly ? fault.end_answer_at : fault.cut_answer_at) = cut;
      return fault;
    });
    for (int i = 0; i < 3; ++i) EXPECT_EQ(*ReadObject(*bucket_, "o", Cancel()) == bytes, true);
    EXPECT_EQ(*ReadRange(*bucket_, "o", 1'000'000, 1'500'000, Cancel()) == bytes.substr(1'000'000, 1'500'000), true);
  }
  EXPECT_GT(ranges, 5);
}

TEST_F(S3Faults, AnObjectReplacedInMidReadIsAnErrorNotAMixture) {
  const std::string one = Pattern(1 << 20), two(1 << 20, 'x');
  ASSERT_TRUE(WriteObject(*direct_, "o", one, Cancel()).ok());
  std::atomic<int> gets{0};
  proxy_->SetPlan([&](int, const std::string&) {
    if (gets++ == 0) return Fault{.cut_answer_at = 300'000};
    EXPECT_TRUE(WriteObject(*direct_, "o", two, Cancel()).ok());
    return Fault{};
  });
  Status status = ReadObject(*bucket_, "o", Cancel()).status();
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("replaced"), std::string::npos) << status.message();
}

TEST_F(S3Faults, UploadsSurviveResetsAndLostAnswers) {
  const std::string bytes = Pattern((12 << 20) + 5);
  auto bucket = Make("  part_size: 5242880\n");
  std::atomic<int> n{0};
  proxy_->SetPlan([&](int, const std::string&) {
    switch (n++ % 4) {
      case 0:
        return Fault{.reset_at_once = true};
      case 1:
        return Fault{.lose_answer = true};  // also of the beginning and of the end of an upload in parts
      case 2:
        return Fault{.status = 500};
      default:
        return Fault{};
    }
  });
  StringSource source(bytes);
  Status status = bucket->Upload("big", source, {}, Cancel());
  ASSERT_TRUE(status.ok()) << status.message();
  status = WriteObject(*bucket, "small", "bytes", Cancel());
  ASSERT_TRUE(status.ok()) << status.message();
  proxy_->SetPlan(nullptr);
  EXPECT_EQ(*ReadObject(*direct_, "big", Cancel()) == bytes, true);
  EXPECT_EQ(*ReadObject(*direct_, "small", Cancel()), "bytes");
}

TEST_F(S3Faults, AnErrorInsideA200OfTheLastCallIsNoSuccess) {
  auto bucket = Make("  part_size: 5242880\n  max_retries: 2\n");
  proxy_->SetPlan([&](int, const std::string& head) {
    bool complete = head.starts_with("POST") && head.find("uploadId=") != std::string::npos;
    return complete ? Fault{.status = 200, .body = "<Error><Code>InternalError</Code></Error>"} : Fault{};
  });
  const std::string bytes = Pattern(6 << 20);
  StringSource source(bytes);
  EXPECT_EQ(bucket->Upload("o", source, {}, Cancel()).code(), Code::kUnavailable);
  EXPECT_EQ(List(*direct_), std::vector<std::string>());
}

TEST_F(S3Faults, AServerThatSaysNothingIsLeftAfterTheTimeout) {
  auto bucket = Make("  max_retries: 2\n  http_config:\n    response_header_timeout: 100ms\n");
  proxy_->SetPlan([](int, const std::string&) { return Fault{.hang = true}; });
  Status status = ReadObject(*bucket, "o", Cancel()).status();
  EXPECT_EQ(status.code(), Code::kDeadline);
  EXPECT_NE(status.message().find("gave up after 2 attempts"), std::string::npos) << status.message();
  std::string bytes(1 << 20, 'x');
  EXPECT_EQ(WriteObject(*bucket, "o", bytes, Cancel()).code(), Code::kDeadline);
}

TEST_F(S3Faults, LatencyIsNoFault) {
  proxy_->SetPlan([](int, const std::string&) { return Fault{.delay = milliseconds(50)}; });
  std::atomic<int> wrong{0};
  ParallelFor(pool_, 32, [&](size_t i) {
    std::string name = std::to_string(i), bytes = Pattern(10'000 + i);
    if (!WriteObject(*bucket_, name, bytes, Cancel()).ok()) ++wrong;
    Result<std::string> read = ReadObject(*bucket_, name, Cancel());
    if (!read.ok() || *read != bytes) ++wrong;
  });
  EXPECT_EQ(wrong, 0);
}

TEST_F(S3Faults, ACancelEndsACallThatHangs) {
  CancelSource source;
  proxy_->SetPlan([&](int, const std::string&) {
    source.Stop();
    return Fault{.hang = true};
  });
  EXPECT_EQ(bucket_->Attributes("o", source.cancel()).status().code(), Code::kCancelled);
}

}  // namespace
}  // namespace gauntlet::objstore
