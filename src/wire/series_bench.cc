// What one series costs on its way through: parse of a frame into packed labels and chunk views, and the writing of it.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "wire/series.h"
#include "wire/series_writer.h"

namespace gauntlet::wire {
namespace {

constexpr int kSeries = 10'000;

// Ten labels as a kubelet's metrics have them, one chunk of 120 samples.
std::vector<std::string> Frames(size_t batch_size) {
  std::string data(150, 'x');
  ChunkView chunk{1767571200000, 1767572985000, data, 0x9e3779b97f4a7c15, 1};
  std::vector<std::string> frames;
  SeriesBatch batch;
  for (int i = 0; i < kSeries; ++i) {
    std::string n = std::to_string(100000 + i);
    Labels labels = Labels::From({{"__name__", "container_network_receive_bytes_total"},
                                  {"cluster", "eu-west-1"},
                                  {"container", "prometheus"},
                                  {"endpoint", "https-metrics"},
                                  {"id", "/kubepods/burstable/pod" + n},
                                  {"instance", "10.0.12.7:10250"},
                                  {"interface", "eth0"},
                                  {"job", "kubelet"},
                                  {"namespace", "monitoring"},
                                  {"pod", "prometheus-k8s-" + n}});
    batch.Add(labels, {&chunk, 1});
    if (batch_size == 1) {
      frames.emplace_back();
      AppendSeriesFrame(frames.back(), labels, {&chunk, 1});
      batch.Clear();
    } else if (batch.series() == batch_size) {
      frames.emplace_back(batch.Frame());
      batch.Clear();
    }
  }
  return frames;
}

void BM_ReadSeries(benchmark::State& state) {
  std::vector<std::string> frames = Frames(static_cast<size_t>(state.range(0)));
  SeriesReader reader;
  int64_t series = 0;
  size_t bytes = 0;
  for (auto _ : state) {
    for (const std::string& frame : frames) {
      reader.Reset(frame);
      for (;;) {
        auto more = reader.Next();
        if (!more.ok() || !*more) break;
        bytes += reader.labels().packed().size() + reader.chunks().size();
        ++series;
      }
    }
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(series);
}
BENCHMARK(BM_ReadSeries)->Arg(1)->Arg(64);

void BM_WriteSeries(benchmark::State& state) {
  std::vector<std::string> frames = Frames(1);
  struct Series {
    Labels labels;
    std::vector<ChunkView> chunks;
  };
  std::vector<Series> all;
  SeriesReader reader;
  for (const std::string& frame : frames) {
    reader.Reset(frame);
    if (auto more = reader.Next(); !more.ok() || !*more) continue;
    all.push_back({Labels(reader.labels()), {reader.chunks().begin(), reader.chunks().end()}});
  }
  std::string out;
  for (auto _ : state) {
    for (const Series& series : all) {
      out.clear();
      AppendSeriesFrame(out, series.labels, series.chunks);
      benchmark::DoNotOptimize(out.data());
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(all.size()));
}
BENCHMARK(BM_WriteSeries);

}  // namespace
}  // namespace gauntlet::wire
