#include "tsdb/block/block_meta.h"

#include <fmt/format.h>

#include <optional>

#include "json/reader.h"
#include "tsdb/block/meta_json.h"

namespace gauntlet::tsdb {
namespace {

Status ReadStats(json::Value object, BlockStats* stats) {
  JsonFields fields(object);
  fields.Uint("numSamples", &stats->samples);
  fields.Uint("numFloatSamples", &stats->float_samples);
  fields.Uint("numHistogramSamples", &stats->histogram_samples);
  fields.Uint("numSeries", &stats->series);
  fields.Uint("numChunks", &stats->chunks);
  fields.Uint("numTombstones", &stats->tombstones);
  return fields.status();
}

Status ReadCompaction(json::Value object, BlockCompaction* compaction) {
  JsonFields fields(object);
  compaction->level = 0;
  fields.Int("level", &compaction->level);
  fields.Bool("deletable", &compaction->deletable);
  fields.Bool("failed", &compaction->failed);
  fields.Each("sources", [&](json::Value value) {
    auto ulid = JsonFields::AsUlid(value);
    if (ulid) compaction->sources.push_back(*ulid);
    return ulid.has_value();
  });
  fields.Each("parents", [&](json::Value value) {
    JsonFields parent(value);
    BlockParent& out = compaction->parents.emplace_back();
    parent.UlidText("ulid", &out.ulid);
    parent.Int("minTime", &out.mint_ms);
    parent.Int("maxTime", &out.maxt_ms);
    return parent.status().ok();
  });
  fields.Each("hints", [&](json::Value value) {
    if (value.String()) compaction->hints.emplace_back(*value.String());
    return value.is_string();
  });
  return fields.status();
}

void FormatCompaction(const BlockCompaction& compaction, std::string* out) {
  IndentedJson object(out, 1, '{');
  object.Int("\"level\"", compaction.level);
  auto list = [&](std::string_view key, const auto& items, const auto& write) {
    if (items.empty()) return;
    object.Key(key);
    IndentedJson array(out, 2, '[');
    for (const auto& item : items) {
      array.Item();
      write(item);
    }
    array.End();
  };
  list("\"sources\"", compaction.sources, [&](const Ulid& ulid) { *out += QuotedJson(ulid.ToString()); });
  object.True("\"deletable\"", compaction.deletable);
  list("\"parents\"", compaction.parents, [&](const BlockParent& parent) {
    IndentedJson item(out, 3, '{');
    item.Key("\"ulid\"");
    *out += QuotedJson(parent.ulid.ToString());
    item.Int("\"minTime\"", parent.mint_ms);
    item.Int("\"maxTime\"", parent.maxt_ms);
    item.End();
  });
  object.True("\"failed\"", compaction.failed);
  list("\"hints\"", compaction.hints, [&](const std::string& hint) { *out += QuotedJson(hint); });
  object.Raw(compaction.more);
  object.End();
}

}  // namespace

std::string_view BlockMeta::extra(std::string_view key) const { return RawMemberValue(more, key); }

Result<BlockMeta> ParseBlockMeta(std::string_view text) {
  auto document = json::Document::Parse(text);
  if (!document.ok()) return document.status().Wrap(kMetaFile);
  json::Value root = document->root();
  if (!root.is_object()) return Status(Code::kCorrupt, fmt::format("{}: no object", kMetaFile));
  BlockMeta meta;
  JsonFields fields(root);
  int64_t version = 0;
  fields.UlidText("ulid", &meta.ulid);
  if (!root.Get("ulid").exists()) fields.Fail("ulid");
  fields.Int("minTime", &meta.mint_ms);
  fields.Int("maxTime", &meta.maxt_ms);
  fields.Int("version", &version);
  GN_TRY(fields.status());
  if (version != 1) return Status(Code::kUnsupported, fmt::format("unexpected meta file version {}", version));
  GN_TRY(ReadStats(root.Get("stats"), &meta.stats));
  GN_TRY(ReadCompaction(root.Get("compaction"), &meta.compaction));
  std::vector<RawMember> members = SplitMembers(text);
  meta.more = UnknownMembers(text, {"ulid", "minTime", "maxTime", "stats", "compaction", "version"});
  if (root.Get("stats").is_object()) {
    meta.stats.more = UnknownMembers(
        RawMemberValue(members, "stats"),
        {"numSamples", "numFloatSamples", "numHistogramSamples", "numSeries", "numChunks", "numTombstones"});
  }
  if (root.Get("compaction").is_object()) {
    meta.compaction.more = UnknownMembers(RawMemberValue(members, "compaction"),
                                          {"level", "sources", "deletable", "parents", "failed", "hints"});
  }
  return meta;
}

std::string FormatBlockMeta(const BlockMeta& meta) {
  std::string out;
  IndentedJson object(&out, 0, '{');
  object.Key("\"ulid\"");
  out += QuotedJson(meta.ulid.ToString());
  object.Int("\"minTime\"", meta.mint_ms);
  object.Int("\"maxTime\"", meta.maxt_ms);
  object.Key("\"stats\"");
  IndentedJson stats(&out, 1, '{');
  stats.Uint("\"numSamples\"", meta.stats.samples);
  stats.Uint("\"numFloatSamples\"", meta.stats.float_samples);
  stats.Uint("\"numHistogramSamples\"", meta.stats.histogram_samples);
  stats.Uint("\"numSeries\"", meta.stats.series);
  stats.Uint("\"numChunks\"", meta.stats.chunks);
  stats.Uint("\"numTombstones\"", meta.stats.tombstones);
  stats.Raw(meta.stats.more);
  stats.End();
  object.Key("\"compaction\"");
  FormatCompaction(meta.compaction, &out);
  object.Int("\"version\"", 1);
  object.Raw(meta.more);
  object.End();
  return out;
}

}  // namespace gauntlet::tsdb
