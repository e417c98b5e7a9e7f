// TemporaryDirectory: of one test; removed at its end.
//
// Threads: a value.

#pragma once

#include <cstdlib>
#include <string>

#include "base/check.h"
#include "io/file_system.h"

namespace gauntlet::objstore {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char pattern[] = "/tmp/gauntlet_objstore_XXXXXX";
    GN_CHECK(mkdtemp(pattern) != nullptr);
    path_ = pattern;
  }
  ~TemporaryDirectory() { (void)io::RealFileSystem().RemoveAll(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace gauntlet::objstore
