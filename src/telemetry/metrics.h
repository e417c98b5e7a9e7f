// Metrics: counters, gauges, summaries and histograms that /metrics exposes in Prometheus' formats.
//
// A metric object is found once (a lookup by labels takes a lock) and then updated without locks.
// Threads: everything here is thread-safe. Objects live as long as their Registry.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gauntlet::telemetry {

class Counter {
 public:
  void Add(double by = 1);  // REQUIRES: by >= 0
  double value() const;
  void Reset();  // of a child that its family forgot and is asked for again

 private:
  std::atomic<uint64_t> whole_{0};  // integer increments: one atomic add
  std::atomic<double> fraction_{0};
};

class Gauge {
 public:
  void Set(double v) { value_.store(v, std::memory_order_relaxed); }
  void Add(double by);
  double value() const { return value_.load(std::memory_order_relaxed); }
  void Reset() { Set(0); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // REQUIRES: `bounds` ascend.
  explicit Histogram(std::vector<double> bounds);
  void Observe(double v);
  const std::vector<double>& bounds() const { return bounds_; }  // upper, without +Inf
  // Counts per bucket (the last is +Inf), not cumulative; and the sum.
  std::vector<uint64_t> counts() const;
  double sum() const;
  void Reset();

 private:
  const std::vector<double> bounds_;
  std::unique_ptr<std::atomic<uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

// Count and sum without quantiles: what client_golang's summaries without objectives expose.
class Summary {
 public:
  void Observe(double v);
  uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }
  void Reset();

 private:
  std::atomic<uint64_t> count_{0};
  std::atomic<double> sum_{0};
};

using LabelPairs = std::vector<std::pair<std::string, std::string>>;

// One name with its help; children by label values. With() returns the same object for the same values.
template <typename T>
class Family {
 public:
  class Rep;
  Family() = default;  // REQUIRES: assigned from a Registry before use
  explicit Family(std::shared_ptr<Rep> rep) : rep_(std::move(rep)) {}

  // REQUIRES: as many values as the family has label names.
  T& With(std::initializer_list<std::string_view> values) { return Find({values.begin(), values.size()}); }
  T& Find(std::span<const std::string_view> values);
  // Leaves the child out of expositions until it is asked for again, then from zero. References to it stay valid.
  void Remove(std::span<const std::string_view> values);
  void Clear();

 private:
  std::shared_ptr<Rep> rep_;
};

struct Sample {
  std::string suffix;  // "_bucket", "_sum", ...; usually empty
  LabelPairs labels;
  double value;
};

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Registering a name again with the same type and label names returns the family that is there; with others it is a
  // bug and aborts.
  Counter& MakeCounter(std::string name, std::string help);
  Gauge& MakeGauge(std::string name, std::string help);
  Histogram& MakeHistogram(std::string name, std::string help, std::vector<double> bounds);
  Family<Counter> MakeCounters(std::string name, std::string help, std::vector<std::string> label_names);
  Family<Gauge> MakeGauges(std::string name, std::string help, std::vector<std::string> label_names);
  Family<Histogram> MakeHistograms(std::string name, std::string help, std::vector<std::string> label_names,
                                   std::vector<double> bounds);
  Family<Summary> MakeSummaries(std::string name, std::string help, std::vector<std::string> label_names);
  // A family computed at each scrape. `type`: "counter", "gauge", "summary", "untyped". Replaces one of the same name.
  void MakeCollected(std::string name, std::string help, std::string type,
                     std::function<std::vector<Sample>()> collect);

  // Text format 0.0.4, or OpenMetrics 1.0.0 with "# EOF". Families by name, children by label values; a family without
  // children is left out.
  std::string Expose(bool open_metrics) const;

 private:
  class Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace gauntlet::telemetry
