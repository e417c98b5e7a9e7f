#include "api/testing/golden_block.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "json/reader.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::api {

Labels LabelsFromJson(std::string_view text) {
  auto document = json::Document::Parse(text);
  GN_CHECK(document.ok());
  std::vector<std::pair<std::string, std::string>> pairs;
  json::Value root = document->root();
  for (size_t i = 0; i < root.size(); ++i) pairs.emplace_back(root.key(i), *root[i].String());
  return Labels::From(pairs);
}

bool LoadBlock(const std::string& name, const std::function<storage::MemoryStorage*(Labels*)>& place) {
  Labels labels;
  storage::MemoryStorage* storage = nullptr;
  Samples sample;
  auto lines = tsdb::GoldenLines("blocks/" + name + ".samples.txt.gz");
  for (const std::string& line : lines) {
    if (line.starts_with("series ")) {
      labels = LabelsFromJson(std::string_view(line).substr(line.find('{')));
      storage = place(&labels);
      continue;
    }
    sample.Clear();
    tsdb::AppendSampleText(line, &sample);
    const int64_t t = sample.times_ms[0], start = sample.start_times_ms[0];
    if (sample.floats_only()) {
      storage->Append(labels, t, sample.values[0], start);
    } else {
      storage->AppendHistogram(labels, t, std::move(sample.histograms[0].histogram), start);
    }
  }
  return !lines.empty();
}

}  // namespace gauntlet::api
