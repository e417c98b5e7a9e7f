#include "compactor/quarantine.h"

#include "json/reader.h"
#include "json/writer.h"
#include "model/time.h"
#include "tsdb/block/meta_json.h"

namespace gauntlet::compactor {
namespace {

constexpr size_t kMarkBytesMax = 1 << 20;
constexpr std::string_view kSuffix = ".json";

std::string ObjectOf(const std::string& subject) { return kQuarantinePrefix + subject + std::string(kSuffix); }

}  // namespace

std::string FormatQuarantineMark(const QuarantineMark& mark) {
  std::string out;
  json::Writer writer(&out);
  writer.BeginObject().StringMember("subject", mark.subject).IntMember("version", 1);
  if (!mark.group.empty()) writer.StringMember("group", mark.group);
  writer.Key("blocks").BeginArray();
  for (const Ulid& id : mark.blocks) writer.String(id.ToString());
  writer.EndArray().StringMember("reason", mark.reason).StringMember("details", mark.details);
  if (!mark.series.empty()) writer.StringMember("series", mark.series);
  writer.StringMember("repair", mark.repair).IntMember("quarantine_time", mark.time_s).EndObject();
  return out + "\n";
}

Result<QuarantineMark> ParseQuarantineMark(std::string_view text) {
  GN_ASSIGN(json::Document document, json::Document::Parse(text));
  if (!document.root().is_object()) return Status(Code::kCorrupt, "a quarantine mark is an object");
  tsdb::JsonFields fields(document.root());
  int64_t version = 0;
  QuarantineMark mark;
  fields.Int("version", &version);
  fields.String("subject", &mark.subject);
  fields.String("group", &mark.group);
  fields.String("reason", &mark.reason);
  fields.String("details", &mark.details);
  fields.String("series", &mark.series);
  fields.String("repair", &mark.repair);
  fields.Int("quarantine_time", &mark.time_s);
  fields.Each("blocks", [&](json::Value value) {
    auto id = tsdb::JsonFields::AsUlid(value);
    if (id.has_value()) mark.blocks.push_back(*id);
    return id.has_value();
  });
  GN_TRY(fields.status());
  if (version != 1) return Status(Code::kUnsupported, "quarantine mark of version " + std::to_string(version));
  if (mark.subject.empty()) return Status(Code::kCorrupt, "quarantine mark without a subject");
  return mark;
}

Quarantine::Quarantine(objstore::Bucket& bucket, telemetry::Registry& registry, telemetry::Logger& logger)
    : bucket_(bucket),
      logger_(logger),
      held_(registry.MakeGauges("gauntlet_compact_quarantined",
                                "Blocks and groups that are left out of compaction until they are repaired.",
                                {"kind", "reason"})) {
  MutexLock lock(mutex_);
  Publish();
}

void Quarantine::Publish() {
  held_.Clear();
  for (const char* kind : {"block", "group"}) held_.With({kind, kOverlapReason}).Set(0);
  for (const auto& [subject, mark] : marks_) held_.With({mark.of_group() ? "group" : "block", mark.reason}).Add(1);
}

Status Quarantine::Load(const Cancel& cancel) {
  std::vector<std::string> subjects;
  GN_TRY(bucket_.Iter(kQuarantinePrefix, {}, cancel, [&](const objstore::ObjectEntry& entry) {
    std::string_view name = entry.name.substr(std::string_view(kQuarantinePrefix).size());
    if (name.ends_with(kSuffix)) subjects.emplace_back(name.substr(0, name.size() - kSuffix.size()));
    return Status();
  }));
  std::map<std::string, QuarantineMark> known = marks(), found;
  for (const std::string& subject : subjects) {
    // Marks do not change while they are there.
    if (auto at = known.find(subject); at != known.end()) {
      found.insert(*at);
      continue;
    }
    Result<std::string> text = objstore::ReadObject(bucket_, ObjectOf(subject), cancel, kMarkBytesMax);
    if (text.status().code() == Code::kNotFound) continue;  // lifted meanwhile
    GN_TRY(text.status());
    Result<QuarantineMark> mark = ParseQuarantineMark(*text);
    if (!mark.ok()) {
      GN_LOG(logger_, kWarn, "a quarantine mark does not read", {"subject", subject}, {"err", mark.status()});
      mark = QuarantineMark();
      mark->details = "the mark does not read";
    }
    mark->subject = subject;  // where it lies counts
    found[subject] = *std::move(mark);
  }
  MutexLock lock(mutex_);
  marks_ = std::move(found);
  Publish();
  return Status();
}

Result<bool> Quarantine::Put(const QuarantineMark& mark, const Cancel& cancel) {
  {
    // What keeps a block out of merges says more than what keeps it from being downsampled.
    MutexLock lock(mutex_);
    auto held = marks_.find(mark.subject);
    if (held != marks_.end() && (held->second.reason != kDownsampleReason || mark.reason == kDownsampleReason))
      return false;
  }
  GN_TRY(objstore::WriteObject(bucket_, ObjectOf(mark.subject), FormatQuarantineMark(mark), cancel)
             .Wrap("set quarantine mark of " + mark.subject));
  std::string ids;
  for (const Ulid& id : mark.blocks) ids += (ids.empty() ? "" : " ") + id.ToString();
  GN_LOG(logger_, kError, "quarantined: left out of compaction until it is repaired", {"subject", mark.subject},
         {"group", mark.group}, {"blocks", ids}, {"reason", mark.reason}, {"err", mark.details},
         {"series", mark.series}, {"repair", mark.repair});
  MutexLock lock(mutex_);
  marks_[mark.subject] = mark;
  Publish();
  return true;
}

Status Quarantine::Lift(const std::string& subject, const Cancel& cancel) {
  if (!Holds(subject)) return Status();
  GN_TRY(bucket_.Delete(ObjectOf(subject), cancel).Wrap("lift quarantine of " + subject));
  GN_LOG(logger_, kInfo, "quarantine lifted", {"subject", subject});
  MutexLock lock(mutex_);
  marks_.erase(subject);
  Publish();
  return Status();
}

Status Quarantine::Forget(const blocks::MetaMap& metas, const std::map<Ulid, Status>& partial, const Cancel& cancel) {
  for (const Ulid& id : Blocks()) {
    if (!metas.contains(id) && !partial.contains(id)) GN_TRY(Lift(id.ToString(), cancel));
  }
  return Status();
}

bool Quarantine::Holds(const std::string& subject) const {
  MutexLock lock(mutex_);
  return marks_.contains(subject);
}

std::set<Ulid> Quarantine::Blocks() const {
  MutexLock lock(mutex_);
  std::set<Ulid> ids;
  for (const auto& [subject, mark] : marks_) {
    if (auto id = Ulid::Parse(subject)) ids.insert(*id);
  }
  return ids;
}

std::set<Ulid> Quarantine::NotMerged() const {
  MutexLock lock(mutex_);
  std::set<Ulid> ids;
  for (const auto& [subject, mark] : marks_) {
    auto id = Ulid::Parse(subject);
    if (id.has_value() && mark.reason != kDownsampleReason) ids.insert(*id);
  }
  return ids;
}

std::map<std::string, QuarantineMark> Quarantine::marks() const {
  MutexLock lock(mutex_);
  return marks_;
}

}  // namespace gauntlet::compactor
