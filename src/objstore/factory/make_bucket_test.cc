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

// Every field of Thanos' page of storage, with the values that it shows: what is empty there must be refused in the
// provider's own words at most, never as a field that is not known or cannot be read.
TEST_F(ConfigTest, AllFieldsOfEveryProviderAreRead) {
  const std::string http =
      "  http_config:\n    idle_conn_timeout: 1m30s\n    response_header_timeout: 2m\n    insecure_skip_verify: false\n"
      "    tls_handshake_timeout: 10s\n    expect_continue_timeout: 1s\n    max_idle_conns: 100\n"
      "    max_idle_conns_per_host: 100\n    max_conns_per_host: 0\n    disable_compression: false\n";
  const std::string tls =
      "    tls_config: {ca_file: '', cert_file: '', key_file: '', server_name: '', insecure_skip_verify: false}\n";
  const std::vector<std::pair<std::string, std::string>> shown = {
      {"S3",
       "  bucket: ''\n  endpoint: ''\n  region: ''\n  disable_dualstack: false\n  aws_sdk_auth: false\n  access_key: "
       "''\n"
       "  insecure: false\n  signature_version2: false\n  secret_key: ''\n  session_token: ''\n"
       "  put_user_metadata: {}\n  trace: {enable: false}\n  list_objects_version: ''\n  bucket_lookup_type: auto\n"
       "  send_content_md5: true\n  disable_multipart: false\n  part_size: 67108864\n"
       "  sse_config: {type: '', kms_key_id: '', kms_encryption_context: {}, encryption_key: ''}\n"
       "  sts_endpoint: ''\n  max_retries: 0\n" +
           http + tls},
      {"GCS",
       "  bucket: ''\n  service_account: ''\n  use_grpc: false\n  grpc_conn_pool_size: 0\n  chunk_size_bytes: 0\n"
       "  max_retries: 0\n" +
           http + tls},
      {"AZURE",
       "  az_tenant_id: ''\n  client_id: ''\n  client_secret: ''\n  storage_account: ''\n  storage_account_key: ''\n"
       "  storage_connection_string: ''\n  storage_create_container: true\n  container: ''\n"
       "  endpoint: blob.core.windows.net\n  user_assigned_id: ''\n  max_retries: 0\n"
       "  reader_config: {max_retry_requests: 0}\n"
       "  pipeline_config: {max_tries: 0, try_timeout: 0s, retry_delay: 0s, max_retry_delay: 0s}\n  msi_resource: "
       "''\n" +
           http + tls},
      {"SWIFT",
       "  auth_version: 0\n  auth_url: ''\n  username: ''\n  user_domain_name: ''\n  user_domain_id: ''\n  user_id: "
       "''\n"
       "  password: ''\n  domain_id: ''\n  domain_name: ''\n  application_credential_id: ''\n"
       "  application_credential_name: ''\n  application_credential_secret: ''\n  project_id: ''\n  project_name: ''\n"
       "  project_domain_id: ''\n  project_domain_name: ''\n  region_name: ''\n  container_name: ''\n"
       "  large_object_chunk_size: 1073741824\n  large_object_segments_container_name: ''\n  retries: 3\n"
       "  connect_timeout: 10s\n  timeout: 5m\n  use_dynamic_large_objects: false\n" +
           http + tls},
      {"COS",
       "  bucket: ''\n  region: ''\n  app_id: ''\n  endpoint: ''\n  secret_key: ''\n  secret_id: ''\n  max_retries: "
       "0\n" +
           http + tls},
      {"ALIYUNOSS", "  endpoint: ''\n  bucket: ''\n  access_key_id: ''\n  access_key_secret: ''\n"},
      {"BOS", "  bucket: ''\n  endpoint: ''\n  access_key: ''\n  secret_key: ''\n"},
      {"OBS", "  bucket: ''\n  endpoint: ''\n  access_key: ''\n  secret_key: ''\n  max_retries: 0\n" + http + tls},
      {"OCI",
       "  provider: raw\n  bucket: ''\n  compartment_ocid: ''\n  tenancy_ocid: ''\n  user_ocid: ''\n  region: ''\n"
       "  fingerprint: ''\n  privatekey: ''\n  passphrase: ''\n  part_size: 0\n  max_request_retries: 0\n"
       "  request_retry_interval: 0\n  some_field: ignored\n" +
           http + "    client_timeout: 90s\n    some_field: ignored\n"},
  };
  for (const auto& [type, fields] : shown) {
    std::string error = Error("type: " + type + "\nconfig:\n" + fields + "prefix: ''\n");
    EXPECT_NE(error, "") << type;  // nothing of it is there
    EXPECT_EQ(error.find("yaml"), std::string::npos) << type << ": " << error;
  }
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
