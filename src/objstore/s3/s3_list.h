// S3Lister: the pages of a listing, by ListObjectsV2 or the first version.
//
// Threads: one thread at a time.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "objstore/rest/rest_client.h"

namespace gauntlet::objstore {

struct S3ListEntry {
  std::string name;
  uint64_t bytes = 0;
  int64_t modified_ms = 0;
};

struct S3ListPage {
  std::vector<S3ListEntry> entries;  // ascending
  bool truncated = false;
  std::string next;  // token or marker
};

// The body of an answer to either version.
Result<S3ListPage> ParseListing(std::string_view xml);

class S3Lister {
 public:
  // Borrows the options.
  S3Lister(RestClient& client, std::string prefix, const IterOptions& options, bool v1)
      : client_(client), prefix_(std::move(prefix)), options_(options), v1_(v1) {}
  bool done() const { return done_; }
  // REQUIRES: !done()
  Result<std::vector<S3ListEntry>> NextPage(const Cancel& cancel);

 private:
  RestClient& client_;
  const std::string prefix_;
  const IterOptions& options_;
  const bool v1_;
  std::string next_;
  bool done_ = false;
};

}  // namespace gauntlet::objstore
