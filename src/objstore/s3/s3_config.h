// S3Config: Thanos' YAML of an S3 bucket.
//
// Format:  Thanos, "storage", S3      Upstream: objstore providers/s3
// Threads: a value.

#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "config/secret.h"
#include "config/yaml.h"
#include "objstore/http_config.h"

namespace gauntlet::objstore {

struct S3Config {
  enum class Lookup : uint8_t { kAuto, kVirtualHosted, kPath };
  struct Sse {
    std::string type;  // "", "SSE-S3", "SSE-KMS", "SSE-C"
    std::string kms_key_id;
    std::map<std::string, std::string> kms_encryption_context;
    std::string encryption_key_file;
  };

  std::string bucket, endpoint, region;
  bool disable_dualstack = false, aws_sdk_auth = false, insecure = false, signature_v2 = false;
  std::string access_key;
  config::Secret secret_key, session_token;
  std::map<std::string, std::string> put_user_metadata;
  HttpConfig http;
  bool trace = false;
  std::string list_objects_version;
  Lookup lookup = Lookup::kAuto;
  bool send_content_md5 = true, disable_multipart = false;
  uint64_t part_size = 64 << 20;
  Sse sse;
  std::string sts_endpoint;
  int max_retries = 0;  // 0 = 10
};

Result<S3Config> ParseS3Config(const config::Node& node);

}  // namespace gauntlet::objstore
