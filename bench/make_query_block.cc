// Writes the block that the HTTP part of the PromQL scenario asks about:
//   make_query_block DIR END_MS SERIES HOURS STEP_MS
// One block of HOURS that ends at END_MS, XOR chunks of 120 samples: SERIES counters (requests_total, with a restart
// now and then), a tenth as many gauges (queue_length) and a tenth as many buckets of classic histograms
// (latency_bucket). Of each metric the label `hundred` names groups of 100 series, `thousand` of 1,000, `myriad` of
// 10,000. Prints its ULID.

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ulid.h"
#include "io/file_system.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/xor.h"

namespace {

using namespace gauntlet;

constexpr int kSamplesPerChunk = 120;
constexpr const char* kBounds[] = {"0.005", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "10", "+Inf"};

enum class Kind { kCounter, kGauge, kBucket };
struct Series {
  Labels labels;
  Kind kind;
  int number;
};

Labels LabelsOf(const char* metric, Kind kind, int i) {
  std::vector<std::pair<std::string, std::string>> labels = {{"__name__", metric},
                                                             {"hundred", fmt::format("h{:04}", i / 100)},
                                                             {"instance", fmt::format("10.0.{:05}.7:9100", i / 50)},
                                                             {"job", fmt::format("service-{:02}", i % 20)},
                                                             {"myriad", fmt::format("m{:02}", i / 10'000)},
                                                             {"thousand", fmt::format("t{:03}", i / 1000)},
                                                             {"zone", fmt::format("zone-{}", i % 3)}};
  if (kind == Kind::kBucket) {
    labels.emplace_back("le", kBounds[i % 10]);
    labels.emplace_back("pod", fmt::format("pod-{:06}", i / 10));
  } else {
    labels.emplace_back("pod", fmt::format("pod-{:06}", i));
  }
  return Labels::From(std::move(labels));
}

class Shape {
 public:
  explicit Shape(const Series& series) : series_(series), rng_(static_cast<uint64_t>(series.number)) {
    value_ = static_cast<double>(rng_() % 100'000);
  }
  double Next() {
    const uint64_t r = rng_();
    switch (series_.kind) {
      case Kind::kCounter:
        value_ = r >> 40 < (1 << 24) / 2000 ? 0 : value_ + static_cast<double>(r % 40);
        break;
      case Kind::kGauge:
        value_ += (static_cast<double>(r % 2000) - 1000) / 997;
        break;
      case Kind::kBucket:
        value_ += static_cast<double>(r % 4 * static_cast<uint64_t>(1 + series_.number % 10));
        break;
    }
    return value_;
  }

 private:
  const Series& series_;
  std::mt19937_64 rng_;
  double value_;
};

Status Write(const std::string& dir, int64_t begin_ms, int64_t end_ms, int count, int64_t step_ms) {
  std::vector<Series> all;
  auto add = [&all](const char* metric, Kind kind, int series) {
    for (int i = 0; i < series; ++i) all.push_back({LabelsOf(metric, kind, i), kind, i});
  };
  add("requests_total", Kind::kCounter, count);
  add("queue_length", Kind::kGauge, count / 10);
  add("latency_bucket", Kind::kBucket, count / 10);
  std::sort(all.begin(), all.end(),
            [](const Series& a, const Series& b) { return CompareLabels(a.labels, b.labels) < 0; });
  tsdb::BlockMeta meta;
  meta.ulid = Ulid::Make(end_ms);
  meta.mint_ms = begin_ms;
  meta.maxt_ms = end_ms;
  meta.compaction.sources = {meta.ulid};
  GN_ASSIGN(auto writer, tsdb::BlockWriter::Create(io::RealFileSystem(), dir, meta));
  {
    std::set<std::string, std::less<>> symbols;
    for (const Series& series : all) {
      for (const Label& label : LabelsView(series.labels)) {
        symbols.emplace(label.name);
        symbols.emplace(label.value);
      }
    }
    for (const std::string& symbol : symbols) GN_TRY(writer->AddSymbol(symbol));
  }
  std::vector<std::string> bytes;
  std::vector<tsdb::BlockChunk> chunks;
  for (const Series& series : all) {
    bytes.clear();
    chunks.clear();
    Shape shape(series);
    tsdb::XorAppender appender;
    // Each series is scraped at a time of its own within the interval.
    int64_t first = 0;
    for (int64_t t = begin_ms + series.number * 7919 % step_ms; t < end_ms; t += step_ms) {
      if (appender.count() == 0) first = t;
      appender.Append(t, shape.Next());
      if (appender.count() == kSamplesPerChunk || t + step_ms >= end_ms) {
        bytes.push_back(appender.Release());
        chunks.push_back({first, t, {tsdb::Encoding::kXor, {}}});
      }
    }
    for (size_t c = 0; c < chunks.size(); ++c) chunks[c].chunk.bytes = bytes[c];
    GN_TRY(writer->AddSeries(series.labels, chunks));
  }
  GN_TRY(writer->Finish());
  fmt::print("{}\n", meta.ulid.ToString());
  return Status();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: make_query_block DIR END_MS SERIES HOURS STEP_MS\n");
    return 2;
  }
  const int64_t end_ms = std::atoll(argv[2]);
  Status st = Write(argv[1], end_ms - std::atoll(argv[4]) * 3'600'000, end_ms, std::atoi(argv[3]), std::atoll(argv[5]));
  if (!st.ok()) {
    fmt::print(stderr, "{}\n", st.message());
    return 1;
  }
  return 0;
}
