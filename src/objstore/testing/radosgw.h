// Radosgw: the S3 server of test/s3/radosgw.py, one for the process, started for its first user.
//
// Threads: one thread at a time.

#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "objstore/bucket.h"
#include "objstore/config.h"

namespace gauntlet::objstore {

class Radosgw {
 public:
  // Null when it cannot run here; then why() says why.
  static Radosgw* Get();
  static const std::string& why();

  int port() const { return port_; }
  // A new, empty bucket of the server.
  std::string MakeBucketName();
  // The YAML for it; `more` is added to the config, two spaces before each line. Another port: of a proxy.
  std::string Yaml(const std::string& bucket, const std::string& more = "", int port = 0) const;

 private:
  static Radosgw& Only();
  Radosgw();
  ~Radosgw();
  int port_ = 0;
  int stdin_ = -1;
  int pid_ = 0;
  int buckets_ = 0;
  std::string why_;
};

}  // namespace gauntlet::objstore
