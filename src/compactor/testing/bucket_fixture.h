// A bucket in memory with real blocks, and a compactor over it.
//
// Threads: one thread at a time.

#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "blocks/block_objects.h"
#include "blocks/markers.h"
#include "compactor/node.h"
#include "io/path.h"
#include "objstore/memory_bucket.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_builder.h"

namespace gauntlet::compactor {

inline constexpr int64_t kHour = 3'600'000;
inline constexpr int64_t kTestStart = 1'585'036'800'000;  // 2020-03-24T08:00:00Z, a border of 8h

using LabelMap = std::map<std::string, std::string>;

struct BlockSpec {
  std::vector<LabelMap> series;
  LabelMap external;
  int64_t mint = 0, maxt = 0;
  int samples = 120;  // of each series, evenly
  int64_t resolution = 0;
};

class BucketFixture {
 public:
  explicit BucketFixture(int64_t now_ms = kTestStart + 20 * 24 * kHour) : clock_(now_ms), bucket_(clock_) {
    dir_ = (std::filesystem::temp_directory_path() / ("compactor-test-" + Ulid::Make(now_ms).ToString())).string();
    std::filesystem::create_directories(dir_);
  }
  ~BucketFixture() { std::filesystem::remove_all(dir_); }

  // The value of a sample: the same in all replicas.
  static double ValueAt(const LabelMap& labels, int64_t t) {
    double v = static_cast<double>(t % 1'000'003);
    for (const auto& [name, value] : labels) v += static_cast<double>(value.size() * 7 + name.size());
    return v;
  }

  Ulid Put(const BlockSpec& spec, int64_t made_ms = kTestStart) {
    const Ulid id = Ulid::Make(made_ms + ++made_);
    tsdb::BlockBuilder builder(int64_t{1} << 40);
    const int64_t step = (spec.maxt - spec.mint) / (spec.samples + 1);
    for (const LabelMap& labels : spec.series) {
      std::vector<std::pair<std::string, std::string>> pairs(labels.begin(), labels.end());
      const Labels packed = Labels::From(pairs);
      for (int i = 0; i < spec.samples; ++i) {
        const int64_t t = spec.mint + i * step;
        GN_CHECK(builder.Append(packed.view(), t, ValueAt(labels, t)).ok());
      }
    }
    const std::string parent = io::JoinPath(dir_, "blocks");
    GN_CHECK(files().MakeDirectories(parent).ok());
    auto written = builder.Write(files(), parent, id);
    GN_CHECK(written.ok());
    blocks::Meta meta;
    meta.block = *written;
    meta.block.mint_ms = spec.mint;
    meta.block.maxt_ms = spec.maxt;
    meta.thanos.labels = spec.external;
    meta.thanos.source = blocks::kSidecarSource;
    meta.thanos.resolution_ms = spec.resolution;
    const std::string dir = io::JoinPath(parent, id.ToString());
    GN_CHECK(files().WriteAtomically(io::JoinPath(dir, "meta.json"), blocks::FormatMeta(meta)).ok());
    GN_CHECK(blocks::UploadBlock(bucket_, files(), pool_, clock_, dir, {}, Cancel()).ok());
    return id;
  }

  // Options as the command has them by default, but that no block is too fresh.
  NodeOptions Options() {
    NodeOptions options;
    options.data_dir = io::JoinPath(dir_, "data");
    options.sync.consistency_delay = options.loop.consistency_delay = std::chrono::milliseconds(0);
    return options;
  }
  std::unique_ptr<Node> MakeNode(const NodeOptions& options, telemetry::Registry& registry,
                                 telemetry::Logger& logger = telemetry::Logger::Discard()) {
    auto node = Node::Make(options, {bucket_, files(), pool_, pool_, registry, logger, clock_, nullptr});
    EXPECT_TRUE(node.ok()) << node.status().message();
    return node.ok() ? *std::move(node) : nullptr;
  }

  std::map<Ulid, blocks::Meta> Metas() {
    std::map<Ulid, blocks::Meta> metas;
    for (const auto& [name, bytes] : bucket_.objects()) {
      if (!name.ends_with("/meta.json")) continue;
      auto meta = blocks::ParseMeta(bytes);
      if (meta.ok()) metas[meta->block.ulid] = *meta;
    }
    return metas;
  }
  bool Marked(const Ulid& id) { return blocks::ReadMarker(bucket_, blocks::MarkerKind::kDeletion, id, Cancel()).ok(); }
  std::map<Ulid, blocks::Meta> Unmarked() {
    auto metas = Metas();
    std::erase_if(metas, [&](const auto& entry) { return Marked(entry.first); });
    return metas;
  }

  // Of a series, by external and own labels: its samples in all blocks that are not marked for deletion.
  using Series = std::pair<LabelMap, LabelMap>;
  std::map<Series, std::map<int64_t, double>> Samples() {
    std::map<Series, std::map<int64_t, double>> found;
    for (const auto& [id, meta] : Unmarked()) {
      if (meta.thanos.resolution_ms != 0) continue;
      const std::string dir = io::JoinPath(io::JoinPath(dir_, "read"), id.ToString());
      if (!blocks::DownloadBlock(bucket_, files(), pool_, id, dir, 1, Cancel()).ok()) continue;
      auto block = tsdb::Block::Open(files(), dir);
      if (!block.ok()) continue;
      auto all = (*block)->Select({}, Cancel());
      GN_CHECK(all.ok());
      tsdb::BlockSeries series(**block, *std::move(all), INT64_MIN, INT64_MAX);
      for (auto more = series.Next(); more.ok() && *more; more = series.Next()) {
        LabelMap labels;
        for (auto [name, value] : series.labels()) labels[std::string(name)] = value;
        gauntlet::Samples samples;
        if (!tsdb::ReadSamples(**block, series.chunks(), series.deleted(), INT64_MIN, INT64_MAX, &samples).ok())
          continue;
        auto& into = found[{meta.thanos.labels, labels}];
        for (size_t i = 0; i < samples.size(); ++i) into[samples.times_ms[i]] = samples.values[i];
      }
    }
    std::filesystem::remove_all(io::JoinPath(dir_, "read"));
    return found;
  }

  io::FileSystem& files() { return io::RealFileSystem(); }
  objstore::MemoryBucket& bucket() { return bucket_; }
  SimulatedClock& clock() { return clock_; }
  Executor& pool() { return pool_; }
  const std::string& dir() const { return dir_; }

 private:
  SimulatedClock clock_;
  objstore::MemoryBucket bucket_;
  ThreadPool pool_{"test", 16};
  std::string dir_;
  int64_t made_ = 0;
};

// The sum of a metric over its labels, as /metrics exposes it; -1 when there is none.
inline double MetricSum(const telemetry::Registry& registry, const std::string& name) {
  const std::string text = registry.Expose(false);
  double sum = 0;
  bool any = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(name) || (line[name.size()] != ' ' && line[name.size()] != '{')) continue;
    sum += std::stod(line.substr(line.rfind(' ') + 1));
    any = true;
  }
  return any ? sum : -1;
}

}  // namespace gauntlet::compactor
