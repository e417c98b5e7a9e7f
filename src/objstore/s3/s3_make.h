// From Thanos' YAML of an S3 bucket to the bucket.
//
// Threads: free functions.

#pragma once

#include <memory>

#include "base/status.h"
#include "config/yaml.h"
#include "objstore/bucket.h"
#include "objstore/environment.h"
#include "objstore/s3/s3_config.h"

namespace gauntlet::objstore {

Result<std::unique_ptr<Bucket>> MakeS3Bucket(const S3Config& config, const Environment& environment);

}  // namespace gauntlet::objstore
