// Loads a Prometheus by remote write with series of a known shape:
//   remote_write_load URL SERIES SAMPLES STEP_MS END_MS SHAPE [METRIC]
// SHAPE: gauge (random mantissas, about 9 bytes a sample), counter, mixed (counters, gauges, classic buckets as a host
// has them), native (histograms of 16 exponential buckets that count up). Ten labels a series. Samples come in time
// order, so any head takes them.

#include <fmt/core.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "io/compress.h"
#include "model/labels.h"
#include "model/samples.h"
#include "net/http/client.h"
#include "wire/time_series.h"

namespace {

using namespace gauntlet;

constexpr int kSeriesPerRequest = 500;
constexpr int kSamplesPerRequest = 20;

struct Shape {
  Labels labels;
  bool counter;
  double value, step;
  Histogram histogram;
};

constexpr size_t kBuckets = 16;

Histogram EmptyHistogram() {
  Histogram h;
  h.is_float = false;
  h.schema = 2;
  h.positive_spans = {{-8, kBuckets}};
  h.positive_buckets.assign(kBuckets, 0);
  return h;
}

// Some observations more.
void Observe(std::mt19937_64& rng, Histogram* h) {
  for (int i = 0; i < 4; ++i) {
    size_t bucket = rng() % kBuckets;
    double n = static_cast<double>(rng() % 5);
    h->positive_buckets[bucket] += n;
    h->count += n;
    h->sum += n * std::exp2((static_cast<double>(bucket) - 8) / 4);
  }
}

std::vector<Shape> MakeSeries(int count, const std::string& shape, const std::string& metric, std::mt19937_64& rng) {
  std::vector<Shape> series;
  for (int i = 0; i < count; ++i) {
    bool counter = shape == "counter" || (shape == "mixed" && i % 2 == 0);
    bool bucket = shape == "mixed" && i % 10 >= 8;
    std::vector<std::pair<std::string, std::string>> pairs = {
        {"__name__", bucket    ? metric + "_bucket"
                     : counter ? metric + "_total"
                               : metric},
        {"cluster_zone", "zone-" + std::to_string(i % 3)},
        {"container", "container-" + std::to_string(i % 7)},
        {"endpoint", "http-metrics"},
        {"instance", "10.0." + std::to_string(i / 250 % 250) + "." + std::to_string(i % 250) + ":9100"},
        {"job", "job-" + std::to_string(i % 10)},
        {"mode", "mode-" + std::to_string(i % 8)},
        {"namespace", "namespace-" + std::to_string(i % 20)},
        {"pod", "pod-" + std::to_string(i)},
        {"service", "service-" + std::to_string(i % 50)}};
    if (bucket) pairs.emplace_back("le", i % 20 < 10 ? (i % 2 ? "+Inf" : "0.5") : (i % 2 ? "1" : "0.1"));
    series.push_back({Labels::From(std::move(pairs)), counter || bucket, static_cast<double>(rng() % 1000),
                      1.0 + static_cast<double>(rng() % 50), EmptyHistogram()});
  }
  return series;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) {
    fmt::print(stderr, "usage: remote_write_load URL SERIES SAMPLES STEP_MS END_MS SHAPE [METRIC]\n");
    return 2;
  }
  std::string url = argv[1], shape = argv[6], metric = argc > 7 ? argv[7] : "bench";
  int count = std::atoi(argv[2]), samples_each = std::atoi(argv[3]);
  int64_t step_ms = std::atoll(argv[4]), end_ms = std::atoll(argv[5]);
  std::mt19937_64 rng(42);
  std::vector<Shape> series = MakeSeries(count, shape, metric, rng);
  auto client = net::HttpClient::Make({});
  if (!client.ok()) return 1;
  Samples samples;
  for (int first = 0; first < samples_each; first += kSamplesPerRequest) {
    int block = std::min(kSamplesPerRequest, samples_each - first);
    for (size_t at = 0; at < series.size(); at += kSeriesPerRequest) {
      std::string request;
      for (size_t i = at; i < std::min(at + kSeriesPerRequest, series.size()); ++i) {
        samples.Clear();
        for (int s = 0; s < block; ++s) {
          samples.times_ms.push_back(end_ms - (samples_each - 1 - (first + s)) * step_ms);
          if (shape == "native") {
            Observe(rng, &series[i].histogram);
            samples.histograms.push_back({static_cast<uint32_t>(s), series[i].histogram});
            samples.values.push_back(0);
          } else if (series[i].counter) {
            series[i].value += std::floor(series[i].step * static_cast<double>(rng() % 1024) / 512);
            samples.values.push_back(series[i].value);
          } else {
            samples.values.push_back(std::ldexp(static_cast<double>(rng() >> 11), -53) * 1000);
          }
        }
        wire::AppendTimeSeries(request, 1, series[i].labels, samples);
      }
      net::HttpCall call;
      call.method = "POST";
      call.url = url + "/api/v1/write";
      call.headers.Set("Content-Type", "application/x-protobuf");
      call.headers.Set("Content-Encoding", "snappy");
      call.headers.Set("X-Prometheus-Remote-Write-Version", "0.1.0");
      call.body = io::SnappyCompress(request);
      auto answer = (*client)->Do(call, Cancel());
      if (!answer.ok() || answer->status / 100 != 2) {
        fmt::print(stderr, "remote write: {}\n", answer.ok() ? answer->body : std::string(answer.status().message()));
        return 1;
      }
    }
  }
  fmt::print("{} samples in {} series\n", static_cast<int64_t>(count) * samples_each, count);
  return 0;
}
