// SwiftBucket: a container of OpenStack Swift. Large objects are segments with a manifest, static or dynamic.
//
// Upstream: objstore providers/swift
// Threads:  thread-safe.

#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "objstore/bucket.h"
#include "objstore/environment.h"
#include "objstore/rest/rest_bucket.h"
#include "objstore/swift/swift_config.h"

namespace gauntlet::objstore {

class SwiftBucket final : public RestBucket {
 public:
  SwiftBucket(SwiftConfig config, std::unique_ptr<RestClient> client, Executor& executor)
      : RestBucket("SWIFT", config.container, std::move(client)), config_(std::move(config)), executor_(executor) {}

  // kInvalid when there is no such container.
  Status CheckContainers(const Cancel& cancel);

  Status Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
              const OnEntry& on_entry) override;
  bool lists_ranges() const override { return true; }
  Status Upload(const std::string& name, Source& source, const UploadOptions& options, const Cancel& cancel) override;
  Status Delete(const std::string& name, const Cancel& cancel) override;

 private:
  Request ObjectRequest(const char* method, const std::string& name) const override;
  Request InContainer(const char* method, const std::string& container, const std::string& name) const;
  Status PutSegments(const std::string& name, PartCutter& cutter, const Cancel& cancel);

  const SwiftConfig config_;
  Executor& executor_;
};

Result<std::unique_ptr<Bucket>> MakeSwiftBucket(const config::Node& node, const Environment& environment);

}  // namespace gauntlet::objstore
