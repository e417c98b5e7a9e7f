#include "promql/exec/elementwise.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/float_limits.h"
#include "model/go_math.h"
#include "model/histogram_arithmetic.h"
#include "promql/exec/math.h"
#include "promql/exec/name_dropper.h"
#include "promql/exec/native_histogram.h"
#include "promql/exec/scalar.h"

namespace gauntlet::promql {
namespace {

// Cheap functions run over the whole array, present or not: those loops vectorize.
template <typename Fn>
void MapAll(Column* column, Fn fn) {
  double* values = column->values();
  for (uint32_t i = 0; i < column->steps(); ++i) values[i] = fn(values[i]);
}

template <typename Fn>
void MapPresent(Column* column, Fn fn) {
  double* values = column->values();
  if (column->AllFloats()) return MapAll(column, fn);
  ForEachBit(column->present(), column->words(), [&](uint32_t i) { values[i] = fn(values[i]); });
}

using MapFunction = void (*)(Column*);

struct Entry {
  std::string_view name;
  MapFunction map;
};

constexpr double kPi = std::numbers::pi;

constexpr Entry kFunctions[] = {
    {"abs", [](Column* c) { MapAll(c, [](double v) { return std::fabs(v); }); }},
    {"ceil", [](Column* c) { MapAll(c, [](double v) { return std::ceil(v); }); }},
    {"floor", [](Column* c) { MapAll(c, [](double v) { return std::floor(v); }); }},
    {"sqrt", [](Column* c) { MapAll(c, [](double v) { return std::sqrt(v); }); }},
    {"sgn", [](Column* c) { MapAll(c, [](double v) { return v < 0   ? -1
                                                            : v > 0 ? 1
                                                                    : v; }); }},
    {"rad", [](Column* c) { MapAll(c, [](double v) { return v * kPi / 180; }); }},
    {"deg", [](Column* c) { MapAll(c, [](double v) { return v * 180 / kPi; }); }},
    {"exp", [](Column* c) { MapPresent(c, [](double v) { return GoExp(v); }); }},
    {"ln", [](Column* c) { MapPresent(c, [](double v) { return GoLog(v); }); }},
    {"log2", [](Column* c) { MapPresent(c, [](double v) { return GoLog2(v); }); }},
    {"log10", [](Column* c) { MapPresent(c, [](double v) { return GoLog10(v); }); }},
    {"sin", [](Column* c) { MapPresent(c, [](double v) { return GoSin(v); }); }},
    {"cos", [](Column* c) { MapPresent(c, [](double v) { return GoCos(v); }); }},
    {"tan", [](Column* c) { MapPresent(c, [](double v) { return GoTan(v); }); }},
    {"asin", [](Column* c) { MapPresent(c, [](double v) { return GoAsin(v); }); }},
    {"acos", [](Column* c) { MapPresent(c, [](double v) { return GoAcos(v); }); }},
    {"atan", [](Column* c) { MapPresent(c, [](double v) { return GoAtan(v); }); }},
    {"sinh", [](Column* c) { MapPresent(c, [](double v) { return GoSinh(v); }); }},
    {"cosh", [](Column* c) { MapPresent(c, [](double v) { return GoCosh(v); }); }},
    {"tanh", [](Column* c) { MapPresent(c, [](double v) { return GoTanh(v); }); }},
    {"asinh", [](Column* c) { MapPresent(c, [](double v) { return GoAsinh(v); }); }},
    {"acosh", [](Column* c) { MapPresent(c, [](double v) { return GoAcosh(v); }); }},
    {"atanh", [](Column* c) { MapPresent(c, [](double v) { return GoAtanh(v); }); }},
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
    GN_TRY(Change(&row->column));
    if (row->column.empty()) return Status();
    return dropper_.Drop(row, scratch);
  }
  void Annotate(AnnotationSet* out) const override {
    for (const auto& arg : args_) arg->Annotate(out);
  }

 protected:
  virtual Status Change(Column* column) const = 0;
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
  Status Change(Column* column) const override {
    column->histograms().clear();
    map_(column);
    return Status();
  }

 private:
  const MapFunction map_;
};

class DateStage : public DroppingStage {
 public:
  DateStage(ExecContext& context, ValueFunction part, bool careful)
      : DroppingStage(context, {}, careful), part_(part) {}

 protected:
  Status Change(Column* column) const override {
    column->histograms().clear();
    MapPresent(column, part_);
    return Status();
  }

 private:
  const ValueFunction part_;
};

// Halves go up.
class RoundStage : public DroppingStage {
 public:
  using DroppingStage::DroppingStage;

 protected:
  Status Change(Column* column) const override {
    column->histograms().clear();
    double* values = column->values();
    for (uint32_t i = 0; i < column->steps(); ++i) {
      double inverse = 1.0 / arg(0)[i];
      values[i] = std::floor(values[i] * inverse + 0.5) / inverse;
    }
    return Status();
  }
};

class ClampStage : public DroppingStage {
 public:
  ClampStage(ExecContext& context, std::vector<std::unique_ptr<ScalarOperator>> args, bool has_min, bool has_max,
             bool careful)
      : DroppingStage(context, std::move(args), careful), has_min_(has_min), has_max_(has_max) {}

 protected:
  Status Change(Column* column) const override {
    column->histograms().clear();
    double* values = column->values();
    for (uint32_t i = 0; i < column->steps(); ++i) {
      double low = has_min_ ? arg(0)[i] : -kInfinity, high = has_max_ ? arg(has_min_)[i] : kInfinity;
      if (high < low) {
        column->Clear(i);
      } else {
        values[i] = GoMax(low, GoMin(high, values[i]));
      }
    }
    return Status();
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
  Status Change(Column* column) const override {
    column->OrPresence(column->present());
    column->histograms().clear();
    for (uint32_t i = 0; i < column->steps(); ++i) {
      column->values()[i] = static_cast<double>(grid_.time_ms(i)) / 1000;
    }
    return Status();
  }

 private:
  const StepGrid grid_;
};

class DropNameStage : public DroppingStage {
 public:
  DropNameStage(ExecContext& context, bool careful) : DroppingStage(context, {}, careful) {}

 protected:
  Status Change(Column*) const override { return Status(); }
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
  Status Change(Column* column) const override {
    for (HistogramPoint& p : column->histograms()) {
      Histogram h = *p.histogram;
      MultiplyHistogram(h, -1);
      p.histogram = std::make_shared<const Histogram>(std::move(h));
    }
    MapAll(column, [](double v) { return -v; });
    return Status();
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
    if (args.empty()) args.push_back(MakeConstant(1, node.grid.steps));
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
