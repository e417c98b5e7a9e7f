#include "tools/bucket_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>

#include "json/reader.h"
#include "model/time.h"

namespace gauntlet::tools {
namespace {

using Row = std::vector<std::string>;

const Row kColumns = {"ULID",    "FROM",       "UNTIL",       "RANGE",  "UNTIL-DOWN", "#SERIES", "#SAMPLES",
                      "#CHUNKS", "COMP-LEVEL", "COMP-FAILED", "LABELS", "RESOLUTION", "SOURCE"};
constexpr int64_t kFirstDownsampleMs = int64_t{40} * 3'600'000, kSecondDownsampleMs = int64_t{240} * 3'600'000;

std::string TimeText(int64_t ms) { return FormatRfc3339Ms(ms / 1000 * 1000); }
std::string DurationText(int64_t ms) { return FormatGoDuration(ms * 1'000'000); }

std::string WithCommas(int64_t n) {
  std::string digits = std::to_string(n), out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') out += ',';
    out += digits[i];
  }
  return out;
}

std::string WideLine(const blocks::Meta& meta) {
  return fmt::format("{} -- {} - {} Diff: {}, Compaction: {}, Downsample: {}, Source: {}\n", meta.block.ulid.ToString(),
                     TimeText(meta.block.mint_ms), TimeText(meta.block.maxt_ms),
                     DurationText(meta.block.maxt_ms / 1000 * 1000 - meta.block.mint_ms / 1000 * 1000),
                     meta.block.compaction.level, meta.thanos.resolution_ms, meta.thanos.source);
}

std::string MapText(const std::map<std::string, std::string>& labels) {
  std::string out = "map[";
  for (const auto& [name, value] : labels) out.append(out.size() > 4 ? " " : "").append(name).append(":").append(value);
  return out + "]";
}

// The fields that a template may name.
using Getter = std::function<std::string(const blocks::Meta&)>;
const std::map<std::string, Getter, std::less<>>& TemplateFields() {
  using M = const blocks::Meta&;
  static const std::map<std::string, Getter, std::less<>> fields = {
      {".ULID", [](M m) { return m.block.ulid.ToString(); }},
      {".MinTime", [](M m) { return std::to_string(m.block.mint_ms); }},
      {".MaxTime", [](M m) { return std::to_string(m.block.maxt_ms); }},
      {".Version", [](M) { return std::string("1"); }},
      {".Stats.NumSamples", [](M m) { return std::to_string(m.block.stats.samples); }},
      {".Stats.NumFloatSamples", [](M m) { return std::to_string(m.block.stats.float_samples); }},
      {".Stats.NumHistogramSamples", [](M m) { return std::to_string(m.block.stats.histogram_samples); }},
      {".Stats.NumSeries", [](M m) { return std::to_string(m.block.stats.series); }},
      {".Stats.NumChunks", [](M m) { return std::to_string(m.block.stats.chunks); }},
      {".Stats.NumTombstones", [](M m) { return std::to_string(m.block.stats.tombstones); }},
      {".Compaction.Level", [](M m) { return std::to_string(m.block.compaction.level); }},
      {".Compaction.Failed", [](M m) { return std::string(m.block.compaction.failed ? "true" : "false"); }},
      {".Thanos.Labels", [](M m) { return MapText(m.thanos.labels); }},
      {".Thanos.Downsample.Resolution", [](M m) { return std::to_string(m.thanos.resolution_ms); }},
      {".Thanos.Source", [](M m) { return m.thanos.source; }},
      {".Thanos.UploadTime", [](M m) { return m.thanos.upload_time; }},
  };
  return fields;
}

Result<Getter> TemplateField(std::string_view expression) {
  auto found = TemplateFields().find(expression);
  if (found != TemplateFields().end()) return found->second;
  constexpr std::string_view kLabel = ".Thanos.Labels.";
  if (expression.starts_with(kLabel)) {
    std::string label(expression.substr(kLabel.size()));
    return Getter([label](const blocks::Meta& m) {
      auto value = m.thanos.labels.find(label);
      return value == m.thanos.labels.end() ? std::string("<no value>") : value->second;
    });
  }
  return Status(Code::kInvalid,
                fmt::format("invalid template: {{{{{}}}}} is no field that can be printed", expression));
}

// Text and fields in turn.
Result<std::vector<Getter>> ParseTemplate(std::string_view text) {
  std::vector<Getter> parts;
  while (!text.empty()) {
    size_t open = text.find("{{");
    if (std::string literal(text.substr(0, open)); !literal.empty()) {
      parts.emplace_back([literal](const blocks::Meta&) { return literal; });
    }
    if (open == std::string_view::npos) break;
    size_t close = text.find("}}", open);
    if (close == std::string_view::npos) return Status(Code::kInvalid, "invalid template: unclosed action");
    std::string_view expression = text.substr(open + 2, close - open - 2);
    while (expression.starts_with(' ')) expression.remove_prefix(1);
    while (expression.ends_with(' ')) expression.remove_suffix(1);
    GN_ASSIGN(Getter getter, TemplateField(expression));
    parts.push_back(std::move(getter));
    text.remove_prefix(close + 2);
  }
  return parts;
}

std::string UntilDown(const blocks::Meta& meta) {
  int64_t range = meta.block.maxt_ms - meta.block.mint_ms;
  if (meta.thanos.resolution_ms == 0) return DurationText(kFirstDownsampleMs - range);
  return meta.thanos.resolution_ms == 300'000 ? DurationText(kSecondDownsampleMs - range) : "-";
}

Row InspectRow(const blocks::Meta& meta) {
  std::string labels;
  for (const auto& [name, value] : meta.thanos.labels) labels += (labels.empty() ? "" : ",") + name + "=" + value;
  const tsdb::BlockMeta& b = meta.block;
  return {b.ulid.ToString(),
          TimeText(b.mint_ms),
          TimeText(b.maxt_ms),
          DurationText(b.maxt_ms - b.mint_ms),
          UntilDown(meta),
          WithCommas(static_cast<int64_t>(b.stats.series)),
          WithCommas(static_cast<int64_t>(b.stats.samples)),
          WithCommas(static_cast<int64_t>(b.stats.chunks)),
          WithCommas(b.compaction.level),
          b.compaction.failed ? "true" : "false",
          labels,
          DurationText(meta.thanos.resolution_ms),
          meta.thanos.source};
}

// Times, durations and numbers by value, anything else as text.
bool LessCell(const std::string& a, const std::string& b) {
  if (auto ta = ParseRfc3339(a), tb = ParseRfc3339(b); ta.ok() && tb.ok()) return *ta < *tb;
  if (auto da = ParseGoDuration(a), db = ParseGoDuration(b); da.ok() && db.ok()) return *da < *db;
  auto number = [](std::string text, uint64_t* out) {
    std::erase(text, ',');
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
    return error == std::errc() && end == text.data() + text.size();
  };
  uint64_t na = 0, nb = 0;
  return number(a, &na) && number(b, &nb) ? na < nb : a < b;
}

std::string TableText(const std::vector<Row>& rows) {
  std::vector<size_t> width(kColumns.size());
  auto grow = [&](const Row& row) {
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  };
  grow(kColumns);
  for (const Row& row : rows) grow(row);
  std::string out = "|", line = "|";
  for (size_t i = 0; i < kColumns.size(); ++i) {
    out += fmt::format(" {:^{}} |", kColumns[i], width[i]);
    line += std::string(width[i] + 2, '-') + "|";
  }
  out += "\n" + line + "\n";
  for (const Row& row : rows) {
    out += "|";
    for (size_t i = 0; i < row.size(); ++i) out += fmt::format(" {:<{}} |", row[i], width[i]);
    out += "\n";
  }
  return out;
}

std::string SeparatedText(const std::vector<Row>& rows, char separator) {
  std::string out;
  auto add = [&](const Row& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += separator;
      bool quote =
          row[i].find_first_of(std::string("\"\r\n") + separator) != std::string::npos || row[i].starts_with(' ');
      if (!quote) {
        out += row[i];
        continue;
      }
      out += '"';
      for (char c : row[i]) out += c == '"' ? "\"\"" : std::string(1, c);
      out += '"';
    }
    out += '\n';
  };
  add(kColumns);
  for (const Row& row : rows) add(row);
  return out;
}

}  // namespace

Result<std::string> FormatBlocks(const blocks::MetaMap& metas, const std::string& format) {
  std::string out;
  std::vector<Getter> parts;
  if (!format.empty() && format != "wide" && format != "json") {
    GN_ASSIGN(parts, ParseTemplate(format));
  }
  for (const auto& [id, meta] : metas) {
    if (format.empty()) {
      out += id.ToString() + "\n";
    } else if (format == "wide") {
      out += WideLine(*meta);
    } else if (format == "json") {
      out += blocks::FormatMeta(*meta);
    } else {
      for (const Getter& part : parts) out += part(*meta);
      out += "\n";
    }
  }
  return out;
}

Result<std::string> InspectBlocks(const blocks::MetaMap& metas, const InspectOptions& options) {
  std::vector<size_t> sort;
  for (const std::string& column : options.sort_by) {
    auto found = std::find(kColumns.begin(), kColumns.end(), column);
    if (found == kColumns.end()) return Status(Code::kInvalid, "column " + column + " not found");
    sort.push_back(static_cast<size_t>(found - kColumns.begin()));
  }
  std::vector<Row> rows;
  for (const auto& [id, meta] : metas) {
    bool matches = std::all_of(options.selector.begin(), options.selector.end(), [&](const auto& label) {
      auto found = meta->thanos.labels.find(label.first);
      return found != meta->thanos.labels.end() && found->second == label.second;
    });
    if (matches) rows.push_back(InspectRow(*meta));
  }
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (size_t column : sort) {
      if (a[column] != b[column]) return LessCell(a[column], b[column]);
    }
    return a[0] < b[0];
  });
  if (options.output == "csv") return SeparatedText(rows, ',');
  if (options.output == "tsv") return SeparatedText(rows, '\t');
  return TableText(rows);
}

Result<std::map<std::string, std::string>> ParseLabelFlags(const std::vector<std::string>& flags) {
  std::map<std::string, std::string> labels;
  for (const std::string& flag : flags) {
    size_t equals = flag.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status(Code::kInvalid, "unrecognized label \"" + flag + "\"");
    }
    Result<json::Document> value = json::Document::Parse(std::string_view(flag).substr(equals + 1));
    auto text = value.ok() ? value->root().String() : std::nullopt;
    if (!text.has_value()) return Status(Code::kInvalid, "unquote label value of \"" + flag + "\": it needs quotes");
    labels[flag.substr(0, equals)] = *text;
  }
  return labels;
}

}  // namespace gauntlet::tools
