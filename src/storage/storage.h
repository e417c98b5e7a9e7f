// The interfaces at which evaluation and data meet: Queryable, Querier, SeriesSet, Series.
//
// A series is handed over undecoded and owned, so that many can be decoded and evaluated in parallel; decoding is one
// call per series into columns that the caller reuses.
//
// Upstream: prometheus storage/interface.go

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "model/annotations.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/samples.h"

namespace gauntlet {
class MemoryBudget;
}

namespace gauntlet::storage {

// What the evaluation will do with the samples; a source may use it to send less. Times in milliseconds, inclusive.
struct SelectHints {
  int64_t start_ms = 0, end_ms = 0;  // the samples that can matter: window and offset included (start is exclusive + 1)
  int64_t step_ms = 0;               // 0 for an instant query
  int64_t range_ms = 0;              // window of a range selector, 0 for an instant selector
  std::string func;  // nearest enclosing function or aggregation: "rate", "sum"; "series" for /api/v1/series
  std::vector<std::string> grouping;
  bool by = false;
  int64_t limit = 0;  // series at most; 0 = all
};

// One series and its samples, still encoded. One thread at a time; different series may be used on different threads.
class Series {
 public:
  virtual ~Series() = default;
  // Borrowed from the series.
  virtual LabelsView labels() const = 0;
  // Appends the samples with start_ms <= t <= end_ms of the select, in time order, stale markers included. May be
  // called again, and gives the same. kCorrupt when the bytes do not decode.
  virtual Status Read(Samples* out) const = 0;
  // Encoded bytes held, for accounting.
  virtual size_t memory_bytes() const = 0;
};

// Series in the order of their labels, each label set once. One thread at a time.
class SeriesSet {
 public:
  virtual ~SeriesSet() = default;
  // The next series; null at the end. Blocks on the network; ends early with the cancel's status.
  virtual Result<std::unique_ptr<Series>> Next() = 0;
  // Complete once Next() returned null.
  virtual const Annotations& annotations() const = 0;
};

struct Strings {
  std::vector<std::string> values;  // sorted, unique
  Annotations annotations;
};

// Reads within one query. Thread-safe: selects may run in parallel.
class Querier {
 public:
  virtual ~Querier() = default;
  // Never null; errors come from Next(). `budget` (may be null) is charged for what the set holds.
  virtual std::unique_ptr<SeriesSet> Select(const SelectHints& hints, std::span<const Matcher> matchers,
                                            const Cancel& cancel, MemoryBudget* budget) = 0;
  // limit 0 = all; a cut answer carries the warning "results truncated due to limit".
  virtual Result<Strings> LabelNames(std::span<const Matcher> matchers, int64_t limit, const Cancel& cancel) = 0;
  virtual Result<Strings> LabelValues(const std::string& name, std::span<const Matcher> matchers, int64_t limit,
                                      const Cancel& cancel) = 0;
};

// Thread-safe.
class Queryable {
 public:
  virtual ~Queryable() = default;
  // For samples in [mint_ms, maxt_ms].
  virtual Result<std::unique_ptr<Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) = 0;
};

}  // namespace gauntlet::storage
