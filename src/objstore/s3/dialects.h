// Stores that speak S3 with an accent: Tencent COS, Alibaba OSS, Huawei OBS, Baidu BOS, each by its own YAML.
//
// COS and BOS are asked by signature 4 of AWS, OSS and OBS by their own kin of signature 2. Not run against a server.
// Format:  Thanos, "storage"      Upstream: objstore providers/{cos,oss,obs,bos}
// Threads: free functions.

#pragma once

#include <memory>

#include "base/status.h"
#include "config/yaml.h"
#include "objstore/bucket.h"
#include "objstore/environment.h"

namespace gauntlet::objstore {

Result<std::unique_ptr<Bucket>> MakeCosBucket(const config::Node& node, const Environment& environment);
Result<std::unique_ptr<Bucket>> MakeOssBucket(const config::Node& node, const Environment& environment);
Result<std::unique_ptr<Bucket>> MakeObsBucket(const config::Node& node, const Environment& environment);
Result<std::unique_ptr<Bucket>> MakeBosBucket(const config::Node& node, const Environment& environment);

}  // namespace gauntlet::objstore
