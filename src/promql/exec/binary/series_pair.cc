#include "promql/exec/binary/series_pair.h"

#include <algorithm>

#include "promql/exec/binary/binary_kernels.h"

namespace gauntlet::promql {
namespace {

// Calls fn(step) for each step of `both` at which at least one of the two has a histogram.
template <typename Fn>
void ForEachHistogramStep(const Column* many, const Column* one, const StepBits& both, Fn fn) {
  const bool any = (many != nullptr && !many->histograms().empty()) || (one != nullptr && !one->histograms().empty());
  if (!any) return;
  StepBits bits(both.size());
  for (const Column* column : {many, one}) {
    if (column == nullptr) continue;
    for (const HistogramPoint& p : column->histograms()) bits[p.step / 64] |= uint64_t{1} << (p.step % 64);
  }
  for (size_t w = 0; w < bits.size(); ++w) bits[w] &= both[w];
  ForEachBit(bits.data(), static_cast<uint32_t>(bits.size()), fn);
}

}  // namespace

StepBits SeriesPair::Faults(const Column& many, const Column* one, const StepBits& both) const {
  // Trimming knows no floats on the left.
  StepBits faults = IsTrim() ? both : StepBits(words_);
  ForEachHistogramStep(&many, one, both, [&](uint32_t step) {
    const Histogram* a = many.FindHistogram(step);
    const Histogram* b = one != nullptr ? one->FindHistogram(step) : nullptr;
    const bool fault = PairFault(node_.op, swapped_ ? b : a, swapped_ ? a : b) != BinaryNote::kNone;
    faults[step / 64] &= ~(uint64_t{1} << (step % 64));
    faults[step / 64] |= uint64_t{fault} << (step % 64);
  });
  return faults;
}

Result<Column> SeriesPair::Combine(const Column* many, const Column* one, double fill, StepBits* both) {
  Column out(node_.grid.steps);
  StepBits kept = *both;  // where there is a float in the end
  std::vector<std::pair<uint32_t, bool>> verdicts;
  CombineHistograms(many, one, fill, both, &kept, &out, &verdicts);
  if (many == nullptr || one == nullptr) fill_.assign(node_.grid.steps, fill);
  const double* many_values = many != nullptr ? many->values() : fill_.data();
  const double* one_values = one != nullptr ? one->values() : fill_.data();
  const double* lhs = swapped_ ? one_values : many_values;
  const double* rhs = swapped_ ? many_values : one_values;
  if (ChangesMetric(node_.op)) {
    GN_TRY(context_.InBlocks(node_.grid.steps, [&](uint32_t begin, uint32_t end) {
      ApplyArithmetic(node_.op, lhs + begin, rhs + begin, out.values() + begin, end - begin);
    }));
  } else if (IsComparison(node_.op)) {
    StepBits holds(words_);
    GN_TRY(context_.InBlocks(node_.grid.steps, [&](uint32_t begin, uint32_t end) {
      ApplyComparison(node_.op, lhs + begin, rhs + begin, holds.data() + begin / 64, end - begin);
      if (!node_.return_bool) std::copy(lhs + begin, lhs + end, out.values() + begin);
      for (uint32_t i = begin; node_.return_bool && i < end; ++i) {
        out.values()[i] = static_cast<double>(holds[i / 64] >> (i % 64) & 1);
      }
    }));
    for (uint32_t w = 0; !node_.return_bool && w < words_; ++w) kept[w] &= holds[w];
  } else {  // trim
    ForEachBit(kept.data(), words_, [&](uint32_t step) { Note(step, BinaryNote::kIncompatibleTypes, false, false); });
    for (uint32_t w = 0; w < words_; ++w) both->at(w) &= ~std::exchange(kept[w], 0);
  }
  std::copy(kept.begin(), kept.end(), out.present());
  for (const auto& [step, holds] : verdicts) out.Set(step, holds);
  return out;
}

void SeriesPair::CombineHistograms(const Column* many, const Column* one, double fill, StepBits* both, StepBits* floats,
                                   Column* out, std::vector<std::pair<uint32_t, bool>>* verdicts) {
  auto operand = [fill](const Column* column, uint32_t step) {
    if (column == nullptr) return Operand{fill, nullptr};
    const HistogramPoint* point = column->FindPoint(step);
    return point != nullptr ? Operand{0, point->histogram} : Operand{column->values()[step], nullptr};
  };
  Operand last_lhs, last_rhs;
  HistogramPair pair;
  ForEachHistogramStep(many, one, StepBits(*both), [&](uint32_t step) {
    Operand lhs = operand(swapped_ ? one : many, step), rhs = operand(swapped_ ? many : one, step);
    const bool repeated = lhs.histogram == last_lhs.histogram && rhs.histogram == last_rhs.histogram &&
                          lhs.value == last_lhs.value && rhs.value == last_rhs.value;
    if (!repeated) pair = promql::CombineHistograms(node_.op, lhs, rhs);
    const uint64_t bit = uint64_t{1} << (step % 64);
    (*floats)[step / 64] &= ~bit;
    if (pair.note != BinaryNote::kNone) Note(step, pair.note, lhs.histogram != nullptr, rhs.histogram != nullptr);
    if (pair.histogram == nullptr) {
      (*both)[step / 64] &= ~bit;
    } else if (node_.return_bool) {
      verdicts->emplace_back(step, pair.holds);
    } else if (pair.holds) {
      out->histograms().push_back({step, pair.histogram});
    }
    last_lhs = std::move(lhs);
    last_rhs = std::move(rhs);
  });
}

void SeriesPair::Note(uint32_t step, BinaryNote note, bool lhs, bool rhs) {
  if (notes_.empty()) notes_.resize(node_.grid.steps);
  notes_[step] = {note, lhs, rhs};
}

void SeriesPair::TellNotes(AnnotationSet* out) const {
  StepNote last;
  for (const StepNote& n : notes_) {
    if (n != last) TellNote(n.note, node_.op, n.lhs, n.rhs, node_.pos, out);
    last = n;
  }
}

}  // namespace gauntlet::promql
