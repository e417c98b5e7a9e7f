#include "objstore/s3/dialects.h"

#include "base/clock.h"
#include "config/decoder.h"
#include "objstore/http_config.h"
#include "objstore/rest/rest_client.h"
#include "objstore/s3/key_authorizer.h"
#include "objstore/s3/s3_bucket.h"

namespace gauntlet::objstore {
namespace {

// What the four have in common.
struct Store {
  std::string provider, bucket;
  std::string host;  // with the bucket in front
  bool tls = true;
  std::string region;
  config::Secret access_key, secret_key;
  const V2Dialect* dialect = nullptr;  // null = signature 4
  HttpConfig http;
  int max_retries = 0;
};

// "https://h/", "http://h", "h"; the scheme that is not said is `tls`.
std::string HostOf(std::string endpoint, bool* tls) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!endpoint.starts_with(scheme)) continue;
    *tls = scheme == "https://";
    endpoint.erase(0, scheme.size());
    break;
  }
  return endpoint.substr(0, endpoint.find('/'));
}

Result<std::unique_ptr<Bucket>> Make(const Store& store, const Environment& environment) {
  RestOptions options;
  options.error = XmlError;
  options.region = store.region;
  if (store.max_retries > 0) options.retry.attempts_max = store.max_retries;
  options.address = [host = store.host, tls = store.tls](Request* request, const std::string&) {
    request->tls = tls;
    request->host = host;
    request->path = "/" + request->path;
  };
  S3BucketOptions bucket;
  bucket.provider = store.provider;
  bucket.name = store.bucket;
  bucket.list_v1 = true;
  bucket.conditional_writes = false;
  GN_ASSIGN(std::unique_ptr<net::HttpClient> http,
            net::HttpClient::Make(ToClientOptions(
                store.http, "thanos-" + environment.component + "/" + environment.version + " (gauntlet)")));
  auto keys = std::make_unique<StaticCredentials>(Credentials{store.access_key.value(), store.secret_key.value(), ""});
  auto authorizer = std::make_unique<KeyAuthorizer>(std::move(keys), store.dialect, "/" + store.bucket);
  auto client = std::make_unique<RestClient>(std::move(options), std::move(http), std::move(authorizer), SystemClock());
  return std::unique_ptr<Bucket>(
      std::make_unique<S3Bucket>(std::move(bucket), std::move(client), environment.executor));
}

Status Insufficient(const char* text) { return {Code::kInvalid, text}; }

}  // namespace

Result<std::unique_ptr<Bucket>> MakeCosBucket(const config::Node& node, const Environment& environment) {
  Store store{.provider = "COS"};
  std::string app_id, endpoint;
  GN_TRY(config::DecodeNode(node, "cos.Config", [&](config::Decoder& d) {
    d.Field("bucket", &store.bucket);
    d.Field("region", &store.region);
    d.Field("app_id", &app_id);
    d.Field("endpoint", &endpoint);
    d.Field("secret_key", &store.secret_key);
    d.Field("secret_id", &store.access_key);
    d.Field("max_retries", &store.max_retries);
    DecodeHttpConfig(d, &store.http);
    d.IgnoreOthers();  // as Thanos does
  }));
  if (!endpoint.empty()) {
    if (store.access_key.empty() || store.secret_key.empty()) return Insufficient("secret_id or secret_key is empty");
    store.host = HostOf(endpoint, &store.tls);
  } else {
    if (store.bucket.empty() || app_id.empty() || store.region.empty() || store.access_key.empty() ||
        store.secret_key.empty()) {
      return Insufficient("insufficient cos configuration information");
    }
    store.host = store.bucket + "-" + app_id + ".cos." + store.region + ".myqcloud.com";
  }
  return Make(store, environment);
}

Result<std::unique_ptr<Bucket>> MakeOssBucket(const config::Node& node, const Environment& environment) {
  Store store{.provider = "ALIYUNOSS", .tls = false};  // as its SDK has it: plain, unless the endpoint says https
  std::string endpoint;
  GN_TRY(config::DecodeNode(node, "oss.Config", [&](config::Decoder& d) {
    d.Field("endpoint", &endpoint);
    d.Field("bucket", &store.bucket);
    d.Field("access_key_id", &store.access_key);
    d.Field("access_key_secret", &store.secret_key);
    d.IgnoreOthers();  // as Thanos does
  }));
  if (endpoint.empty() || store.bucket.empty()) {
    return Insufficient("aliyun oss endpoint or bucket is not present in config file");
  }
  if (store.access_key.empty() || store.secret_key.empty()) {
    return Insufficient("aliyun oss access_key_id or access_key_secret is not present in config file");
  }
  store.host = store.bucket + "." + HostOf(endpoint, &store.tls);
  store.dialect = &OssDialect();
  return Make(store, environment);
}

Result<std::unique_ptr<Bucket>> MakeObsBucket(const config::Node& node, const Environment& environment) {
  Store store{.provider = "OBS"};
  std::string endpoint;
  GN_TRY(config::DecodeNode(node, "obs.Config", [&](config::Decoder& d) {
    d.Field("bucket", &store.bucket);
    d.Field("endpoint", &endpoint);
    d.Field("access_key", &store.access_key);
    d.Field("secret_key", &store.secret_key);
    d.Field("max_retries", &store.max_retries);
    DecodeHttpConfig(d, &store.http);
  }));
  if (endpoint.empty()) return Insufficient("no obs endpoint in config file");
  if (store.access_key.empty() && store.secret_key.empty()) {
    return Insufficient("no obs secret_key and access_key specified");
  }
  if (store.access_key.empty()) return Insufficient("no obs access_key specified");
  if (store.secret_key.empty()) return Insufficient("no obs secret_key specified");
  store.host = store.bucket + "." + HostOf(endpoint, &store.tls);
  store.dialect = &ObsDialect();
  return Make(store, environment);
}

Result<std::unique_ptr<Bucket>> MakeBosBucket(const config::Node& node, const Environment& environment) {
  Store store{.provider = "BOS"};
  std::string endpoint;
  GN_TRY(config::DecodeNode(node, "bos.Config", [&](config::Decoder& d) {
    d.Field("bucket", &store.bucket);
    d.Field("endpoint", &endpoint);
    d.Field("access_key", &store.access_key);
    d.Field("secret_key", &store.secret_key);
    d.IgnoreOthers();  // as Thanos does
  }));
  if (store.bucket.empty() || endpoint.empty() || store.access_key.empty() || store.secret_key.empty()) {
    return Insufficient("insufficient BOS configuration information");
  }
  // "bj.bcebos.com" speaks Baidu's own protocol, "s3.bj.bcebos.com" that of S3.
  std::string host = HostOf(endpoint, &store.tls);
  if (!host.starts_with("s3.")) host.insert(0, "s3.");
  store.region = host.substr(3, host.find('.', 3) - 3);
  store.host = store.bucket + "." + host;
  return Make(store, environment);
}

}  // namespace gauntlet::objstore
