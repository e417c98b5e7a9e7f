#include "blocks/thanos_meta.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "json/reader.h"
#include "json/writer.h"
#include "model/time.h"
#include "tsdb/block/meta_json.h"

namespace gauntlet::blocks {
namespace {

using tsdb::IndentedJson;
using tsdb::JsonFields;
using tsdb::QuotedJson;
using tsdb::RawMember;

constexpr char kNoTime[] = "0001-01-01T00:00:00Z";
constexpr char kThanosKey[] = "\"thanos\"";

Status Wrong(std::string_view what) {
  return {Code::kCorrupt, fmt::format("{}: thanos.{} is wrong", tsdb::kMetaFile, what)};
}

Status ReadFile(json::Value value, std::string_view raw, BlockFile* file) {
  JsonFields fields(value);
  fields.String("rel_path", &file->rel_path);
  fields.Int("size_bytes", &file->bytes);
  JsonFields hash(value.Get("hash"));
  hash.String("hashFunc", &file->hash_function);
  hash.String("value", &file->hash);
  GN_TRY(fields.status());
  GN_TRY(hash.status());
  file->more = tsdb::UnknownMembers(raw, {"rel_path", "size_bytes", "hash"});
  return Status();
}

// The items of a JSON list as they stand.
std::vector<std::string_view> SplitList(std::string_view list) {
  std::vector<std::string_view> items;
  int depth = 0;
  bool string = false;
  size_t begin = std::string_view::npos;
  for (size_t at = 0; at < list.size(); ++at) {
    char c = list[at];
    if (string) {
      if (c == '\\') ++at;
      if (c == '"') string = false;
      continue;
    }
    if (c == '"') string = true;
    if (c == '{' && depth++ == 0) begin = at;
    if (c == '}' && --depth == 0 && begin != std::string_view::npos)
      items.push_back(list.substr(begin, at + 1 - begin));
  }
  return items;
}

Status ReadFiles(json::Value list, std::string_view raw, std::vector<BlockFile>* files) {
  if (!list.exists() || list.is_null()) return Status();
  if (!list.is_array()) return Wrong("files");
  std::vector<std::string_view> items = SplitList(raw);
  for (size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_object() || items.size() != list.size()) return Wrong("files");
    GN_TRY(ReadFile(list[i], items[i], &files->emplace_back()));
  }
  return Status();
}

Status ReadLabels(json::Value object, std::map<std::string, std::string>* labels) {
  if (!object.exists() || object.is_null()) return Status();
  if (!object.is_object()) return Wrong("labels");
  for (size_t i = 0; i < object.size(); ++i) {
    auto value = object[i].String();
    if (!value.has_value()) return Wrong("labels");
    (*labels)[std::string(object.key(i))] = *value;
  }
  return Status();
}

Result<ThanosMeta> ReadThanos(json::Value object, std::string_view raw) {
  ThanosMeta thanos;
  thanos.version = 0;
  if (!object.exists() || object.is_null()) return thanos;
  if (!object.is_object()) return Status(Code::kCorrupt, "meta.json: thanos is no object");
  JsonFields fields(object);
  fields.Int("version", &thanos.version);
  fields.String("source", &thanos.source);
  fields.String("upload_time", &thanos.upload_time);
  fields.Each("segment_files", [&](json::Value value) {
    if (value.String()) thanos.segment_files.emplace_back(*value.String());
    return value.is_string();
  });
  JsonFields downsample(object.Get("downsample")), index(object.Get("index_stats"));
  downsample.Int("resolution", &thanos.resolution_ms);
  index.Int("series_max_size", &thanos.series_bytes_max);
  index.Int("chunk_max_size", &thanos.chunk_bytes_max);
  for (const JsonFields* read : {&fields, &downsample, &index}) GN_TRY(read->status());
  if (thanos.version != 0 && thanos.version != 1) {
    return Status(Code::kUnsupported,
                  fmt::format("unexpected version {} of meta.json's thanos section", thanos.version));
  }
  GN_TRY(ReadLabels(object.Get("labels"), &thanos.labels));
  std::vector<RawMember> members = tsdb::SplitMembers(raw);
  GN_TRY(ReadFiles(object.Get("files"), tsdb::RawMemberValue(members, "files"), &thanos.files));
  auto optional_raw = [&](std::string_view key) {
    std::string_view value = tsdb::RawMemberValue(members, key);
    return std::string(value == "null" ? "" : value);
  };
  thanos.rewrites = optional_raw("rewrites");
  thanos.extensions = optional_raw("extensions");
  thanos.more = tsdb::UnknownMembers(raw, {"version", "labels", "downsample", "source", "segment_files", "files",
                                           "rewrites", "index_stats", "extensions", "upload_time"});
  return thanos;
}

void FormatFiles(const std::vector<BlockFile>& files, std::string* out) {
  IndentedJson list(out, 2, '[');
  for (const BlockFile& file : files) {
    list.Item();
    IndentedJson item(out, 3, '{');
    item.Key("\"rel_path\"");
    *out += QuotedJson(file.rel_path);
    if (file.bytes != 0) item.Int("\"size_bytes\"", file.bytes);
    if (!file.hash_function.empty()) {
      item.Key("\"hash\"");
      IndentedJson hash(out, 4, '{');
      hash.Key("\"hashFunc\"");
      *out += QuotedJson(file.hash_function);
      hash.Key("\"value\"");
      *out += QuotedJson(file.hash);
      hash.End();
    }
    item.Raw(file.more);
    item.End();
  }
  list.End();
}

std::string FormatThanos(const ThanosMeta& thanos) {
  std::string out;
  IndentedJson object(&out, 1, '{');
  if (thanos.version != 0) object.Int("\"version\"", thanos.version);
  object.Key("\"labels\"");
  IndentedJson labels(&out, 2, '{');
  for (const auto& [name, value] : thanos.labels) {
    labels.Key(QuotedJson(name));
    out += QuotedJson(value);
  }
  labels.End();
  object.Key("\"downsample\"");
  IndentedJson downsample(&out, 2, '{');
  downsample.Int("\"resolution\"", thanos.resolution_ms);
  downsample.End();
  object.Key("\"source\"");
  out += QuotedJson(thanos.source);
  if (!thanos.segment_files.empty()) {
    object.Key("\"segment_files\"");
    IndentedJson list(&out, 2, '[');
    for (const std::string& file : thanos.segment_files) {
      list.Item();
      out += QuotedJson(file);
    }
    list.End();
  }
  if (!thanos.files.empty()) {
    object.Key("\"files\"");
    FormatFiles(thanos.files, &out);
  }
  if (!thanos.rewrites.empty()) {
    object.Key("\"rewrites\"");
    out += thanos.rewrites;
  }
  object.Key("\"index_stats\"");
  IndentedJson index(&out, 2, '{');
  if (thanos.series_bytes_max != 0) index.Int("\"series_max_size\"", thanos.series_bytes_max);
  if (thanos.chunk_bytes_max != 0) index.Int("\"chunk_max_size\"", thanos.chunk_bytes_max);
  index.End();
  if (!thanos.extensions.empty()) {
    object.Key("\"extensions\"");
    out += thanos.extensions;
  }
  object.Key("\"upload_time\"");
  out += QuotedJson(thanos.upload_time);
  object.Raw(thanos.more);
  object.End();
  return out;
}

}  // namespace

Labels ThanosMeta::ExternalLabels() const {
  std::vector<std::pair<std::string, std::string>> pairs(labels.begin(), labels.end());
  return Labels::From(pairs);
}

std::optional<int64_t> ThanosMeta::UploadTimeMs() const {
  if (upload_time == kNoTime) return std::nullopt;
  Result<int64_t> ms = ParseRfc3339(upload_time);
  return ms.ok() ? std::optional(*ms) : std::nullopt;
}

uint64_t GoLabelsHash(const std::map<std::string, std::string>& labels) {
  std::string bytes;
  for (const auto& [name, value] : labels) bytes.append(name).append("\xFF").append(value).append("\xFF");
  return XxHash64(bytes);
}

std::string ThanosMeta::GroupKey() const { return fmt::format("{}@{}", resolution_ms, GoLabelsHash(labels)); }

Result<Meta> ParseMeta(std::string_view text) {
  Meta meta;
  GN_ASSIGN(meta.block, tsdb::ParseBlockMeta(text));
  std::string_view raw = meta.block.extra("thanos");
  if (!raw.empty()) {
    GN_ASSIGN(json::Document document, json::Document::Parse(raw));
    GN_ASSIGN(meta.thanos, ReadThanos(document.root(), raw));
  } else {
    meta.thanos.version = 0;
  }
  // What stands in the file is replaced by what the section says when it is written.
  std::erase_if(meta.block.more, [](const RawMember& member) { return member.key == kThanosKey; });
  return meta;
}

std::string FormatMeta(const Meta& meta) {
  tsdb::BlockMeta block = meta.block;
  block.more.insert(block.more.begin(), RawMember{kThanosKey, FormatThanos(meta.thanos)});
  return tsdb::FormatBlockMeta(block) + "\n";
}

}  // namespace gauntlet::blocks
