#include "tools/tsdb_analyze.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/time.h"
#include "promql/syntax/parser.h"

namespace gauntlet::tools {
namespace {

using tsdb::Block;

// What is counted, by the numbers of its symbols.
struct Tally {
  uint64_t uncovered = 0, count = 0;
};

class Report {
 public:
  Report(const Block& block, const AnalyzeOptions& options, const Cancel& cancel)
      : block_(block), options_(options), cancel_(cancel), span_(block.meta().maxt_ms - block.meta().mint_ms) {}

  Result<std::string> Make();

 private:
  using Item = std::pair<uint64_t, std::string>;

  template <typename... Args>
  void Line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void List(std::string_view title, std::vector<Item> items);
  Status CountSeries();
  Status ListNames(const std::vector<std::string>& names);
  Status ListMetrics();
  Status AnalyzeChunks();
  void Distribution(std::string_view what, std::vector<uint64_t> data, uint64_t total);
  std::string Symbol(uint32_t ref) const {
    std::string_view symbol;
    block_.index().symbols().Lookup(ref, &symbol);
    return std::string(symbol);
  }
  uint64_t Spans(uint64_t uncovered) const {
    return span_ > 0 ? static_cast<uint64_t>(static_cast<double>(uncovered) / static_cast<double>(span_)) : 0;
  }

  const Block& block_;
  const AnalyzeOptions& options_;
  const Cancel& cancel_;
  const int64_t span_;
  Matchers matchers_;
  std::vector<uint32_t> ids_;
  std::unordered_map<uint64_t, Tally> pairs_;
  std::unordered_map<uint32_t, Tally> names_;
  uint64_t entries_ = 0;
  std::string out_;
};

Result<std::string> Report::Make() {
  const tsdb::BlockMeta& meta = block_.meta();
  if (!options_.match.empty()) {
    GN_ASSIGN(matchers_, promql::ParseMetricSelector(options_.match));
  }
  Line("Block ID: {}", meta.ulid.ToString());
  Line("Duration: {}", FormatGoDuration(span_ * 1000000));
  Line("Total Series: {}", meta.stats.series);
  if (!options_.match.empty()) Line("Matcher: {}", options_.match);
  GN_ASSIGN(std::vector<std::string> names, block_.LabelNames(matchers_, 0, cancel_));
  Line("Label names: {}", names.size());
  GN_ASSIGN(tsdb::PostingsCursorPtr selected, block_.Select(matchers_, cancel_));
  ids_ = DrainPostings(*selected);
  if (!options_.match.empty()) Line("Matched series: {}", ids_.size());
  GN_TRY(CountSeries());
  Line("Postings (unique label pairs): {}", pairs_.size());
  Line("Postings entries (total label pairs): {}", entries_);
  auto pair_text = [this](uint64_t key) {
    return Symbol(static_cast<uint32_t>(key >> 32)) + "=" + Symbol(static_cast<uint32_t>(key));
  };
  std::vector<Item> churn, common, name_churn;
  for (const auto& [key, tally] : pairs_) {
    churn.emplace_back(Spans(tally.uncovered), pair_text(key));
    common.emplace_back(tally.count, pair_text(key));
  }
  for (const auto& [ref, tally] : names_) name_churn.emplace_back(Spans(tally.uncovered), Symbol(ref));
  List("Label pairs most involved in churning", std::move(churn));
  List("Label names most involved in churning", std::move(name_churn));
  List("Most common label pairs", std::move(common));
  GN_TRY(ListNames(names));
  GN_TRY(ListMetrics());
  if (options_.extended) GN_TRY(AnalyzeChunks());
  return std::move(out_);
}

void Report::List(std::string_view title, std::vector<Item> items) {
  Line("\n{}:", title);
  size_t shown = std::min(options_.limit, items.size());
  std::partial_sort(
      items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown), items.end(),
      [](const Item& a, const Item& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  for (size_t i = 0; i < shown; ++i) Line("{} {}", items[i].first, items[i].second);
}

Status Report::CountSeries() {
  tsdb::SeriesDecoder decoder(block_.index().symbols());
  tsdb::SeriesEntry entry;
  for (size_t i = 0; i < ids_.size(); ++i) {
    if (i % 1024 == 0) GN_TRY(cancel_.status());
    std::string_view bytes = block_.index().SeriesBytes(ids_[i]);
    GN_TRY(decoder.Decode(bytes, &entry));
    uint64_t covered =
        entry.chunks.empty() ? 0 : static_cast<uint64_t>(entry.chunks.back().maxt_ms - entry.chunks.front().mint_ms);
    uint64_t uncovered = static_cast<uint64_t>(span_) - covered;
    GN_ASSIGN(std::span<const uint32_t> symbols, decoder.DecodeSymbols(bytes));
    for (size_t s = 0; s + 1 < symbols.size(); s += 2) {
      Tally& pair = pairs_[uint64_t{symbols[s]} << 32 | symbols[s + 1]];
      pair.uncovered += uncovered;
      ++pair.count;
      names_[symbols[s]].uncovered += uncovered;
      ++entries_;
    }
  }
  return Status();
}

Status Report::ListNames(const std::vector<std::string>& names) {
  std::vector<Item> lengths, counts;
  for (const std::string& name : names) {
    GN_ASSIGN(std::vector<std::string> values, block_.LabelValues(name, matchers_, 0, cancel_));
    uint64_t length = 0;
    for (const std::string& value : values) length += value.size();
    lengths.emplace_back(length, name);
    counts.emplace_back(values.size(), name);
  }
  List("Label names with highest cumulative label value length", std::move(lengths));
  List("Highest cardinality labels", std::move(counts));
  return Status();
}

Status Report::ListMetrics() {
  std::vector<Item> items;
  GN_ASSIGN(std::vector<std::string> metrics, block_.LabelValues(kMetricName, matchers_, 0, cancel_));
  for (const std::string& metric : metrics) {
    GN_ASSIGN(tsdb::PostingsList list, block_.index().Postings(kMetricName, metric));
    uint64_t count = list.size();
    if (!matchers_.empty()) {
      std::vector<tsdb::PostingsCursorPtr> both;
      both.push_back(tsdb::ListPostings(list));
      both.push_back(tsdb::OwnedPostings(ids_));
      count = DrainPostings(*tsdb::IntersectPostings(std::move(both))).size();
    }
    items.emplace_back(count, metric);
  }
  List("Highest cardinality metric names", std::move(items));
  return Status();
}

uint64_t BucketsOf(const Samples& samples) {
  uint64_t sum = 0;
  for (const HistogramSample& sample : samples.histograms) {
    sum += sample.histogram.positive_buckets.size() + sample.histogram.negative_buckets.size();
  }
  return sum;
}

Status Report::AnalyzeChunks() {
  std::vector<uint64_t> float_samples, float_bytes, histogram_samples, histogram_bytes, buckets;
  uint64_t total = 0;
  tsdb::SeriesDecoder decoder(block_.index().symbols());
  tsdb::SeriesEntry entry;
  Samples samples;
  for (uint32_t id : ids_) {
    GN_TRY(cancel_.status());
    GN_TRY(decoder.Decode(block_.index().SeriesBytes(id), &entry));
    for (const tsdb::ChunkMeta& meta : entry.chunks) {
      GN_ASSIGN(tsdb::ChunkView chunk, block_.chunks().Read(meta.ref));
      ++total;
      if (tsdb::IsFloatEncoding(chunk.encoding)) {
        float_samples.push_back(SampleCount(chunk));
        float_bytes.push_back(chunk.bytes.size());
      } else if (tsdb::IsHistogramEncoding(chunk.encoding)) {
        histogram_samples.push_back(SampleCount(chunk));
        histogram_bytes.push_back(chunk.bytes.size());
        samples.Clear();
        GN_TRY(DecodeChunk(chunk, &samples));
        buckets.push_back(BucketsOf(samples));
      }
    }
  }
  Line("\nCompaction analysis:\n");
  Distribution("samples per float chunk", std::move(float_samples), total);
  Distribution("bytes per float chunk", std::move(float_bytes), total);
  Distribution("samples per histogram chunk", std::move(histogram_samples), total);
  Distribution("bytes per histogram chunk", std::move(histogram_bytes), total);
  Distribution("buckets per histogram chunk", std::move(buckets), total);
  return Status();
}

void Report::Distribution(std::string_view what, std::vector<uint64_t> data, uint64_t total) {
  if (data.empty()) {
    Line("{}: N/A\n", what);
    return;
  }
  std::sort(data.begin(), data.end());
  uint64_t step = 10, tenth = (data.back() - data.front()) / 10, sum = 0;
  while (step < tenth && step <= 10000) step *= 10;
  uint64_t start = data.front() - data.front() % step, end = data.back() - data.back() % step + step;
  std::vector<uint64_t> counts((end - start) / step + 1);
  for (uint64_t value : data) {
    sum += value;
    ++counts[(value - start) / step];
  }
  uint64_t most = *std::max_element(counts.begin(), counts.end());
  Line("{} (min/avg/max): {}/{}/{}", what, data.front(), sum / data.size(), data.back());
  size_t left = std::to_string(end).size(), right = std::to_string(end + step).size(),
         wide = std::to_string(most).size();
  for (size_t i = 0; i < counts.size(); ++i) {
    Line("[{:>{}}, {:>{}}]: {:>{}} {}", i * step + start + 1, left, (i + 1) * step + start, right, counts[i], wide,
         std::string(100 * counts[i] / total, '#'));
  }
  out_ += '\n';
}

}  // namespace

Result<std::string> AnalyzeBlock(const tsdb::Block& block, const AnalyzeOptions& options, const Cancel& cancel) {
  return Report(block, options, cancel).Make();
}

}  // namespace gauntlet::tools
