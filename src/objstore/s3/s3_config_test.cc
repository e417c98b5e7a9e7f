#include "objstore/s3/s3_config.h"

#include <gtest/gtest.h>

#include "config/yaml.h"
#include "objstore/s3/s3_list.h"
#include "objstore/s3/s3_upload.h"

namespace gauntlet::objstore {
namespace {

Result<S3Config> Parse(std::string_view yaml) { return ParseS3Config(**config::ParseYaml(yaml)); }

TEST(S3Config, EveryFieldIsRead) {
  auto c = Parse(R"(
bucket: b
endpoint: "e:9000"
region: r
disable_dualstack: true
access_key: a
insecure: true
signature_version2: true
secret_key: s
session_token: t
put_user_metadata: {X-Amz-Storage-Class: STANDARD_IA}
http_config:
  idle_conn_timeout: 1m
  response_header_timeout: 3m
  insecure_skip_verify: true
  tls_handshake_timeout: 11s
  expect_continue_timeout: 2s
  max_idle_conns: 7
  max_idle_conns_per_host: 8
  max_conns_per_host: 9
  tls_config: {ca_file: ca, cert_file: c, key_file: k, server_name: n, insecure_skip_verify: false}
  disable_compression: true
trace: {enable: true}
list_objects_version: v1
bucket_lookup_type: virtual-hosted
send_content_md5: false
disable_multipart: true
part_size: 134217728
sse_config: {type: SSE-KMS, kms_key_id: id, kms_encryption_context: {k: v}, encryption_key: ""}
sts_endpoint: "https://sts"
max_retries: 5
)");
  ASSERT_TRUE(c.ok()) << c.status().message();
  EXPECT_EQ(c->endpoint, "e:9000");
  EXPECT_EQ(c->secret_key.value() + c->session_token.value(), "st");
  EXPECT_EQ(c->http.response_header_timeout, std::chrono::minutes(3));
  EXPECT_EQ(c->http.tls.server_name, "n");
  EXPECT_EQ(c->lookup, S3Config::Lookup::kVirtualHosted);
  EXPECT_EQ(c->part_size, 134217728u);
  EXPECT_EQ(c->sse.kms_encryption_context.at("k"), "v");
  EXPECT_FALSE(c->send_content_md5);
  EXPECT_EQ(c->max_retries, 5);
}

TEST(S3Config, MistakesAreTold) {
  auto error = [](std::string_view yaml) { return std::string(Parse(yaml).status().message()); };
  EXPECT_EQ(error("{bucket: b}"), "no s3 endpoint in config file");
  EXPECT_EQ(error("{bucket: b, endpoint: e, aws_sdk_auth: true, access_key: a, secret_key: s}"),
            "aws_sdk_auth and access_key are mutually exclusive configurations");
  EXPECT_NE(error("{bucket: b, endpoint: e, secret_key: hidden}").find("no s3 access_key"), std::string::npos);
  EXPECT_EQ(error("{bucket: b, endpoint: e, secret_key: hidden}").find("hidden"), std::string::npos);
  EXPECT_NE(error("{bucket: b, endpoint: e, sse_config: {type: SSE-X}}").find("not supported"), std::string::npos);
  EXPECT_NE(error("{bucket: b, endpoint: e, sse_config: {type: SSE-C}}").find("encryption_key"), std::string::npos);
  EXPECT_NE(error("{bucket: b, endpoint: e, list_objects_version: v3}").find("v3"), std::string::npos);
  EXPECT_NE(error("{bucket: b, endpoint: e, unknown: 1}").find("field unknown not found in type s3.Config"),
            std::string::npos);
  EXPECT_NE(error("{bucket: b, endpoint: e, http_config: {x: 1}}").find("exthttp.HTTPConfig"), std::string::npos);
  EXPECT_NE(error("{bucket: b, endpoint: e, bucket_lookup_type: dns}").find("dns"), std::string::npos);
}

TEST(S3Listing, ReadsBothVersions) {
  auto page = ParseListing(
      "<ListBucketResult><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType><NextContinuationToken>tok"
      "</NextContinuationToken><Contents><Key>a%2Bb+c</Key><LastModified>2026-01-05T00:00:01.500Z</LastModified><Size>7"
      "</Size></Contents><CommonPrefixes><Prefix>a%20d/</Prefix></CommonPrefixes></ListBucketResult>");
  ASSERT_TRUE(page.ok()) << page.status().message();
  ASSERT_EQ(page->entries.size(), 2u);
  EXPECT_EQ(page->entries[0].name, "a d/");
  EXPECT_EQ(page->entries[1].name, "a+b c");
  EXPECT_EQ(page->entries[1].bytes, 7u);
  EXPECT_EQ(page->entries[1].modified_ms, 1767571201500);
  EXPECT_EQ(page->next, "tok");
  auto first = ParseListing(
      "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>k</Key><LastModified>"
      "2026-01-05T00:00:01Z</LastModified><Size>1</Size></Contents></ListBucketResult>");
  EXPECT_EQ(first->next, "k");
  for (const char* bad :
       {"", "<x/>", "<ListBucketResult><Contents><Key>k</Key><Size>-</Size></Contents></ListBucketResult>"}) {
    EXPECT_EQ(ParseListing(bad).status().code(), Code::kCorrupt) << bad;
  }
}

TEST(S3Parts, NeverMoreThanTenThousand) {
  const uint64_t mib = 1 << 20, tib = mib * mib;
  EXPECT_EQ(PartBytes(100 * mib, 64 * mib), 64 * mib);
  EXPECT_EQ(PartBytes(100 * mib, 1), 5 * mib);
  for (uint64_t bytes : {tib, 5 * tib, 700'000 * mib, 640'000 * mib + 1}) {
    uint64_t part = PartBytes(bytes, 64 * mib);
    EXPECT_LE((bytes + part - 1) / part, 10'000u);
    EXPECT_LE(part, 5u * 1024 * mib);
  }
}

}  // namespace
}  // namespace gauntlet::objstore
