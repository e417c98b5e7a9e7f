#include "objstore/s3/s3_config.h"

#include "config/decoder.h"

namespace gauntlet::objstore {
namespace {

Result<S3Config::Lookup> ParseLookup(std::string_view text) {
  if (text == "auto") return S3Config::Lookup::kAuto;
  if (text == "virtual-hosted") return S3Config::Lookup::kVirtualHosted;
  if (text == "path") return S3Config::Lookup::kPath;
  return Status(Code::kInvalid, "unsupported bucket lookup type: " + std::string(text));
}

Status Validate(const S3Config& c) {
  auto invalid = [](std::string text) { return Status(Code::kInvalid, std::move(text)); };
  if (c.endpoint.empty()) return invalid("no s3 endpoint in config file");
  if (c.endpoint.find('/') != std::string::npos) {
    return invalid("endpoint " + c.endpoint + " is not a host with an optional port");
  }
  if (c.aws_sdk_auth && !c.access_key.empty()) {
    return invalid("aws_sdk_auth and access_key are mutually exclusive configurations");
  }
  if (c.access_key.empty() && !c.secret_key.empty()) {
    return invalid("no s3 access_key specified while secret_key is present in config file");
  }
  if (!c.access_key.empty() && c.secret_key.empty()) {
    return invalid("no s3 secret_key specified while access_key is present in config file");
  }
  if (c.sse.type == "SSE-C" && c.sse.encryption_key_file.empty()) {
    return invalid("encryption_key must be set if sse_config.type is set to 'SSE-C'");
  }
  if (c.sse.type == "SSE-KMS" && c.sse.kms_key_id.empty()) {
    return invalid("kms_key_id must be set if sse_config.type is set to 'SSE-KMS'");
  }
  if (!c.sse.type.empty() && c.sse.type != "SSE-C" && c.sse.type != "SSE-KMS" && c.sse.type != "SSE-S3") {
    return invalid("sse_config.type \"" + c.sse.type + "\" is not supported: SSE-S3, SSE-KMS, SSE-C");
  }
  if (!c.list_objects_version.empty() && c.list_objects_version != "v1" && c.list_objects_version != "v2") {
    return invalid("list_objects_version \"" + c.list_objects_version + "\" is not supported: v1, v2");
  }
  if (c.bucket.empty()) return invalid("no s3 bucket in config file");
  return Status();
}

}  // namespace

Result<S3Config> ParseS3Config(const config::Node& node) {
  S3Config c;
  GN_TRY(config::DecodeNode(node, "s3.Config", [&](config::Decoder& d) {
    d.Field("bucket", &c.bucket);
    d.Field("endpoint", &c.endpoint);
    d.Field("region", &c.region);
    d.Field("disable_dualstack", &c.disable_dualstack);
    d.Field("aws_sdk_auth", &c.aws_sdk_auth);
    d.Field("access_key", &c.access_key);
    d.Field("insecure", &c.insecure);
    d.Field("signature_version2", &c.signature_v2);
    d.Field("secret_key", &c.secret_key);
    d.Field("session_token", &c.session_token);
    d.Field("put_user_metadata", &c.put_user_metadata);
    DecodeHttpConfig(d, &c.http);
    d.Object("trace", "s3.TraceConfig", [&](config::Decoder& trace) { trace.Field("enable", &c.trace); });
    d.Field("list_objects_version", &c.list_objects_version);
    d.Parsed("bucket_lookup_type", &c.lookup, &ParseLookup);
    d.Field("send_content_md5", &c.send_content_md5);
    d.Field("disable_multipart", &c.disable_multipart);
    d.Field("part_size", &c.part_size);
    d.Object("sse_config", "s3.SSEConfig", [&](config::Decoder& sse) {
      sse.Field("type", &c.sse.type);
      sse.Field("kms_key_id", &c.sse.kms_key_id);
      sse.Field("kms_encryption_context", &c.sse.kms_encryption_context);
      sse.Field("encryption_key", &c.sse.encryption_key_file);
    });
    d.Field("sts_endpoint", &c.sts_endpoint);
    d.Field("max_retries", &c.max_retries);
  }));
  GN_TRY(Validate(c));
  return c;
}

}  // namespace gauntlet::objstore
