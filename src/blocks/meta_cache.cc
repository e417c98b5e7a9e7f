// "GNM1", then records: u32 CRC-32C of the rest of the record, u32 bytes of the text, 16 bytes of the ULID, u64
// modification time in ms, the text. A record supersedes those of the same block before it.

#include "blocks/meta_cache.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/varint.h"
#include "io/crc32c.h"
#include "io/path.h"
#include "tsdb/index/toc.h"

namespace gauntlet::blocks {
namespace {

constexpr size_t kCrcBytes = 4, kFrontBytes = kCrcBytes + 4 + 16 + 8;
constexpr size_t kBufferBytes = 1 << 20;
constexpr uint64_t kSlackBytes = 1 << 20;  // of superseded records, beyond which a file is written anew

}  // namespace

void AppendMetaRecord(const MetaRecord& record, std::string* out) {
  const size_t begin = out->size();
  tsdb::AppendBe32(out, 0);
  tsdb::AppendBe32(out, static_cast<uint32_t>(record.text.size()));
  out->append(reinterpret_cast<const char*>(record.id.bytes.data()), record.id.bytes.size());
  tsdb::AppendBe64(out, static_cast<uint64_t>(record.modified_ms));
  out->append(record.text);
  std::string crc;
  tsdb::AppendBe32(&crc, io::Crc32c(std::string_view(*out).substr(begin + kCrcBytes)));
  out->replace(begin, kCrcBytes, crc);
}

MetaRecordReader::MetaRecordReader(std::string_view bytes) : bytes_(bytes) {
  if (bytes_.starts_with(kMetaCacheMagic)) at_ = kMetaCacheMagic.size();
}

bool MetaRecordReader::Next() {
  if (at_ == 0) return false;
  const std::string_view rest = bytes_.substr(at_);
  ByteReader in(rest);
  uint32_t crc = 0, length = 0;
  uint64_t modified = 0;
  std::string_view id, text;
  if (!in.Be32(&crc) || !in.Be32(&length) || !in.Bytes(record_.id.bytes.size(), &id) || !in.Be64(&modified) ||
      !in.Bytes(length, &text)) {
    return false;
  }
  if (io::Crc32c(rest.substr(kCrcBytes, kFrontBytes - kCrcBytes + length)) != crc) return false;
  std::memcpy(record_.id.bytes.data(), id.data(), id.size());
  record_.modified_ms = static_cast<int64_t>(modified);
  record_.text = text;
  record_bytes_ = kFrontBytes + length;
  at_ += record_bytes_;
  return true;
}

MetaCache::MetaCache(io::FileSystem& files, std::string path, telemetry::Logger& logger)
    : files_(files), path_(std::move(path)), logger_(logger) {}

void MetaCache::Note(const Ulid& id, uint64_t record_bytes) {
  uint64_t& bytes = record_bytes_[id];
  live_bytes_ += record_bytes - bytes;
  bytes = record_bytes;
  if (record_bytes == 0) record_bytes_.erase(id);
}

void MetaCache::Load() {
  if (path_.empty()) return;
  MutexLock lock(mutex_);
  Result<std::string> contents = files_.ReadFile(path_);
  if (!contents.ok()) {
    damaged_ = true;  // mostly: there is none yet
    return;
  }
  contents_ = *std::move(contents);
  file_bytes_ = contents_.size();
  MetaRecordReader reader(contents_);
  while (reader.Next()) {
    const MetaRecord& record = reader.record();
    found_[record.id] = record;
    Note(record.id, record.text.empty() ? 0 : reader.record_bytes());
  }
  damaged_ = contents_.empty() || reader.good_bytes() < contents_.size();
  if (damaged_) {
    GN_LOG(logger_, kWarn, "the cache of metas is damaged: what is lost is fetched again", {"path", path_},
           {"read_bytes", reader.good_bytes()}, {"bytes", contents_.size()});
  }
}

std::optional<std::string_view> MetaCache::Find(const Ulid& id, int64_t modified_ms) const {
  MutexLock lock(mutex_);
  auto at = found_.find(id);
  if (at == found_.end() || at->second.text.empty()) return std::nullopt;
  if (modified_ms != 0 && at->second.modified_ms != modified_ms) return std::nullopt;
  return at->second.text;
}

std::vector<Ulid> MetaCache::Ids() const {
  MutexLock lock(mutex_);
  std::vector<Ulid> ids;
  for (const auto& [id, bytes] : record_bytes_) ids.push_back(id);
  return ids;
}

void MetaCache::Put(const MetaRecord& record) {
  if (path_.empty()) return;
  MutexLock lock(mutex_);
  const size_t before = buffer_.size();
  AppendMetaRecord(record, &buffer_);
  Note(record.id, buffer_.size() - before);
  if (buffer_.size() >= kBufferBytes) Flush();
}

Status MetaCache::Write() {
  if (damaged_) GN_TRY(WriteAnew());
  GN_ASSIGN(auto file, files_.OpenAppend(path_));
  return file->Append(buffer_);  // not synced: what a power cut takes is fetched again
}

void MetaCache::Flush() {
  if (buffer_.empty()) return;
  if (Status status = Write(); !status.ok()) {
    damaged_ = true;  // a part of it may have been written
    GN_LOG(logger_, kWarn, "metas are not cached", {"path", path_}, {"err", status});
  }
  file_bytes_ += buffer_.size();
  buffer_.clear();
}

// The last records of those that are not gone.
Status MetaCache::WriteAnew() {
  GN_TRY(files_.MakeDirectories(std::string(io::DirName(path_))));
  Result<std::string> bytes = files_.ReadFile(path_);
  if (!bytes.ok() && bytes.status().code() != Code::kNotFound) return bytes.status();
  std::map<Ulid, MetaRecord> last;
  MetaRecordReader reader(bytes.ok() ? std::string_view(*bytes) : std::string_view());
  while (reader.Next()) last[reader.record().id] = reader.record();
  std::string kept(kMetaCacheMagic);
  for (const auto& [id, record] : last) {
    if (!record.text.empty() && record_bytes_.contains(id)) AppendMetaRecord(record, &kept);
  }
  GN_TRY(files_.WriteAtomically(path_, kept));
  file_bytes_ = kept.size();
  damaged_ = false;
  return Status();
}

void MetaCache::Finish(const std::function<bool(const Ulid&)>& alive) {
  if (path_.empty()) return;
  MutexLock lock(mutex_);
  std::vector<Ulid> gone;
  for (const auto& [id, bytes] : record_bytes_) {
    if (!alive(id)) gone.push_back(id);
  }
  for (const Ulid& id : gone) {
    AppendMetaRecord({id, 0, {}}, &buffer_);
    Note(id, 0);
  }
  Flush();
  found_.clear();
  contents_ = std::string();
  if (!damaged_ && file_bytes_ <= 2 * live_bytes_ + kSlackBytes) return;
  if (Status status = WriteAnew(); !status.ok())
    GN_LOG(logger_, kWarn, "the cache of metas is not written anew", {"path", path_}, {"err", status});
}

}  // namespace gauntlet::blocks
