#include "objstore/s3/sign_v2.h"

#include <algorithm>

#include "net/text.h"
#include "objstore/http_date.h"
#include "objstore/sign.h"

namespace gauntlet::objstore {
namespace {

V2Dialect MakeAws() {
  V2Dialect aws;
  aws.sub_resources = {"acl",        "delete",    "lifecycle",      "location", "logging", "notification",
                       "partNumber", "policy",    "requestPayment", "tagging",  "torrent", "uploadId",
                       "uploads",    "versionId", "versioning",     "versions", "website"};
  return aws;
}

}  // namespace

const V2Dialect& AwsV2Dialect() {
  static const V2Dialect dialect = MakeAws();
  return dialect;
}

const V2Dialect& OssDialect() {
  static const V2Dialect dialect = [] {
    V2Dialect oss = MakeAws();
    oss.scheme = "OSS";
    oss.escaped_resource = false;
    oss.header_prefix = "x-oss-";
    for (std::string_view more :
         {"append", "position", "continuation-token", "security-token", "response-content-type"}) {
      oss.sub_resources.push_back(more);
    }
    return oss;
  }();
  return dialect;
}

const V2Dialect& ObsDialect() {
  static const V2Dialect dialect = [] {
    V2Dialect obs = MakeAws();
    obs.scheme = "OBS";
    obs.header_prefix = "x-obs-";
    return obs;
  }();
  return dialect;
}

void SignV2(const V2Dialect& dialect, const Credentials& credentials, int64_t now_ms, const std::string& resource,
            Request* request) {
  if (!request->headers.Has("Date")) request->headers.Set("Date", FormatHttpDate(now_ms));
  if (!credentials.session_token.empty()) {
    request->headers.Set(dialect.header_prefix + "security-token", credentials.session_token);
  }
  std::vector<std::pair<std::string, std::string>> own;
  for (const auto& [name, value] : request->headers.all()) {
    std::string lower = net::LowerAscii(name);
    if (lower.starts_with(dialect.header_prefix)) own.emplace_back(std::move(lower), value);
  }
  std::sort(own.begin(), own.end());
  std::string text = request->method + "\n" + std::string(request->headers.Get("Content-MD5")) + "\n" +
                     std::string(request->headers.Get("Content-Type")) + "\n" +
                     std::string(request->headers.Get("Date")) + "\n";
  for (const auto& [name, value] : own) text += name + ":" + value + "\n";
  text += resource;
  auto query = request->query;
  std::sort(query.begin(), query.end());
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (std::find(dialect.sub_resources.begin(), dialect.sub_resources.end(), name) == dialect.sub_resources.end()) {
      continue;
    }
    text += separator + name + (value.empty() ? "" : "=" + value);
    separator = '&';
  }
  request->headers.Set("Authorization", dialect.scheme + " " + credentials.access_key + ":" +
                                            Base64(HmacSha1(credentials.secret_key, text)));
}

}  // namespace gauntlet::objstore
