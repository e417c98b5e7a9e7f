#include "objstore/s3/s3_make.h"

#include <algorithm>

#include "base/clock.h"
#include "json/writer.h"
#include "net/text.h"
#include "objstore/s3/credentials.h"
#include "objstore/s3/key_authorizer.h"
#include "objstore/s3/s3_bucket.h"
#include "objstore/s3/sign_v2.h"
#include "objstore/sign.h"

namespace gauntlet::objstore {
namespace {

std::string UserAgent(const Environment& environment) {
  return "thanos-" + environment.component + "/" + environment.version + " (gauntlet)";
}

// "s3.amazonaws.com", "s3.eu-west-1.amazonaws.com", "s3.dualstack.eu-west-1.amazonaws.com", the same in China; and the
// region in it.
bool IsAmazon(std::string_view host, std::string* region) {
  if (host.ends_with(".cn")) host.remove_suffix(3);
  constexpr std::string_view kDomain = ".amazonaws.com";
  if (!host.ends_with(kDomain)) return false;
  host.remove_suffix(kDomain.size());
  if (host == "s3") return true;
  if (host.starts_with("s3.dualstack.")) {
    *region = host.substr(13);
    return region->find('.') == std::string::npos;
  }
  if (host.starts_with("s3.") || host.starts_with("s3-")) {
    *region = host.substr(3);
    // Other services below the domain (s3-accesspoint.., s3-fips...) are taken as they are.
    return region->find('.') == std::string::npos && !region->starts_with("fips");
  }
  return false;
}

bool IsDnsName(const std::string& bucket, bool with_tls) {
  if (bucket.size() < 3 || bucket.size() > 63) return false;
  for (char c : bucket) {
    if (c == '.' && with_tls) return false;  // the certificate's wildcard covers one part
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.')) return false;
  }
  return bucket.front() != '-' && bucket.back() != '-';
}

bool VirtualHosted(const S3Config& config, bool amazon) {
  switch (config.lookup) {
    case S3Config::Lookup::kVirtualHosted:
      return true;
    case S3Config::Lookup::kPath:
      return false;
    case S3Config::Lookup::kAuto:
      break;
  }
  bool host_wants_it = amazon || config.endpoint == "storage.googleapis.com" ||
                       config.endpoint.find("aliyuncs.com") != std::string::npos;
  return host_wants_it && IsDnsName(config.bucket, !config.insecure);
}

bool IsStandardHeader(const std::string& lower) {
  for (std::string_view name : {"content-type", "cache-control", "content-encoding", "content-disposition",
                                "content-language", "expires", "if-match", "if-none-match"}) {
    if (lower == name) return true;
  }
  return lower.starts_with("x-amz-");
}

Status AddEncryption(const S3Config& config, io::FileSystem& files, S3BucketOptions* out) {
  if (config.sse.type == "SSE-S3") out->put_headers.Set("x-amz-server-side-encryption", "AES256");
  if (config.sse.type == "SSE-KMS") {
    out->put_headers.Set("x-amz-server-side-encryption", "aws:kms");
    out->put_headers.Set("x-amz-server-side-encryption-aws-kms-key-id", config.sse.kms_key_id);
    std::string text;
    json::Writer writer(&text);
    writer.BeginObject();
    for (const auto& [key, value] : config.sse.kms_encryption_context) writer.StringMember(key, value);
    writer.EndObject();
    out->put_headers.Set("x-amz-server-side-encryption-context", Base64(text));
  }
  if (config.sse.type == "SSE-C") {
    GN_ASSIGN(std::string key, files.ReadFile(config.sse.encryption_key_file, 4096));
    if (key.size() != 32) return {Code::kInvalid, "the file of encryption_key must have 32 bytes"};
    out->key_headers.Set("x-amz-server-side-encryption-customer-algorithm", "AES256");
    out->key_headers.Set("x-amz-server-side-encryption-customer-key", Base64(key));
    out->key_headers.Set("x-amz-server-side-encryption-customer-key-MD5", Base64(Md5Bytes(key)));
  }
  return Status();
}

std::string AmazonHost(const std::string& region, bool dualstack) {
  return std::string("s3.") + (dualstack ? "dualstack." : "") + region + ".amazonaws.com" +
         (region.starts_with("cn-") ? ".cn" : "");
}

std::string WithoutUsualPort(const std::string& endpoint, bool with_tls) {
  std::string_view port = with_tls ? ":443" : ":80";
  return endpoint.ends_with(port) ? endpoint.substr(0, endpoint.size() - port.size()) : endpoint;
}

}  // namespace

Result<std::unique_ptr<Bucket>> MakeS3Bucket(const S3Config& config, const Environment& environment) {
  const bool tls = !config.insecure;
  const std::string endpoint = WithoutUsualPort(config.endpoint, tls);
  std::string endpoint_region;
  const bool amazon = IsAmazon(endpoint, &endpoint_region);
  const bool virtual_hosted = VirtualHosted(config, amazon);
  RestOptions client;
  client.error = XmlError;
  client.region = config.region.empty() ? endpoint_region : config.region;
  client.retry.attempts_max = config.max_retries > 0 ? config.max_retries : 10;
  client.address = [=, bucket = config.bucket, dualstack = !config.disable_dualstack](Request* request,
                                                                                      const std::string& region) {
    // The host of AWS follows the region.
    const std::string host = amazon ? AmazonHost(region, dualstack) : endpoint;
    request->tls = tls;
    request->host = virtual_hosted ? bucket + "." + host : host;
    request->path = virtual_hosted ? "/" + request->path : "/" + bucket + "/" + request->path;
  };
  if (config.trace) client.trace = &environment.logger;

  S3BucketOptions bucket;
  bucket.name = config.bucket;
  bucket.list_v1 = config.list_objects_version == "v1";
  bucket.content_md5 = config.send_content_md5;
  bucket.multipart = !config.disable_multipart;
  bucket.part_bytes = config.part_size == 0 ? 64 << 20 : config.part_size;
  for (const auto& [name, value] : config.put_user_metadata) {
    bucket.put_headers.Set(IsStandardHeader(net::LowerAscii(name)) ? name : "x-amz-meta-" + name, value);
  }
  GN_TRY(AddEncryption(config, environment.files, &bucket));

  const net::HttpClientOptions http_options = ToClientOptions(config.http, UserAgent(environment));
  GN_ASSIGN(std::unique_ptr<net::HttpClient> http, net::HttpClient::Make(http_options));
  std::unique_ptr<net::HttpClient> metadata_http;
  std::unique_ptr<CredentialSource> source;
  if (!config.access_key.empty()) {
    source = std::make_unique<StaticCredentials>(
        Credentials{config.access_key, config.secret_key.value(), config.session_token.value()});
  } else {
    net::HttpClientOptions plain;
    plain.user_agent = http_options.user_agent;
    plain.compression = false;
    plain.connect_timeout = std::chrono::milliseconds(2'000);
    GN_ASSIGN(metadata_http, net::HttpClient::Make(plain));
    CredentialOptions options;
    options.endpoint = config.sts_endpoint;
    options.region = config.region;
    source = std::make_unique<CredentialChain>(std::move(options), *metadata_http, environment.files, SystemClock());
  }
  auto authorizer =
      std::make_unique<KeyAuthorizer>(std::move(source), config.signature_v2 ? &AwsV2Dialect() : nullptr,
                                      virtual_hosted ? "/" + config.bucket : "", std::move(metadata_http));
  auto s3 = std::make_unique<RestClient>(std::move(client), std::move(http), std::move(authorizer), SystemClock());
  return std::unique_ptr<Bucket>(std::make_unique<S3Bucket>(std::move(bucket), std::move(s3), environment.executor));
}

}  // namespace gauntlet::objstore
