#include "dedup/chain.h"

#include <limits>
#include <utility>
#include <vector>

namespace gauntlet::dedup {
namespace {

struct Cursor {
  const Samples* samples;
  size_t at = 0;
  int64_t time() const { return samples->times_ms[at]; }
  bool done() const { return at >= samples->size(); }
};

// A binary heap of cursors by time, with the moves of Go's container/heap, on which ties depend.
class CursorHeap {
 public:
  explicit CursorHeap(std::vector<Cursor>* cursors) : cursors_(*cursors) {}

  bool empty() const { return heap_.empty(); }
  int64_t top_time() const { return cursors_[heap_[0]].time(); }
  void Push(uint32_t cursor) {
    heap_.push_back(cursor);
    for (size_t j = heap_.size() - 1; j > 0;) {
      size_t parent = (j - 1) / 2;
      if (!Less(j, parent)) break;
      std::swap(heap_[j], heap_[parent]);
      j = parent;
    }
  }
  uint32_t Pop() {
    size_t n = heap_.size() - 1;
    std::swap(heap_[0], heap_[n]);
    for (size_t i = 0;;) {
      size_t child = 2 * i + 1;
      if (child >= n) break;
      if (child + 1 < n && Less(child + 1, child)) ++child;
      if (!Less(child, i)) break;
      std::swap(heap_[i], heap_[child]);
      i = child;
    }
    uint32_t top = heap_.back();
    heap_.pop_back();
    return top;
  }

 private:
  bool Less(size_t i, size_t j) const { return cursors_[heap_[i]].time() < cursors_[heap_[j]].time(); }

  std::vector<Cursor>& cursors_;
  std::vector<uint32_t> heap_;
};

// Appends samples [begin, end) of one replica; of the first one the neighbour before came from elsewhere.
void AppendRun(const Samples& from, size_t begin, size_t end, Samples* out) {
  if (end - begin == 1 && from.floats_only() && from.start_times_ms.empty() && out->start_times_ms.empty()) {
    out->times_ms.push_back(from.times_ms[begin]);
    out->values.push_back(from.values[begin]);
    return;
  }
  size_t histogram = out->histograms.size(), base = out->size();
  AppendRange(from, begin, end, out);
  if (histogram == out->histograms.size() || out->histograms[histogram].position != base) return;
  ResetHint& hint = out->histograms[histogram].histogram.reset_hint;
  if (hint != ResetHint::kGauge) hint = ResetHint::kUnknown;
}

bool PlainFloats(const Samples& samples) { return samples.floats_only() && samples.start_times_ms.empty(); }

// Two replicas of nothing but floats, without a heap. Of two samples at one time, the one of the replica that did not
// give the sample before is taken, as the heap has it.
void ChainTwo(const Samples& a, const Samples& b, Samples* out) {
  size_t base = out->size();
  out->times_ms.resize(base + a.size() + b.size());
  out->values.resize(base + a.size() + b.size());
  int64_t* times = out->times_ms.data() + base;
  double* values = out->values.data() + base;
  Cursor current{&a}, other{&b};
  size_t n = 0;
  while (!current.done() && !other.done()) {
    int64_t t = current.time(), t_other = other.time();
    if (n > 0 && t == times[n - 1]) {
      ++current.at;
      continue;
    }
    if (t >= t_other) {
      std::swap(current, other);
      if (n > 0 && t_other == times[n - 1]) {
        ++current.at;
        continue;
      }
      t = t_other;
    }
    times[n] = t;
    values[n++] = current.samples->values[current.at++];
  }
  if (current.done()) current = other;
  for (; !current.done(); ++current.at) {
    if (n > 0 && current.time() == times[n - 1]) continue;
    times[n] = current.time();
    values[n++] = current.samples->values[current.at];
  }
  out->times_ms.resize(base + n);
  out->values.resize(base + n);
}

}  // namespace

void ChainReplicas(std::span<const Samples* const> replicas, Samples* out) {
  if (replicas.size() == 2 && PlainFloats(*replicas[0]) && PlainFloats(*replicas[1]) && PlainFloats(*out)) {
    ChainTwo(*replicas[0], *replicas[1], out);
    return;
  }
  std::vector<Cursor> cursors;
  for (const Samples* replica : replicas) cursors.push_back({replica});
  CursorHeap heap(&cursors);
  for (uint32_t i = 1; i < cursors.size(); ++i) {
    if (!cursors[i].done()) heap.Push(i);
  }
  int64_t last_t = std::numeric_limits<int64_t>::min();
  size_t current = 0, run_begin = 0;  // samples [run_begin, at] of the current cursor are taken, but not yet appended
  bool in_run = false;
  auto end_run = [&] {
    if (in_run) AppendRun(*cursors[current].samples, run_begin, cursors[current].at, out);
    in_run = false;
  };
  // A cursor in the heap stands on a sample not yet looked at; `current` stands on the next one of its replica.
  for (; !cursors.empty();) {
    Cursor& cursor = cursors[current];
    if (!cursor.done()) {
      int64_t t = cursor.time();
      if (t == last_t) {
        end_run();
        ++cursor.at;
        continue;
      }
      if (heap.empty() || t < heap.top_time()) {
        if (!in_run) run_begin = cursor.at;
        in_run = true;
        last_t = t;
        ++cursor.at;
        continue;
      }
    }
    end_run();
    if (cursor.done() && heap.empty()) return;
    if (!cursor.done()) heap.Push(static_cast<uint32_t>(current));
    current = heap.Pop();
    Cursor& next = cursors[current];
    if (next.time() != last_t) {
      run_begin = next.at;
      in_run = true;
      last_t = next.time();
    }
    ++next.at;
  }
}

}  // namespace gauntlet::dedup
