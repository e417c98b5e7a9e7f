#include "tsdb/chunkenc/testing/golden_chunks.h"

#include <fmt/format.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/check.h"

namespace gauntlet::tsdb {
namespace {

std::filesystem::path SharedFolder() {
  if (const char* folder = std::getenv("GAUNTLET_SHARED")) return folder;
  auto up = std::filesystem::current_path();
  for (; up != up.root_path(); up = up.parent_path()) {
    if (std::filesystem::exists(up / "shared" / "golden")) return up / "shared";
  }
  return {};
}

std::string Gunzip(const std::filesystem::path& path) {
  std::string out, command = "gzip -dc '" + path.string() + "'";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  GN_CHECK(pipe != nullptr);
  char buffer[1 << 16];
  while (size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
  GN_CHECK(::pclose(pipe) == 0);
  return out;
}

// The value of a top-level `"name":` in one line of the file, up to `end`.
std::string_view Field(std::string_view line, std::string_view name, char end) {
  auto at = line.find(fmt::format("\"{}\":", name));
  GN_CHECK(at != line.npos);
  auto value = line.substr(at + name.size() + 3);
  return value.substr(0, value.find(end));
}

std::string Unhex(std::string_view hex) {
  std::string bytes;
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

GoldenChunk ParseLine(std::string_view line) {
  GoldenChunk chunk;
  chunk.encoding = static_cast<Encoding>(std::atoi(std::string(Field(line, "encodingByte", ',')).c_str()));
  chunk.bytes = Unhex(Field(line, "hex", ',').substr(1));
  auto samples_at = line.rfind("\"samples\":[");
  chunk.name = fmt::format("{} chunk {} of {}", Field(line, "block", ','), Field(line, "chunk", ','),
                           line.substr(0, samples_at).substr(line.find("\"labels\":")));
  for (auto rest = line.substr(samples_at + 11); !rest.empty() && rest[0] != ']';) {
    auto close = rest.find('"', 1);
    chunk.samples.emplace_back(rest.substr(1, close - 1));
    rest.remove_prefix(close + 1);
    if (rest[0] == ',') rest.remove_prefix(1);
  }
  return chunk;
}

std::vector<GoldenChunk> Load() {
  std::vector<GoldenChunk> chunks;
  for (const auto& line : GoldenLines("chunks/chunks.jsonl.gz")) chunks.push_back(ParseLine(line));
  return chunks;
}

std::string Hex(double v) { return fmt::format("{:016x}", std::bit_cast<uint64_t>(v)); }

std::string SpansText(const std::vector<HistogramSpan>& spans) {
  std::string text;
  for (const auto& s : spans) text += fmt::format("{}{}:{}", text.empty() ? "" : ",", s.offset, s.length);
  return text;
}

std::string BucketsText(const std::vector<double>& buckets, bool deltas) {
  std::string text;
  int64_t last = 0;
  for (double b : buckets) {
    if (!text.empty()) text += ',';
    if (!deltas) {
      text += Hex(b);
      continue;
    }
    text += fmt::format("{}", static_cast<int64_t>(b) - last);
    last = static_cast<int64_t>(b);
  }
  return text;
}

std::string HistogramText(const Histogram& h) {
  static constexpr const char* kHints[] = {"unknown", "reset", "noreset", "gauge"};
  auto count = [&](double v) { return h.is_float ? Hex(v) : fmt::format("{}", static_cast<uint64_t>(v)); };
  return fmt::format("hint={} schema={} zt={} zc={} count={} sum={} ps={} pb={} ns={} nb={} cv={}",
                     kHints[static_cast<int>(h.reset_hint)], h.schema, Hex(h.zero_threshold), count(h.zero_count),
                     count(h.count), Hex(h.sum), SpansText(h.positive_spans),
                     BucketsText(h.positive_buckets, !h.is_float), SpansText(h.negative_spans),
                     BucketsText(h.negative_buckets, !h.is_float), BucketsText(h.custom_values, false));
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == text.npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

double Unhex64(const std::string& hex) { return std::bit_cast<double>(std::strtoull(hex.c_str(), nullptr, 16)); }

// A field of a sample line: `name=value`.
std::string Value(const std::vector<std::string>& words, const std::string& name) {
  for (const auto& word : words) {
    if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
  }
  return "";
}

std::vector<HistogramSpan> ParseSpans(const std::string& text) {
  std::vector<HistogramSpan> spans;
  for (const auto& part : Split(text, ',')) {
    spans.push_back(
        {std::atoi(part.c_str()), static_cast<uint32_t>(std::atoi(part.substr(part.find(':') + 1).c_str()))});
  }
  return spans;
}

std::vector<double> ParseBuckets(const std::string& text, bool deltas) {
  std::vector<double> buckets;
  int64_t last = 0;
  for (const auto& part : Split(text, ',')) {
    if (deltas) last += std::strtoll(part.c_str(), nullptr, 10);
    buckets.push_back(deltas ? static_cast<double>(last) : Unhex64(part));
  }
  return buckets;
}

Histogram ParseHistogram(const std::vector<std::string>& words) {
  Histogram h;
  h.is_float = words[0] == "F";
  auto count = [&](const std::string& text) {
    return h.is_float ? Unhex64(text) : static_cast<double>(std::strtoull(text.c_str(), nullptr, 10));
  };
  auto hint = Value(words, "hint");
  h.reset_hint = hint == "reset"     ? ResetHint::kReset
                 : hint == "noreset" ? ResetHint::kNotReset
                 : hint == "gauge"   ? ResetHint::kGauge
                                     : ResetHint::kUnknown;
  h.schema = std::atoi(Value(words, "schema").c_str());
  h.zero_threshold = Unhex64(Value(words, "zt"));
  h.zero_count = count(Value(words, "zc"));
  h.count = count(Value(words, "count"));
  h.sum = Unhex64(Value(words, "sum"));
  h.positive_spans = ParseSpans(Value(words, "ps"));
  h.negative_spans = ParseSpans(Value(words, "ns"));
  h.positive_buckets = ParseBuckets(Value(words, "pb"), !h.is_float);
  h.negative_buckets = ParseBuckets(Value(words, "nb"), !h.is_float);
  h.custom_values = ParseBuckets(Value(words, "cv"), false);
  return h;
}

}  // namespace

std::string GoldenFolder() {
  auto folder = SharedFolder() / "golden";
  return std::filesystem::exists(folder) ? folder.string() : "";
}

std::vector<std::string> GoldenLines(const std::string& path) {
  auto file = SharedFolder() / "golden" / path;
  if (!std::filesystem::exists(file)) return {};
  std::string text = Gunzip(file);
  std::vector<std::string> lines;
  for (std::string_view rest = text; !rest.empty();) {
    auto end = rest.find('\n');
    lines.emplace_back(rest.substr(0, end));
    if (end == rest.npos) break;
    rest.remove_prefix(end + 1);
  }
  return lines;
}

const std::vector<GoldenChunk>& GoldenChunks() {
  static const auto* chunks = new std::vector<GoldenChunk>(Load());
  return *chunks;
}

std::vector<std::string> GoldenColumns(std::string_view line) {
  std::vector<std::string> columns;
  while (true) {
    const size_t tab = line.find('\t');
    columns.emplace_back(line.substr(0, tab));
    if (tab == line.npos) return columns;
    line.remove_prefix(tab + 1);
  }
}

std::string SampleText(const Samples& samples, size_t i) {
  const Histogram* histogram = nullptr;
  for (const auto& h : samples.histograms) {
    if (h.position == i) histogram = &h.histogram;
  }
  std::string text;
  if (histogram == nullptr) {
    text = fmt::format("f {} {}", samples.times_ms[i], Hex(samples.values[i]));
  } else {
    text = fmt::format("{} {} {}", histogram->is_float ? 'F' : 'h', samples.times_ms[i], HistogramText(*histogram));
  }
  if (!samples.start_times_ms.empty() && samples.start_times_ms[i] != 0) {
    text += fmt::format(" st={}", samples.start_times_ms[i]);
  }
  return text;
}

std::string WithoutDecimals(const std::string& line) {
  auto words = Split(line, ' ');
  std::string text = words[0] + ' ' + words[1];
  for (size_t i = 2; i < words.size(); ++i) {
    if (words[0] == "f" && i == 3) continue;
    bool spans = words[i].starts_with("ps=") || words[i].starts_with("ns=");
    std::string kept;
    for (size_t at = 0; at < words[i].size(); ++at) {
      if (words[i][at] == ':' && !spans) {
        while (at < words[i].size() && words[i][at] != ',') ++at;
        if (at == words[i].size()) break;
      }
      kept += words[i][at];
    }
    text += ' ' + kept;
  }
  return text;
}

void AppendSampleText(const std::string& line, Samples* out) {
  auto words = Split(WithoutDecimals(line), ' ');
  out->times_ms.push_back(std::strtoll(words[1].c_str(), nullptr, 10));
  if (words[0] == "f") {
    out->values.push_back(Unhex64(words[2]));
  } else {
    out->histograms.push_back({static_cast<uint32_t>(out->values.size()), ParseHistogram(words)});
    out->values.push_back(0);
  }
  out->start_times_ms.push_back(std::strtoll(Value(words, "st").c_str(), nullptr, 10));
}

}  // namespace gauntlet::tsdb
