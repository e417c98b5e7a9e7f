// The contract over a real S3 server, in several configurations.

#include "io/file_system.h"
#include "objstore/config.h"
#include "objstore/testing/bucket_contract.h"
#include "objstore/testing/radosgw.h"
#include "objstore/testing/temporary_directory.h"

namespace gauntlet::objstore {
namespace {

struct Kept {
  ThreadPool pool{"s3", 8};
  TemporaryDirectory dir;
};

Provided Make(const std::string& more, bool virtual_hosted = false) {
  Radosgw* server = Radosgw::Get();
  if (server == nullptr) return {nullptr, Radosgw::why(), nullptr};
  auto kept = std::make_shared<Kept>();
  std::string yaml = server->Yaml(server->MakeBucketName(), more);
  if (size_t at = yaml.find("127.0.0.1"); virtual_hosted) yaml.replace(at, 9, "localhost");
  if (size_t at = yaml.find("KEYFILE"); at != std::string::npos) {
    EXPECT_TRUE(io::RealFileSystem().WriteAtomically(kept->dir / "key", "0123456789abcdef0123456789abcdef").ok());
    yaml.replace(at, 7, kept->dir / "key");
  }
  auto bucket = MakeBucket(yaml, {kept->pool, io::RealFileSystem(), telemetry::Logger::Discard(), "test"});
  EXPECT_TRUE(bucket.ok()) << bucket.status().message();
  return {*std::move(bucket), "", kept};
}

INSTANTIATE_TEST_SUITE_P(
    S3, BucketContract,
    testing::Values(Provider{"Plain", [] { return Make(""); }},
                    Provider{"PrefixListV1", [] { return Make("  list_objects_version: v1\nprefix: a/b\n"); }},
                    Provider{"SignatureV2", [] { return Make("  signature_version2: true\n"); }},
                    Provider{"VirtualHosted", [] { return Make("  bucket_lookup_type: virtual-hosted\n", true); }},
                    Provider{"CustomerKey",
                             [] { return Make("  sse_config:\n    type: SSE-C\n    encryption_key: KEYFILE\n"); }}),
    [](const auto& info) { return info.param.name; });

// Swift's protocol of the same server (auth version 1).
Provided MakeSwift(const std::string& more) {
  Radosgw* server = Radosgw::Get();
  if (server == nullptr) return {nullptr, Radosgw::why(), nullptr};
  auto pool = std::make_shared<ThreadPool>("swift", 8);
  std::string yaml =
      "type: SWIFT\nconfig:\n  auth_version: 1\n  auth_url: http://127.0.0.1:" + std::to_string(server->port()) +
      "/auth/v1.0\n  username: test:swift\n  password: testsecret\n" + "  container_name: " + server->MakeBucketName() +
      "\n" + more;
  auto bucket = MakeBucket(yaml, {*pool, io::RealFileSystem(), telemetry::Logger::Discard(), "test"});
  EXPECT_TRUE(bucket.ok()) << bucket.status().message();
  if (!bucket.ok()) return {nullptr, "no bucket", nullptr};
  return {*std::move(bucket), "", pool};
}

INSTANTIATE_TEST_SUITE_P(Swift, BucketContract,
                         testing::Values(Provider{"Radosgw", [] { return MakeSwift(""); }},
                                         Provider{"Segments",
                                                  [] { return MakeSwift("  large_object_chunk_size: 500000\n"); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace gauntlet::objstore
