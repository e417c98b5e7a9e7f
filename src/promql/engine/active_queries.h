// ActiveQueries: the queries that run, in a mapped file, so that after a crash the next start can say which they were.
//
// "[" and then one entry of 1,000 bytes per place: {"query":"...","timestamp_sec":N}, zeros, ",". What the file held
// before is read at the start and logged.
//
// Upstream: prometheus promql/query_logger.go
// Threads:  thread-safe.                        Owns: the mapping.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace gauntlet::promql {

class ActiveQueries {
 public:
  // Makes DIR/queries.active anew, with `places` entries. `unfinished`: a JSON list of what was running when the last
  // process ended, or empty.
  static Result<std::unique_ptr<ActiveQueries>> Open(const std::string& dir, size_t places, std::string* unfinished);
  ~ActiveQueries();
  ActiveQueries(const ActiveQueries&) = delete;
  ActiveQueries& operator=(const ActiveQueries&) = delete;

  // Notes a query; the result is for Remove. Beyond the number of places a query goes without a note.
  size_t Insert(std::string_view query, int64_t now_sec);
  void Remove(size_t place);

 private:
  ActiveQueries(char* bytes, size_t size, size_t places);
  char* const bytes_;
  const size_t size_;
  Mutex mutex_;
  std::vector<size_t> free_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::promql
