// Gate: lets so many queries run at once; the others wait in line.
//
// Upstream: prometheus promql/query_logger.go (Insert), util/gate
// Threads:  thread-safe.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"

namespace gauntlet::promql {

class Gate {
 public:
  // 0 = as many as come.
  explicit Gate(size_t places) : places_(places) {}
  // Waits for a place, first come first served; the cancel's status when that ends first.
  Status Enter(const Cancel& cancel);
  void Leave();

 private:
  const size_t places_;
  Mutex mutex_;
  CondVar changed_;
  size_t inside_ GN_GUARDED_BY(mutex_) = 0;
  std::deque<uint64_t> line_ GN_GUARDED_BY(mutex_);
  uint64_t next_ticket_ GN_GUARDED_BY(mutex_) = 0;
};

}  // namespace gauntlet::promql
