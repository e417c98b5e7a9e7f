#include "tools/tsdb_dump.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <utility>

#include "json/writer.h"
#include "model/float_text.h"
#include "model/histogram.h"
#include "promql/syntax/parser.h"
#include "storage/merge.h"

namespace gauntlet::tools {
namespace {

void AppendProm(LabelsView labels, const Samples& samples, std::string* out) {
  std::string prefix = labels.ToString() + ' ';
  auto histogram = samples.histograms.begin();
  for (size_t i = 0; i < samples.size(); ++i) {
    bool is_histogram = histogram != samples.histograms.end() && histogram->position == i;
    out->append(prefix);
    out->append(is_histogram ? HistogramString((histogram++)->histogram) : FormatFloatG(samples.values[i]));
    fmt::format_to(std::back_inserter(*out), " {}\n", samples.times_ms[i]);
  }
}

void AppendSeriesJson(LabelsView labels, std::string* out) {
  json::Writer writer(out);
  writer.BeginObject();
  for (const Label& label : labels) writer.StringMember(label.name, label.value);
  writer.EndObject();
  *out += '\n';
}

// Floats only, up to the first histogram.
void AppendOpenMetrics(LabelsView labels, const Samples& samples, std::string* out) {
  std::string prefix(labels.Get(kMetricName));
  prefix += '{';
  for (const Label& label : labels) {
    if (label.name == kMetricName) continue;
    if (prefix.back() != '{') prefix += ',';
    prefix.append(label.name).append("=").append(GoQuote(label.value));
  }
  prefix += "} ";
  size_t end = samples.histograms.empty() ? samples.size() : samples.histograms[0].position;
  for (size_t i = 0; i < end; ++i) {
    out->append(prefix).append(FormatFloatG(samples.values[i]));
    fmt::format_to(std::back_inserter(*out), " {:.3f}\n", static_cast<double>(samples.times_ms[i]) / 1000);
  }
}

}  // namespace

Status DumpSamples(storage::Queryable& source, const DumpOptions& options, const Cancel& cancel,
                   const std::function<void(std::string_view)>& print) {
  constexpr size_t kPieceBytes = 1 << 20;
  GN_ASSIGN(std::unique_ptr<storage::Querier> querier, source.MakeQuerier(options.mint_ms, options.maxt_ms));
  storage::SelectHints hints;
  hints.start_ms = options.mint_ms;
  hints.end_ms = options.maxt_ms;
  std::vector<Matchers> selectors;
  for (const std::string& text : options.match) {
    GN_ASSIGN(Matchers matchers, promql::ParseMetricSelector(text));
    selectors.push_back(std::move(matchers));
  }
  std::vector<std::unique_ptr<storage::SeriesSet>> sets;
  for (const Matchers& matchers : selectors) sets.push_back(querier->Select(hints, matchers, cancel, nullptr));
  std::unique_ptr<storage::SeriesSet> set =
      sets.size() == 1 ? std::move(sets[0]) : storage::MergeSeriesSets(std::move(sets));
  std::string out;
  Samples samples;
  for (;;) {
    GN_ASSIGN(std::unique_ptr<storage::Series> series, set->Next());
    if (series == nullptr) break;
    samples.Clear();
    if (options.format == DumpFormat::kSeriesJson) {
      AppendSeriesJson(series->labels(), &out);
    } else {
      GN_TRY(series->Read(&samples));
      options.format == DumpFormat::kProm ? AppendProm(series->labels(), samples, &out)
                                          : AppendOpenMetrics(series->labels(), samples, &out);
    }
    if (out.size() < kPieceBytes) continue;
    print(out);
    out.clear();
  }
  if (options.format == DumpFormat::kOpenMetrics) out += "# EOF\n";
  print(out);
  return Status();
}

}  // namespace gauntlet::tools
