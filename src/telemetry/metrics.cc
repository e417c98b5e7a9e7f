#include "telemetry/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "base/check.h"
#include "base/mutex.h"
#include "telemetry/exposition.h"

namespace gauntlet::telemetry {

void Counter::Add(double by) {
  GN_DCHECK(by >= 0);
  if (by < 9007199254740992.0 && by == std::floor(by)) {
    whole_.fetch_add(static_cast<uint64_t>(by), std::memory_order_relaxed);
  } else {
    fraction_.fetch_add(by, std::memory_order_relaxed);
  }
}

double Counter::value() const {
  return static_cast<double>(whole_.load(std::memory_order_relaxed)) + fraction_.load(std::memory_order_relaxed);
}

void Counter::Reset() {
  whole_.store(0, std::memory_order_relaxed);
  fraction_.store(0, std::memory_order_relaxed);
}

void Gauge::Add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(new std::atomic<uint64_t>[bounds_.size() + 1]()) {
  GN_CHECK(std::is_sorted(bounds_.begin(), bounds_.end(), std::less_equal<>()));
}

void Histogram::Observe(double v) {
  // An upper bound belongs to its bucket; NaN is above all of them.
  size_t bucket = std::isnan(v)
                      ? bounds_.size()
                      : static_cast<size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), v) - bounds_.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(v, std::memory_order_relaxed);
}

std::vector<uint64_t> Histogram::counts() const {
  std::vector<uint64_t> counts(bounds_.size() + 1);
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = counts_[i].load(std::memory_order_relaxed);
  return counts;
}

double Histogram::sum() const { return sum_.load(std::memory_order_relaxed); }

void Histogram::Reset() {
  for (size_t i = 0; i <= bounds_.size(); ++i) counts_[i].store(0, std::memory_order_relaxed);
  sum_.store(0, std::memory_order_relaxed);
}

void Summary::Observe(double v) {
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(v, std::memory_order_relaxed);
}

void Summary::Reset() {
  count_.store(0, std::memory_order_relaxed);
  sum_.store(0, std::memory_order_relaxed);
}

namespace {

void Write(ExpositionWriter& writer, const LabelPairs& labels, const Counter& counter) {
  writer.WriteFloat("", labels, counter.value());
}
void Write(ExpositionWriter& writer, const LabelPairs& labels, const Gauge& gauge) {
  writer.WriteFloat("", labels, gauge.value());
}
void Write(ExpositionWriter& writer, const LabelPairs& labels, const Summary& summary) {
  writer.WriteFloat("_sum", labels, summary.sum());
  writer.WriteCount("_count", labels, summary.count());
}
void Write(ExpositionWriter& writer, const LabelPairs& labels, const Histogram& histogram) {
  std::vector<uint64_t> counts = histogram.counts();
  uint64_t cumulative = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    cumulative += counts[i];
    double bound = i < histogram.bounds().size() ? histogram.bounds()[i] : HUGE_VAL;
    writer.WriteCount("_bucket", labels, cumulative, &bound);
  }
  writer.WriteFloat("_sum", labels, histogram.sum());
  writer.WriteCount("_count", labels, cumulative);
}

template <typename T>
std::string_view TypeName();
template <>
std::string_view TypeName<Counter>() {
  return "counter";
}
template <>
std::string_view TypeName<Gauge>() {
  return "gauge";
}
template <>
std::string_view TypeName<Histogram>() {
  return "histogram";
}
template <>
std::string_view TypeName<Summary>() {
  return "summary";
}

// What the registry sees of a family.
class AnyFamily {
 public:
  AnyFamily(std::string name, std::string help, std::string type, std::vector<std::string> label_names)
      : name_(std::move(name)), help_(std::move(help)), type_(std::move(type)), label_names_(std::move(label_names)) {}
  virtual ~AnyFamily() = default;
  virtual void WriteSamples(ExpositionWriter& writer) const = 0;

  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  const std::string& type() const { return type_; }
  const std::vector<std::string>& label_names() const { return label_names_; }

 private:
  const std::string name_, help_, type_;
  const std::vector<std::string> label_names_;
};

class CollectedFamily : public AnyFamily {
 public:
  CollectedFamily(std::string name, std::string help, std::string type, std::function<std::vector<Sample>()> collect)
      : AnyFamily(std::move(name), std::move(help), std::move(type), {}), collect_(std::move(collect)) {}
  void WriteSamples(ExpositionWriter& writer) const override {
    for (const Sample& sample : collect_()) writer.WriteFloat(sample.suffix, sample.labels, sample.value);
  }

 private:
  const std::function<std::vector<Sample>()> collect_;
};

// Label values as one key: each with its length, so that no two lists collide.
void AppendKey(std::string& key, std::span<const std::string_view> values) {
  for (std::string_view value : values) {
    auto size = static_cast<uint32_t>(value.size());
    key.append(reinterpret_cast<const char*>(&size), sizeof(size));
    key.append(value);
  }
}

template <typename T>
std::unique_ptr<T> MakeChild(const std::vector<double>& bounds) {
  if constexpr (std::is_same_v<T, Histogram>) {
    return std::make_unique<T>(bounds);
  } else {
    return std::make_unique<T>();
  }
}

}  // namespace

template <typename T>
class Family<T>::Rep : public AnyFamily {
 public:
  Rep(std::string name, std::string help, std::vector<std::string> label_names, std::vector<double> bounds)
      : AnyFamily(std::move(name), std::move(help), std::string(TypeName<T>()), std::move(label_names)),
        bounds_(std::move(bounds)),
        order_(this->label_names().size()) {
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::sort(order_.begin(), order_.end(),
              [this](size_t a, size_t b) { return this->label_names()[a] < this->label_names()[b]; });
  }

  const std::vector<double>& bounds() const { return bounds_; }

  T& Find(std::span<const std::string_view> values) {
    GN_CHECK(values.size() == label_names().size());
    thread_local std::string key;  // its buffer is kept, so a lookup does not allocate
    key.clear();
    AppendKey(key, values);
    MutexLock lock(mutex_);
    Child& child = children_[key];
    if (child.metric == nullptr) {
      for (size_t i : order_) child.labels.emplace_back(label_names()[i], values[i]);
      child.metric = MakeChild<T>(bounds_);
    } else if (child.forgotten) {
      child.metric->Reset();
    }
    child.forgotten = false;
    return *child.metric;
  }

  void Remove(std::span<const std::string_view> values) {
    std::string key;
    AppendKey(key, values);
    MutexLock lock(mutex_);
    auto it = children_.find(key);
    if (it != children_.end()) it->second.forgotten = true;
  }

  void Clear() {
    MutexLock lock(mutex_);
    for (auto& [key, child] : children_) child.forgotten = true;
  }

  void WriteSamples(ExpositionWriter& writer) const override {
    std::vector<const Child*> sorted;
    MutexLock lock(mutex_);
    sorted.reserve(children_.size());
    for (const auto& [key, child] : children_) {
      if (!child.forgotten) sorted.push_back(&child);
    }
    std::sort(sorted.begin(), sorted.end(), [](const Child* a, const Child* b) { return a->labels < b->labels; });
    for (const Child* child : sorted) Write(writer, child->labels, *child->metric);
  }

 private:
  struct Child {
    LabelPairs labels;  // by name
    std::unique_ptr<T> metric;
    bool forgotten = false;
  };
  const std::vector<double> bounds_;
  std::vector<size_t> order_;
  mutable Mutex mutex_;
  std::unordered_map<std::string, Child> children_ GN_GUARDED_BY(mutex_);
};

template <typename T>
T& Family<T>::Find(std::span<const std::string_view> values) {
  return rep_->Find(values);
}
template <typename T>
void Family<T>::Remove(std::span<const std::string_view> values) {
  rep_->Remove(values);
}
template <typename T>
void Family<T>::Clear() {
  rep_->Clear();
}
template class Family<Counter>;
template class Family<Gauge>;
template class Family<Histogram>;
template class Family<Summary>;

class Registry::Rep {
 public:
  template <typename T>
  std::shared_ptr<typename Family<T>::Rep> Make(std::string name, std::string help,
                                                std::vector<std::string> label_names, std::vector<double> bounds) {
    MutexLock lock(mutex_);
    std::shared_ptr<AnyFamily>& slot = families_[name];
    if (slot == nullptr) {
      auto made = std::make_shared<typename Family<T>::Rep>(std::move(name), std::move(help), std::move(label_names),
                                                            std::move(bounds));
      slot = made;
      return made;
    }
    auto found = std::dynamic_pointer_cast<typename Family<T>::Rep>(slot);
    GN_CHECK(found != nullptr && found->label_names() == label_names && found->bounds() == bounds);
    return found;
  }

  void Put(std::shared_ptr<AnyFamily> family) {
    MutexLock lock(mutex_);
    families_[family->name()] = std::move(family);
  }

  std::vector<std::shared_ptr<AnyFamily>> All() const {
    MutexLock lock(mutex_);
    std::vector<std::shared_ptr<AnyFamily>> all;
    for (const auto& [name, family] : families_) all.push_back(family);
    return all;
  }

 private:
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<AnyFamily>> families_ GN_GUARDED_BY(mutex_);
};

Registry::Registry() : rep_(std::make_unique<Rep>()) {}
Registry::~Registry() = default;

Counter& Registry::MakeCounter(std::string name, std::string help) {
  return MakeCounters(std::move(name), std::move(help), {}).With({});
}
Gauge& Registry::MakeGauge(std::string name, std::string help) {
  return MakeGauges(std::move(name), std::move(help), {}).With({});
}
Histogram& Registry::MakeHistogram(std::string name, std::string help, std::vector<double> bounds) {
  return MakeHistograms(std::move(name), std::move(help), {}, std::move(bounds)).With({});
}
Family<Counter> Registry::MakeCounters(std::string name, std::string help, std::vector<std::string> label_names) {
  return Family<Counter>(rep_->Make<Counter>(std::move(name), std::move(help), std::move(label_names), {}));
}
Family<Gauge> Registry::MakeGauges(std::string name, std::string help, std::vector<std::string> label_names) {
  return Family<Gauge>(rep_->Make<Gauge>(std::move(name), std::move(help), std::move(label_names), {}));
}
Family<Histogram> Registry::MakeHistograms(std::string name, std::string help, std::vector<std::string> label_names,
                                           std::vector<double> bounds) {
  return Family<Histogram>(
      rep_->Make<Histogram>(std::move(name), std::move(help), std::move(label_names), std::move(bounds)));
}
Family<Summary> Registry::MakeSummaries(std::string name, std::string help, std::vector<std::string> label_names) {
  return Family<Summary>(rep_->Make<Summary>(std::move(name), std::move(help), std::move(label_names), {}));
}

void Registry::MakeCollected(std::string name, std::string help, std::string type,
                             std::function<std::vector<Sample>()> collect) {
  rep_->Put(std::make_shared<CollectedFamily>(std::move(name), std::move(help), std::move(type), std::move(collect)));
}

std::string Registry::Expose(bool open_metrics) const {
  std::string out;
  ExpositionWriter writer(open_metrics, out);
  for (const auto& family : rep_->All()) {
    writer.BeginFamily(family->name(), family->help(), family->type());
    family->WriteSamples(writer);
  }
  writer.Finish();
  return out;
}

}  // namespace gauntlet::telemetry
