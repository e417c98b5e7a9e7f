#include "tsdb/block/block_meta.h"

#include <fmt/format.h>

#include <initializer_list>
#include <optional>

#include "json/reader.h"
#include "json/writer.h"

namespace gauntlet::tsdb {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// One past the string that begins at `at` with its quote.
size_t StringEnd(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}

// One past the value that begins at `at`, without the space behind it.
size_t ValueEnd(std::string_view text, size_t at) {
  int depth = 0;
  size_t end = at;
  while (at < text.size()) {
    char c = text[at];
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) break;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    at = c == '"' ? StringEnd(text, at) : at + 1;
    if (!IsSpace(c)) end = at;
  }
  return end;
}

// The members of a JSON object that has been parsed before.
std::vector<RawMember> Split(std::string_view object) {
  std::vector<RawMember> members;
  size_t at = object.find('{') + 1;
  for (;;) {
    while (at < object.size() && (IsSpace(object[at]) || object[at] == ',')) ++at;
    if (at >= object.size() || object[at] != '"') return members;
    size_t key_end = StringEnd(object, at);
    RawMember& member = members.emplace_back();
    member.key = object.substr(at, key_end - at);
    at = object.find(':', key_end) + 1;
    while (at < object.size() && IsSpace(object[at])) ++at;
    size_t end = ValueEnd(object, at);
    member.value = object.substr(at, end - at);
    at = end;
  }
}

// The members but for the known ones.
std::vector<RawMember> Unknown(std::string_view object, std::initializer_list<std::string_view> known) {
  std::vector<RawMember> members = Split(object);
  std::erase_if(members, [known](const RawMember& member) {
    for (std::string_view name : known) {
      if (member.key.size() == name.size() + 2 && std::string_view(member.key).substr(1, name.size()) == name) {
        return true;
      }
    }
    return false;
  });
  return members;
}

std::string_view RawValue(const std::vector<RawMember>& members, std::string_view key) {
  for (const RawMember& member : members) {
    if (std::string_view(member.key).substr(1, member.key.size() - 2) == key) return member.value;
  }
  return {};
}

// Reads members, and keeps the first error.
class Fields {
 public:
  explicit Fields(json::Value object) : object_(object) {}

  void Int(std::string_view key, int64_t* out) { Take(key, object_.Get(key).Int(), out); }
  void Uint(std::string_view key, uint64_t* out) { Take(key, object_.Get(key).Uint(), out); }
  void Bool(std::string_view key, bool* out) { Take(key, object_.Get(key).Bool(), out); }
  void UlidText(std::string_view key, Ulid* out) { Take(key, AsUlid(object_.Get(key)), out); }
  template <typename Body>
  void Each(std::string_view key, const Body& body) {
    json::Value list = object_.Get(key);
    if (list.exists() && !list.is_null() && !list.is_array()) Fail(key);
    for (size_t i = 0; i < list.size(); ++i) {
      if (!body(list[i])) Fail(key);
    }
  }
  static std::optional<Ulid> AsUlid(json::Value value) {
    auto text = value.String();
    return text ? Ulid::Parse(*text) : std::nullopt;
  }
  void Fail(std::string_view key) {
    if (status_.ok()) status_ = Status(Code::kCorrupt, fmt::format("{}: {} is wrong", kMetaFile, key));
  }
  const Status& status() const { return status_; }

 private:
  template <typename T>
  void Take(std::string_view key, std::optional<T> value, T* out) {
    if (value) {
      *out = *value;
    } else if (object_.Get(key).exists() && !object_.Get(key).is_null()) {
      Fail(key);
    }
  }

  json::Value object_;
  Status status_;
};

Status ReadStats(json::Value object, BlockStats* stats) {
  Fields fields(object);
  fields.Uint("numSamples", &stats->samples);
  fields.Uint("numFloatSamples", &stats->float_samples);
  fields.Uint("numHistogramSamples", &stats->histogram_samples);
  fields.Uint("numSeries", &stats->series);
  fields.Uint("numChunks", &stats->chunks);
  fields.Uint("numTombstones", &stats->tombstones);
  return fields.status();
}

Status ReadCompaction(json::Value object, BlockCompaction* compaction) {
  Fields fields(object);
  compaction->level = 0;
  fields.Int("level", &compaction->level);
  fields.Bool("deletable", &compaction->deletable);
  fields.Bool("failed", &compaction->failed);
  fields.Each("sources", [&](json::Value value) {
    auto ulid = Fields::AsUlid(value);
    if (ulid) compaction->sources.push_back(*ulid);
    return ulid.has_value();
  });
  fields.Each("parents", [&](json::Value value) {
    Fields parent(value);
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

// An object or list as Go's MarshalIndent writes it.
class Indented {
 public:
  Indented(std::string* out, int depth, char open) : out_(*out), depth_(depth), close_(open == '{' ? '}' : ']') {
    out_ += open;
  }
  // Begins a member; its value follows.
  void Key(std::string_view quoted) {
    Item();
    out_.append(quoted).append(": ");
  }
  void Item() {
    if (!empty_) out_ += ',';
    empty_ = false;
    out_ += '\n';
    out_.append(static_cast<size_t>(depth_) + 1, '\t');
  }
  void Uint(std::string_view key, uint64_t v) {
    if (v == 0) return;
    Key(key);
    out_ += std::to_string(v);
  }
  void Int(std::string_view key, int64_t v) {
    Key(key);
    out_ += std::to_string(v);
  }
  void True(std::string_view key, bool v) {
    if (!v) return;
    Key(key);
    out_ += "true";
  }
  void Raw(const std::vector<RawMember>& members) {
    for (const RawMember& member : members) {
      Key(member.key);
      out_ += member.value;
    }
  }
  void End() {
    if (!empty_) {
      out_ += '\n';
      out_.append(static_cast<size_t>(depth_), '\t');
    }
    out_ += close_;
  }

 private:
  std::string& out_;
  int depth_;
  char close_;
  bool empty_ = true;
};

std::string Quoted(std::string_view s) {
  std::string out;
  json::AppendQuoted(out, s);
  return out;
}

void FormatCompaction(const BlockCompaction& compaction, std::string* out) {
  Indented object(out, 1, '{');
  object.Int("\"level\"", compaction.level);
  auto list = [&](std::string_view key, const auto& items, const auto& write) {
    if (items.empty()) return;
    object.Key(key);
    Indented array(out, 2, '[');
    for (const auto& item : items) {
      array.Item();
      write(item);
    }
    array.End();
  };
  list("\"sources\"", compaction.sources, [&](const Ulid& ulid) { *out += Quoted(ulid.ToString()); });
  object.True("\"deletable\"", compaction.deletable);
  list("\"parents\"", compaction.parents, [&](const BlockParent& parent) {
    Indented item(out, 3, '{');
    item.Key("\"ulid\"");
    *out += Quoted(parent.ulid.ToString());
    item.Int("\"minTime\"", parent.mint_ms);
    item.Int("\"maxTime\"", parent.maxt_ms);
    item.End();
  });
  object.True("\"failed\"", compaction.failed);
  list("\"hints\"", compaction.hints, [&](const std::string& hint) { *out += Quoted(hint); });
  object.Raw(compaction.more);
  object.End();
}

}  // namespace

std::string_view BlockMeta::extra(std::string_view key) const { return RawValue(more, key); }

Result<BlockMeta> ParseBlockMeta(std::string_view text) {
  auto document = json::Document::Parse(text);
  if (!document.ok()) return document.status().Wrap(kMetaFile);
  json::Value root = document->root();
  if (!root.is_object()) return Status(Code::kCorrupt, fmt::format("{}: no object", kMetaFile));
  BlockMeta meta;
  Fields fields(root);
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
  std::vector<RawMember> members = Split(text);
  meta.more = Unknown(text, {"ulid", "minTime", "maxTime", "stats", "compaction", "version"});
  if (root.Get("stats").is_object()) {
    meta.stats.more = Unknown(RawValue(members, "stats"), {"numSamples", "numFloatSamples", "numHistogramSamples",
                                                           "numSeries", "numChunks", "numTombstones"});
  }
  if (root.Get("compaction").is_object()) {
    meta.compaction.more =
        Unknown(RawValue(members, "compaction"), {"level", "sources", "deletable", "parents", "failed", "hints"});
  }
  return meta;
}

std::string FormatBlockMeta(const BlockMeta& meta) {
  std::string out;
  Indented object(&out, 0, '{');
  object.Key("\"ulid\"");
  out += Quoted(meta.ulid.ToString());
  object.Int("\"minTime\"", meta.mint_ms);
  object.Int("\"maxTime\"", meta.maxt_ms);
  object.Key("\"stats\"");
  Indented stats(&out, 1, '{');
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
