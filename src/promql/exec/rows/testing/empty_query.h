// EmptyQuery: what the operators of one query share, over a storage without series. Test code only.
//
// Threads: one thread at a time.

#pragma once

#include <memory>

#include "base/cancel.h"
#include "base/executor.h"
#include "promql/exec/rows/context.h"
#include "promql/exec/rows/stage.h"
#include "storage/memory_storage.h"

namespace gauntlet::promql {

struct EmptyQuery {
  EmptyQuery() { scratch.context = &context; }

  CancelSource source;
  InlineExecutor executor;
  storage::MemoryStorage storage;
  std::unique_ptr<storage::Querier> querier = *storage.MakeQuerier(0, 1);
  ExecContext context{.cancel = source.cancel(),
                      .executor = executor,
                      .budget = nullptr,
                      .querier = *querier,
                      .options = {},
                      .meter = SampleMeter(0)};
  WorkerScratch scratch;
};

}  // namespace gauntlet::promql
