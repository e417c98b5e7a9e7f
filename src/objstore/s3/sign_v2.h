// The older signature: HMAC-SHA1 over a few parts of the request. AWS, Alibaba OSS and Huawei OBS have it in dialects.
//
// Format:  AWS, "Signature Version 2"      Threads: free functions.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "objstore/rest/request.h"
#include "objstore/s3/sign_v4.h"

namespace gauntlet::objstore {

struct V2Dialect {
  std::string scheme = "AWS";            // opens the Authorization header
  std::string header_prefix = "x-amz-";  // of headers that are signed
  bool escaped_resource = true;          // the path is signed with its percent escapes
  std::vector<std::string_view> sub_resources;
};
const V2Dialect& AwsV2Dialect();
const V2Dialect& OssDialect();
const V2Dialect& ObsDialect();

// `resource`: "/bucket/key" even when the bucket is in the host's name.
void SignV2(const V2Dialect& dialect, const Credentials& credentials, int64_t now_ms, const std::string& resource,
            Request* request);

}  // namespace gauntlet::objstore
