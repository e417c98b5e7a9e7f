#include "promql/exec/functions/elementwise.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/float_limits.h"
#include "model/go/math.h"
#include "model/histogram_arithmetic.h"
#include "promql/exec/functions/scalar.h"
#include "promql/exec/histograms/native_histogram.h"
#include "promql/exec/rows/math.h"
#include "promql/exec/rows/name_dropper.h"

namespace gauntlet::promql {
namespace {

// Cheap functions run over the whole array, present or not: those loops vectorize.
template <typename Fn>
Status MapAll(Column* column, WorkerScratch* scratch, Fn fn) {
  double* values = column->values();
  return scratch->InBlocks(column->steps(), [&](uint32_t begin, uint32_t end) {
    for (uint32_t i = begin; i < end; ++i) values[i] = fn(values[i]);
  });
}

template <typename Fn>
Status MapPresent(Column* column, WorkerScratch* scratch, Fn fn) {
  if (column->AllFloats()) return MapAll(column, scratch, fn);
  return scratch->InBlocks(column->steps(), [&](uint32_t begin, uint32_t end) {
    double* values = column->values() + begin;
    ForEachBit(column->present() + begin / 64, Column::WordCount(end - begin),
               [&](uint32_t i) { values[i] = fn(values[i]); });
  });
}

using MapFunction = Status (*)(Column*, WorkerScratch*);

struct Entry {
  std::string_view name;
  MapFunction map;
};

constexpr double kPi = std::numbers::pi;

constexpr Entry kFunctions[] = {
    {"abs", [](Column* c, WorkerScratch* w) { return MapAll(c, w, [](double v) { return std::fabs(v); }); }},
    {"ceil", [](Column* c, WorkerScratch* w) { return MapAll(c, w, [](double v) { return std::ceil(v); }); }},
    {"floor", [](Column* c, WorkerScratch* w) { return MapAll(c, w, [](double v) { return std::floor(v); }); }},
    {"sqrt", [](Column* c, WorkerScratch* w) { return MapAll(c, w, [](double v) { return std::sqrt(v); }); }},
    {"sgn",
     [](Column* c, WorkerScratch* w) { return MapAll(c, w, [](double v) { return v < 0   ? -1
                                                                                 : v > 0 ? 1
                                                                                         : v; }); }},
    {"rad", [](Column* c, WorkerScratch* w) { return MapAll(c, w, [](double v) { return v * kPi / 180; }); }},
    {"deg", [](Column* c, WorkerScratch* w) { return MapAll(c, w, [](double v) { return v * 180 / kPi; }); }},
    {"exp", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoExp(v); }); }},
    {"ln", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoLog(v); }); }},
    {"log2", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoLog2(v); }); }},
    {"log10", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoLog10(v); }); }},
    {"sin", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoSin(v); }); }},
    {"cos", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoCos(v); }); }},
    {"tan", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoTan(v); }); }},
    {"asin", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoAsin(v); }); }},
    {"acos", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoAcos(v); }); }},
    {"atan", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoAtan(v); }); }},
    {"sinh", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoSinh(v); }); }},
    {"cosh", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoCosh(v); }); }},
    {"tanh", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoTanh(v); }); }},
    {"asinh", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoAsinh(v); }); }},
    {"acosh", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoAcosh(v); }); }},
    {"atanh", [](Column* c, WorkerScratch* w) { return MapPresent(c, w, [](double v) { return GoAtanh(v); }); }},
};

// Takes the name; derived classes do the rest.
class DroppingStage : public Stage {
 public:
  DroppingStage(ExecContext& context, std::vector<std::unique_ptr<ScalarOperator>> args, bool careful)
      : args_(std::move(args)), dropper_(context, careful) {}
  Status Open() override {
    values_.resize(args_.size());
    for (size_t i = 0; i < args_.size(); ++i) GN_TRY(args_[i]->Evaluate(&values_[i]));
    return Status();
  }
  Status Apply(Row* row, WorkerScratch* scratch) const override {
    GN_TRY(Change(&row->column, scratch));
    if (row->column.empty()) return Status();
    return dropper_.Drop(row, scratch);
  }
  void Annotate(AnnotationSet* out) const override {
    for (const auto& arg : args_) arg->Annotate(out);
  }

 protected:
  virtual Status Change(Column* column, WorkerScratch* scratch) const = 0;
  const std::vector<double>& arg(size_t i) const { return values_[i]; }

 private:
  std::vector<std::unique_ptr<ScalarOperator>> args_;
  std::vector<std::vector<double>> values_;
  NameDropper dropper_;
};

class MapStage : public DroppingStage {
 public:
  MapStage(ExecContext& context, MapFunction map, bool careful) : DroppingStage(context, {}, careful), map_(map) {}

 protected:
  Status Change(Column* column, WorkerScratch* scratch) const override {
    column->histograms().clear();
    return map_(column, scratch);
  }

 private:
  const MapFunction map_;
};

class DateStage : public DroppingStage {
 public:
  DateStage(ExecContext& context, ValueFunction part, bool careful)
      : DroppingStage(context, {}, careful), part_(part) {}

 protected:
  Status Change(Column* column, WorkerScratch* scratch) const override {
    column->histograms().clear();
    return MapPresent(column, scratch, part_);
  }

 private:
  const ValueFunction part_;
};

// Halves go up.
class RoundStage : public DroppingStage {
 public:
  using DroppingStage::DroppingStage;

 protected:
  Status Change(Column* column, WorkerScratch* scratch) const override {
    column->histograms().clear();
    double* values = column->values();
    return scratch->InBlocks(column->steps(), [&](uint32_t begin, uint32_t end) {
      for (uint32_t i = begin; i < end; ++i) {
        double inverse = 1.0 / arg(0)[i];
        values[i] = std::floor(values[i] * inverse + 0.5) / inverse;
      }
    });
  }
};

class ClampStage : public DroppingStage {
 public:
  ClampStage(ExecContext& context, std::vector<std::unique_ptr<ScalarOperator>> args, bool has_min, bool has_max,
             bool careful)
      : DroppingStage(context, std::move(args), careful), has_min_(has_min), has_max_(has_max) {}

 protected:
  Status Change(Column* column, WorkerScratch* scratch) const override {
    column->histograms().clear();
    double* values = column->values();
    return scratch->InBlocks(column->steps(), [&](uint32_t begin, uint32_t end) {
      for (uint32_t i = begin; i < end; ++i) {
        double low = has_min_ ? arg(0)[i] : -kInfinity, high = has_max_ ? arg(has_min_)[i] : kInfinity;
        if (high < low) {
          column->Clear(i);
        } else {
          values[i] = GoMax(low, GoMin(high, values[i]));
        }
      }
    });
  }

 private:
  const bool has_min_, has_max_;
};

// timestamp() of anything but a selector: the time of the step.
class StepTimeStage : public DroppingStage {
 public:
  StepTimeStage(ExecContext& context, const StepGrid& grid, bool careful)
      : DroppingStage(context, {}, careful), grid_(grid) {}

 protected:
  Status Change(Column* column, WorkerScratch* scratch) const override {
    column->OrPresence(column->present());
    column->histograms().clear();
    return scratch->InBlocks(column->steps(), [&](uint32_t begin, uint32_t end) {
      for (uint32_t i = begin; i < end; ++i) column->values()[i] = static_cast<double>(grid_.time_ms(i)) / 1000;
    });
  }

 private:
  const StepGrid grid_;
};

class DropNameStage : public DroppingStage {
 public:
  DropNameStage(ExecContext& context, bool careful) : DroppingStage(context, {}, careful) {}

 protected:
  Status Change(Column*, WorkerScratch*) const override { return Status(); }
};

class NothingStage : public Stage {
 public:
  Status Apply(Row* row, WorkerScratch*) const override {
    row->column = Column(row->column.steps());
    return Status();
  }
};

class NegateStage : public DroppingStage {
 public:
  NegateStage(ExecContext& context, bool careful) : DroppingStage(context, {}, careful) {}

 protected:
  Status Change(Column* column, WorkerScratch* scratch) const override {
    for (HistogramPoint& p : column->histograms()) {
      GN_TRY(scratch->CheckCancelAfter(1000));
      Histogram h = *p.histogram;
      MultiplyHistogram(h, -1);
      p.histogram = std::make_shared<const Histogram>(std::move(h));
    }
    return MapAll(column, scratch, [](double v) { return -v; });
  }
};

using HistogramValue = double (*)(const Histogram&);

constexpr struct {
  std::string_view name;
  HistogramValue value;
} kHistogramFunctions[] = {
    {"histogram_count", [](const Histogram& h) { return h.count; }},
    {"histogram_sum", [](const Histogram& h) { return h.sum; }},
    {"histogram_avg", [](const Histogram& h) { return h.sum / h.count; }},
    {"histogram_stdvar", [](const Histogram& h) { return NativeVariance(h); }},
    {"histogram_stddev", [](const Histogram& h) { return std::sqrt(NativeVariance(h)); }},
};

// A number of each histogram; floats go.
class HistogramStage : public Stage {
 public:
  HistogramStage(ExecContext& context, HistogramValue value, bool careful)
      : value_(value), dropper_(context, careful, NameDropper::kOnlyName) {}

  Status Apply(Row* row, WorkerScratch* scratch) const override {
    Column& column = row->column;
    std::fill_n(column.present(), column.words(), 0);
    std::vector<HistogramPoint> points = std::move(column.histograms());
    column.histograms().clear();
    const Histogram* last = nullptr;  // lookback repeats them
    double value = 0;
    for (const HistogramPoint& p : points) {
      GN_TRY(scratch->CheckCancelAfter(p.histogram.get() != last ? 1000 : 1));
      if (p.histogram.get() != last) value = value_(*p.histogram);
      last = p.histogram.get();
      column.Set(p.step, value);
    }
    return points.empty() ? Status() : dropper_.Drop(row, scratch);
  }

 private:
  const HistogramValue value_;
  NameDropper dropper_;
};

}  // namespace

std::unique_ptr<Stage> MakeElementwise(ExecContext& context, const FunctionNode& node,
                                       std::vector<std::unique_ptr<ScalarOperator>> args, bool careful) {
  std::string_view name = node.function->name;
  for (const Entry& entry : kFunctions) {
    if (entry.name == name) return std::make_unique<MapStage>(context, entry.map, careful);
  }
  for (const auto& [function, value] : kHistogramFunctions) {
    if (function == name) return std::make_unique<HistogramStage>(context, value, careful);
  }
  if (ValueFunction part = FindDateFunction(name)) return std::make_unique<DateStage>(context, part, careful);
  if (name == "round") {
    if (args.empty()) args.push_back(MakeConstant(context, 1, node.grid.steps));
    return std::make_unique<RoundStage>(context, std::move(args), careful);
  }
  if (name == "clamp") return std::make_unique<ClampStage>(context, std::move(args), true, true, careful);
  if (name == "clamp_min") return std::make_unique<ClampStage>(context, std::move(args), true, false, careful);
  if (name == "clamp_max") return std::make_unique<ClampStage>(context, std::move(args), false, true, careful);
  if (name == "timestamp") return std::make_unique<StepTimeStage>(context, node.grid, careful);
  return nullptr;
}

std::unique_ptr<Stage> MakeDropName(ExecContext& context, bool careful) {
  return std::make_unique<DropNameStage>(context, careful);
}
std::unique_ptr<Stage> MakeNothing() { return std::make_unique<NothingStage>(); }
std::unique_ptr<Stage> MakeNegate(ExecContext& context, bool careful) {
  return std::make_unique<NegateStage>(context, careful);
}

}  // namespace gauntlet::promql
