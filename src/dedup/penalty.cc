// The walk is written as upstream's iterators are, because for more than two replicas the state of the inner pair
// matters: it is adjusted by the outer one's switches at wherever its two sides stand.

#include "dedup/penalty.h"

#include <algorithm>
#include <concepts>
#include <limits>
#include <memory>
#include <utility>

#include "model/stale.h"

namespace gauntlet::dedup {
namespace {

constexpr int64_t kInitialPenalty = 5000;
constexpr int64_t kNoTimeYet = std::numeric_limits<int64_t>::min();

// One replica. One thread at a time.
class Leaf {
 public:
  explicit Leaf(const Samples* samples) : samples_(samples) {}

  // Both move forward and return false at the end.
  bool Next() { return ++at_ < samples_->size(); }
  bool Seek(int64_t t) {
    const auto& times = samples_->times_ms;
    while (at_ < times.size() && times[at_] < t) ++at_;
    return at_ < times.size();
  }
  int64_t time() const { return samples_->times_ms[at_]; }
  bool is_float() {
    const auto& histograms = samples_->histograms;
    while (histogram_ < histograms.size() && histograms[histogram_].position < at_) ++histogram_;
    return histogram_ == histograms.size() || histograms[histogram_].position != at_;
  }
  double value() const {
    double v = samples_->values[at_];
    return raised_by_ == 0 || IsStaleNaN(v) ? v : v + raised_by_;  // an addition would make a stale marker a plain NaN
  }
  void RaiseTo(double last) {
    if (last > value()) raised_by_ += last - value();
  }
  // Emits the sample it stands on and those after it, as long as each begins before the other replica may win again:
  // within twice the last step (`tie` more: of two at the same time this one wins). `last_t` is the time before it,
  // `penalty` what the other one has to wait from here; both move along, and `leave` becomes the latest time that the
  // other one was sent to. Ends on the last one emitted.
  void EmitRun(int64_t tie, int64_t* last_t, int64_t* penalty, int64_t* leave, Samples* out) {
    const auto& times = samples_->times_ms;
    size_t begin = at_;
    while (at_ + 1 < times.size() && times[at_ + 1] < times[at_] + 1 + *penalty + tie) {
      *leave = std::max(*leave, times[at_] + 1 + *penalty);
      *penalty = 2 * (times[at_ + 1] - times[at_]);
      ++at_;
    }
    *last_t = times[at_];
    size_t base = out->size();
    AppendRange(*samples_, begin, at_ + 1, out);
    if (raised_by_ == 0) return;
    for (size_t i = base; i < out->size(); ++i) {
      if (!IsStaleNaN(out->values[i])) out->values[i] += raised_by_;
    }
  }
  void Emit(Samples* out) {
    if (!is_float() || !samples_->start_times_ms.empty() || !out->start_times_ms.empty()) {
      AppendRange(*samples_, at_, at_ + 1, out);
      out->values.back() = value();
      return;
    }
    out->times_ms.push_back(time());
    out->values.push_back(value());
  }

 private:
  const Samples* samples_;
  size_t at_ = SIZE_MAX;  // before the first
  size_t histogram_ = 0;
  double raised_by_ = 0;
};

// A merged pair; A is a Leaf or, for more than two replicas, the merged ones before. One thread at a time.
template <typename A>
class Pair {
 public:
  Pair(A a, Leaf b, bool counter)
      : a_(std::move(a)), b_(std::move(b)), counter_(counter), a_valid_(a_.Next()), b_valid_(b_.Next()) {}

  bool Next() {
    bool was_a = use_a_;
    bool was_float = counter_ && (use_a_ ? a_valid_ && a_.is_float() : b_valid_ && b_.is_float());
    double last = was_float ? value() : 0;
    bool more = Advance();
    if (use_a_ != was_a && was_float) RaiseTo(last);
    return more;
  }
  bool Seek(int64_t t) {
    while (time() < t) {
      if (!Next()) return false;
    }
    return true;
  }
  int64_t time() const { return use_a_ ? a_.time() : b_.time(); }
  bool is_float() { return last_a_ ? a_.is_float() : b_.is_float(); }
  double value() const { return last_a_ ? a_.value() : b_.value(); }
  void RaiseTo(double last) {
    if (a_valid_ && a_.is_float()) a_.RaiseTo(last);
    if (b_valid_ && b_.is_float()) b_.RaiseTo(last);
  }
  void Emit(Samples* out) { last_a_ ? a_.Emit(out) : b_.Emit(out); }
  // Emits the sample it stands on and all after it that need no look at the other side.
  void EmitRun(Samples* out)
    requires std::same_as<A, Leaf>
  {
    int64_t leave = kNoTimeYet;
    if (last_a_) {
      a_.EmitRun(1, &last_t_, &penalty_b_, &leave, out);
      if (b_valid_ && leave != kNoTimeYet) b_valid_ = b_.Seek(leave);
    } else {
      b_.EmitRun(0, &last_t_, &penalty_a_, &leave, out);
      if (a_valid_ && leave != kNoTimeYet) a_valid_ = a_.Seek(leave);
    }
  }

 private:
  bool Advance() {
    if (a_valid_) a_valid_ = a_.Seek(last_t_ + 1 + penalty_a_);
    if (b_valid_) b_valid_ = b_.Seek(last_t_ + 1 + penalty_b_);
    if (!a_valid_) {
      use_a_ = false;
      if (b_valid_) Take(false, b_.time());
      return b_valid_;
    }
    if (!b_valid_) {
      use_a_ = true;
      Take(true, a_.time());
      return true;
    }
    int64_t ta = a_.time(), tb = b_.time();
    use_a_ = ta <= tb;
    int64_t t = use_a_ ? ta : tb;
    (use_a_ ? penalty_b_ : penalty_a_) = last_t_ == kNoTimeYet ? kInitialPenalty : 2 * (t - last_t_);
    Take(use_a_, t);
    return true;
  }
  void Take(bool a, int64_t t) {
    last_a_ = a;
    last_t_ = t;
    (a ? penalty_a_ : penalty_b_) = 0;
  }

  A a_;
  Leaf b_;
  bool counter_;
  bool a_valid_, b_valid_;
  int64_t last_t_ = kNoTimeYet, penalty_a_ = 0, penalty_b_ = 0;
  bool use_a_ = true;   // which side the walk stands on
  bool last_a_ = true;  // which side the last sample came from
};

// A pair of any depth. One thread at a time.
class Folded {
 public:
  template <typename A>
  explicit Folded(Pair<A> pair) : node_(std::make_unique<Node<Pair<A>>>(std::move(pair))) {}

  bool Next() { return node_->Next(); }
  bool Seek(int64_t t) { return node_->Seek(t); }
  int64_t time() const { return node_->time(); }
  bool is_float() { return node_->is_float(); }
  double value() const { return node_->value(); }
  void RaiseTo(double last) { node_->RaiseTo(last); }
  void Emit(Samples* out) { node_->Emit(out); }

 private:
  struct NodeBase {
    virtual ~NodeBase() = default;
    virtual bool Next() = 0;
    virtual bool Seek(int64_t t) = 0;
    virtual int64_t time() const = 0;
    virtual bool is_float() = 0;
    virtual double value() const = 0;
    virtual void RaiseTo(double last) = 0;
    virtual void Emit(Samples* out) = 0;
  };
  template <typename P>
  struct Node : NodeBase {
    explicit Node(P p) : pair(std::move(p)) {}
    bool Next() override { return pair.Next(); }
    bool Seek(int64_t t) override { return pair.Seek(t); }
    int64_t time() const override { return pair.time(); }
    bool is_float() override { return pair.is_float(); }
    double value() const override { return pair.value(); }
    void RaiseTo(double last) override { pair.RaiseTo(last); }
    void Emit(Samples* out) override { pair.Emit(out); }
    P pair;
  };
  std::unique_ptr<NodeBase> node_;
};

template <typename P>
void EmitAll(P& merged, Samples* out) {
  while (merged.Next()) merged.Emit(out);
}

}  // namespace

void MergeWithPenalty(std::span<const Samples* const> replicas, bool counter, Samples* out) {
  if (replicas.empty()) return;
  if (replicas.size() == 1) {
    AppendRange(*replicas[0], 0, replicas[0]->size(), out);
    return;
  }
  if (!counter || replicas.size() == 2) {
    // Nothing is raised, so that what a pair gives does not depend on who asks: one pair after the other.
    Samples merged, longer;
    for (size_t i = 1; i < replicas.size(); ++i) {
      bool last = i + 1 == replicas.size();
      longer.Clear();
      Pair<Leaf> pair{Leaf(i == 1 ? replicas[0] : &merged), Leaf(replicas[i]), counter};
      while (pair.Next()) pair.EmitRun(last ? out : &longer);
      std::swap(merged, longer);
    }
    return;
  }
  Pair<Leaf> first{Leaf(replicas[0]), Leaf(replicas[1]), counter};
  Folded folded(std::move(first));
  for (size_t i = 2; i < replicas.size(); ++i) {
    folded = Folded(Pair<Folded>(std::move(folded), Leaf(replicas[i]), counter));
  }
  EmitAll(folded, out);
}

}  // namespace gauntlet::dedup
