#include "dedup/testing/thanos_series.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "json/reader.h"

namespace gauntlet::dedup {
namespace {

std::vector<std::string> Lines(const std::string& file) {
  std::ifstream in(ThanosDedupFolder() + "/" + file);
  GN_CHECK(in.good());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

json::Document Parse(const std::string& line) {
  auto document = json::Document::Parse(line);
  GN_CHECK(document.ok());
  return *std::move(document);
}

std::string Text(json::Value value) { return std::string(value.String().value_or("")); }

// Protobuf's JSON writes 64-bit integers as strings.
int64_t Integer(json::Value value) {
  return value.is_string() ? std::strtoll(Text(value).c_str(), nullptr, 10) : value.Int().value_or(0);
}

std::string Unbase64(std::string_view text) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    auto digit = kDigits.find(c);
    if (digit == kDigits.npos) break;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8));
  }
  return bytes;
}

}  // namespace

std::vector<tsdb::SeriesChunk> ThanosSeries::Chunks() const {
  std::vector<tsdb::SeriesChunk> chunks;
  for (size_t i = 0; i < bytes.size(); ++i) {
    chunks.push_back({ranges[i].first, ranges[i].second, {tsdb::Encoding::kXor, bytes[i]}, {}});
  }
  return chunks;
}

std::string ThanosDedupFolder() {
  std::filesystem::path shared;
  if (const char* folder = std::getenv("GAUNTLET_SHARED")) {
    shared = folder;
  } else {
    for (auto up = std::filesystem::current_path(); up != up.root_path() && shared.empty(); up = up.parent_path()) {
      if (std::filesystem::exists(up / "shared" / "fixtures")) shared = up / "shared";
    }
  }
  auto folder = shared / "fixtures" / "thanos-dedup";
  return std::filesystem::exists(folder) ? folder.string() : "";
}

std::vector<ThanosSeries> LoadThanosSeries(const std::string& file) {
  std::vector<ThanosSeries> all;
  for (const auto& line : Lines(file)) {
    auto document = Parse(line);
    json::Value series = document.root().Get("series");
    ThanosSeries& loaded = all.emplace_back();
    for (size_t i = 0; i < series.Get("labels").size(); ++i) {
      json::Value label = series.Get("labels")[i];
      loaded.labels.push_back({Text(label.Get("name")), Text(label.Get("value"))});
    }
    for (size_t i = 0; i < series.Get("chunks").size(); ++i) {
      json::Value chunk = series.Get("chunks")[i];
      loaded.ranges.push_back({Integer(chunk.Get("minTime")), Integer(chunk.Get("maxTime"))});
      loaded.bytes.push_back(Unbase64(Text(chunk.Get("raw").Get("data"))));
    }
  }
  return all;
}

std::vector<ThanosAnswer> LoadThanosAnswers() {
  std::vector<ThanosAnswer> answers;
  for (const auto& line : Lines("issue2401-answers.jsonl")) {
    auto document = Parse(line);
    json::Value root = document.root();
    ThanosAnswer& answer = answers.emplace_back();
    answer.query = Text(root.Get("query"));
    answer.algorithm = Text(root.Get("deduplication_func"));
    answer.start_ms = Integer(root.Get("start_ms"));
    answer.end_ms = Integer(root.Get("end_ms"));
    answer.step_ms = Integer(root.Get("step_ms"));
    answer.dedup = root.Get("dedup").Bool().value_or(false);
    json::Value result = root.Get("result");
    for (size_t s = 0; s < result.size(); ++s) {
      auto& values = answer.result.emplace_back();
      json::Value points = result[s].Get("values");
      for (size_t i = 0; i < points.size(); ++i) {
        values.push_back({Integer(points[i][0]), std::strtod(Text(points[i][1]).c_str(), nullptr)});
      }
    }
  }
  return answers;
}

}  // namespace gauntlet::dedup
