#include "objstore/config.h"

#include <utility>

#include "config/decoder.h"
#include "config/yaml.h"
#include "objstore/azure/azure_bucket.h"
#include "objstore/azure/azure_config.h"
#include "objstore/filesystem_bucket.h"
#include "objstore/gcs/gcs_bucket.h"
#include "objstore/hedged_bucket.h"
#include "objstore/metered_bucket.h"
#include "objstore/oci/oci_bucket.h"
#include "objstore/prefix_bucket.h"
#include "objstore/s3/dialects.h"
#include "objstore/s3/s3_config.h"
#include "objstore/s3/s3_make.h"
#include "objstore/swift/swift_bucket.h"

namespace gauntlet::objstore {
namespace {

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Fields that it does not know are ignored, as Thanos does for this provider.
Result<std::unique_ptr<Bucket>> MakeFilesystem(const config::Node& node, const Environment& environment) {
  std::string directory;
  GN_TRY(config::DecodeNode(node, "filesystem.Config", [&](config::Decoder& d) {
    d.Field("directory", &directory);
    d.IgnoreOthers();
  }));
  if (directory.empty()) return Status(Code::kInvalid, "missing directory for filesystem bucket");
  return std::unique_ptr<Bucket>(std::make_unique<FilesystemBucket>(environment.files, directory));
}

Result<std::unique_ptr<Bucket>> MakeProvider(const std::string& type, const config::Node& node,
                                             const Environment& environment) {
  const std::string upper = Upper(type);
  if (upper == "FILESYSTEM") return MakeFilesystem(node, environment);
  if (upper == "S3") {
    GN_ASSIGN(S3Config config, ParseS3Config(node));
    return MakeS3Bucket(config, environment);
  }
  if (upper == "AZURE") {
    GN_ASSIGN(AzureConfig config, ParseAzureConfig(node));
    return MakeAzureBucket(config, environment);
  }
  if (upper == "GCS") return MakeGcsBucket(node, environment);
  if (upper == "OCI") return MakeOciBucket(node, environment);
  if (upper == "SWIFT") return MakeSwiftBucket(node, environment);
  if (upper == "COS") return MakeCosBucket(node, environment);
  if (upper == "ALIYUNOSS") return MakeOssBucket(node, environment);
  if (upper == "OBS") return MakeObsBucket(node, environment);
  if (upper == "BOS") return MakeBosBucket(node, environment);
  return Status(Code::kInvalid, "bucket with type " + type + " is not supported");
}

}  // namespace

namespace {

Result<std::unique_ptr<Bucket>> MakeBucket(std::string_view yaml, const Environment& environment,
                                           telemetry::Registry* registry) {
  std::string type, prefix;
  HedgingOptions hedging;
  config::NodePtr root;
  const config::Node* node = nullptr;
  auto parse = [&]() -> Status {
    GN_ASSIGN(root, config::ParseYaml(yaml));
    return config::DecodeNode(*root, "client.BucketConfig", [&](config::Decoder& d) {
      d.Field("type", &type);
      node = d.Take("config");
      d.Field("prefix", &prefix);
      d.Object("hedging_config", "exthttp.HedgingConfig", [&](config::Decoder& h) {
        h.Field("enabled", &hedging.enabled);
        h.Field("up_to", &hedging.up_to);
        h.Field("quantile", &hedging.quantile);
        if (hedging.quantile <= 0 || hedging.quantile >= 1) h.Fail("quantile", "quantile must be between 0 and 1");
      });
    });
  };
  GN_TRY(parse().Wrap("parsing config YAML file"));
  config::NodePtr none = config::Node::Plain("");
  Result<std::unique_ptr<Bucket>> bucket = MakeProvider(type, node != nullptr ? *node : *none, environment);
  if (!bucket.ok()) return bucket.status().Wrap("create " + type + " client");
  if (hedging.enabled)
    bucket = std::unique_ptr<Bucket>(
        std::make_unique<HedgedBucket>(hedging, *std::move(bucket), environment.executor, registry));
  return PrefixBucket::Wrap(*std::move(bucket), prefix);
}

}  // namespace

Result<std::unique_ptr<Bucket>> MakeBucket(std::string_view yaml, const Environment& environment) {
  return MakeBucket(yaml, environment, nullptr);
}

Result<std::unique_ptr<Bucket>> MakeBucket(std::string_view yaml, const Environment& environment,
                                           telemetry::Registry& registry) {
  GN_ASSIGN(std::unique_ptr<Bucket> bucket, MakeBucket(yaml, environment, &registry));
  return std::unique_ptr<Bucket>(std::make_unique<MeteredBucket>(std::move(bucket), registry));
}

}  // namespace gauntlet::objstore
