#include "promql/exec/rows/row.h"

#include <algorithm>
#include <cstring>

namespace gauntlet::promql {

void Column::SetPresent(uint32_t begin, uint32_t end) {
  uint64_t* bits = present();
  while (begin < end) {
    const uint32_t word = begin / 64, stop = std::min(end, 64 * word + 64);
    bits[word] |= ~uint64_t{0} >> (64 - (stop - begin)) << (begin % 64);
    begin = stop;
  }
}

uint32_t Column::CountFloats() const {
  const uint64_t* bits = present();
  uint32_t count = 0;
  for (uint32_t w = 0; w < words(); ++w) count += static_cast<uint32_t>(std::popcount(bits[w]));
  return count;
}

const HistogramPoint* Column::FindPoint(uint32_t step) const {
  auto at = std::lower_bound(histograms_.begin(), histograms_.end(), step,
                             [](const HistogramPoint& p, uint32_t s) { return p.step < s; });
  return at != histograms_.end() && at->step == step ? &*at : nullptr;
}

void Column::OrPresence(uint64_t* bits) const {
  const uint64_t* mine = present();
  for (uint32_t w = 0; w < words(); ++w) bits[w] |= mine[w];
  for (const HistogramPoint& p : histograms_) bits[p.step / 64] |= uint64_t{1} << (p.step % 64);
}

Column Column::Copy() const {
  Column copy(steps_);
  if (steps_ > 0) std::memcpy(copy.data_.get(), data_.get(), (steps_ + words()) * sizeof(double));
  copy.histograms_ = histograms_;
  return copy;
}

size_t Column::memory_bytes() const {
  size_t bytes = (steps_ + words()) * sizeof(double) + histograms_.capacity() * sizeof(HistogramPoint);
  const Histogram* last = nullptr;
  for (const HistogramPoint& p : histograms_) {
    if (p.histogram.get() != last) bytes += p.histogram->memory_bytes();
    last = p.histogram.get();
  }
  return bytes;
}

}  // namespace gauntlet::promql
