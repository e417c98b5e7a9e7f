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

}  // namespace
}  // namespace gauntlet::objstore
